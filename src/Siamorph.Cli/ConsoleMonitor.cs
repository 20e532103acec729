using Spectre.Console;

namespace Siamorph.Cli;

/// <summary>
/// Shows progress on standard error: bars with the remaining time on a terminal, plain lines in a file or pipe.
/// </summary>
internal sealed class ConsoleMonitor : IMonitor, IDisposable
{
    private readonly Lock _lock = new();
    private readonly TextWriter _error;
    private readonly ProgressBars? _bars;

    public ConsoleMonitor(TextWriter error, bool interactive, CancellationToken cancellation)
    {
        (_error, Cancellation) = (error, cancellation);
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(error) });
        if (interactive && console.Profile.Out.IsTerminal && console.Profile.Capabilities.Ansi) _bars = new ProgressBars(console);
    }

    public CancellationToken Cancellation { get; }

    public IMonitoredStage Begin(string title, long total) =>
        _bars is null ? new PlainStage(title, total, Note) : _bars.Begin(title, total);

    public void Note(string line)
    {
        if (_bars is not null)
        {
            _bars.Note(line);
            return;
        }
        lock (_lock) _error.WriteLine(line);
    }

    public void Dispose() => _bars?.Dispose();
}
