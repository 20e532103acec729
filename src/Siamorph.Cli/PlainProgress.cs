using System.Diagnostics;

namespace Siamorph.Cli;

/// <summary>A stage told in plain lines: every tenth of the way, but not in quick succession, and every ten seconds.</summary>
internal sealed class PlainProgress(string title, long total, Action<string> write) : IMonitoredStage
{
    private static readonly TimeSpan Often = TimeSpan.FromSeconds(2), Seldom = TimeSpan.FromSeconds(10);

    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private TimeSpan _told;
    private long _done, _tenths, _first = -1;
    private string? _detail;

    public void Report(long done, string? detail = null)
    {
        if (_first < 0) _first = done; // a resumed run does not start at 0
        (_done, _detail) = (done, detail ?? _detail);
        if (done >= total && total > 0) return; // the end is told when the stage is disposed
        var silence = _clock.Elapsed - _told;
        var tenths = total > 0 ? 10 * done / total : 0;
        if (silence < Often || (silence < Seldom && tenths == _tenths)) return;
        (_told, _tenths) = (_clock.Elapsed, tenths);
        write($"{title}: {Count()}{Remaining()}{Detail()}");
    }

    public void Dispose() => write(StageSummary.Line(title, _done, total, _clock.Elapsed, _detail));

    private string Count() => total > 0 ? $"{_done}/{total}" : $"{_done}";

    private string Detail() => string.IsNullOrEmpty(_detail) ? "" : $" · {_detail}";

    private string Remaining() =>
        total > 0 && _done > _first ? $", {Duration.Text(_clock.Elapsed * ((double)(total - _done) / (_done - _first)))} left"
        : "";
}
