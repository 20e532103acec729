using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace Siamorph.Cli;

/// <summary>
/// `--progress FILE`: what a monitor hears, also as lines of JSON for other programs: {t, kind, title, done, total, detail}; kind
/// is begin, report, end or note. Reports come at most four times a second; the first and the last of a stage always.
/// </summary>
internal sealed class ProgressFile : IMonitor, IDisposable
{
    private static readonly TimeSpan Between = TimeSpan.FromSeconds(0.25);
    private readonly IMonitor _inner;
    private readonly Lock _lock = new();
    private readonly FileStream _file;

    public ProgressFile(IMonitor inner, string path)
    {
        _inner = inner;
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder) Directory.CreateDirectory(folder);
        _file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite); // a run that goes on adds to it
    }

    public CancellationToken Cancellation => _inner.Cancellation;

    public IMonitoredStage Begin(string title, long total)
    {
        Write(new("begin", title, 0, total, null));
        return new Stage(this, _inner.Begin(title, total), title, total);
    }

    public void Note(string line)
    {
        _inner.Note(line);
        Write(new("note", line, null, null, null));
    }

    public void Dispose() => _file.Dispose();

    private void Write(Line line)
    {
        var bytes = Encoding.UTF8.GetBytes(JsonSerializer.Serialize(line, JsonSerializerOptions.Web) + "\n");
        lock (_lock)
        {
            _file.Write(bytes);
            _file.Flush();
        }
    }

    private sealed record Line(string Kind, string Title, long? Done, long? Total, string? Detail)
    {
        public string T { get; } = DateTime.UtcNow.ToString("yyyy-MM-ddTHH:mm:ss.fffZ",
            System.Globalization.CultureInfo.InvariantCulture);
    }

    private sealed class Stage(ProgressFile file, IMonitoredStage inner, string title, long total) : IMonitoredStage
    {
        private readonly Lock _lock = new();
        private long _done, _written = -1, _at;
        private string? _detail;

        public void Report(long done, string? detail = null)
        {
            inner.Report(done, detail);
            lock (_lock)
            {
                (_done, _detail) = (done, detail);
                if (_written >= 0 && done < total && Stopwatch.GetElapsedTime(_at) < Between) return;
                Put("report");
            }
        }

        public void Dispose()
        {
            inner.Dispose();
            lock (_lock) Put("end");
        }

        private void Put(string kind)
        {
            (_written, _at) = (_done, Stopwatch.GetTimestamp());
            file.Write(new(kind, title, _done, total, _detail));
        }
    }
}
