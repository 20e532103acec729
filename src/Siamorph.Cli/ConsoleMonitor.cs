using System.Text;
using Spectre.Console;

namespace Siamorph.Cli;

/// <summary>
/// Shows progress on standard error: bars with the remaining time on a terminal, plain lines in a file or pipe, and on a
/// terminal that is (or becomes) too narrow for bars or does not say how wide it is.
/// </summary>
internal sealed class ConsoleMonitor : IMonitor, IDisposable
{
    /// <summary>
    /// Columns below which there are no bars: the library that draws them never ends on a few columns (its issue 2193).
    /// </summary>
    public const int FewestColumns = 40;

    private readonly Lock _lock = new();
    private readonly TextWriter _error;
    private readonly Func<int> _columns;
    private ProgressBars? _bars;

    public ConsoleMonitor(TextWriter error, bool interactive, CancellationToken cancellation)
    {
        (_error, Cancellation) = (error, cancellation);
        var output = new AnsiConsoleOutput(error);
        _columns = () => output.Width;
        if (!interactive || IsNarrow()) return;
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new WideOutput(output) });
        if (console.Profile.Out.IsTerminal && console.Profile.Capabilities.Ansi) _bars = new ProgressBars(console);
    }

    // For tests: a terminal of any width, which may change.
    internal ConsoleMonitor(TextWriter error, Func<int> columns, CancellationToken cancellation)
    {
        (_error, _columns, Cancellation) = (error, columns, cancellation);
        if (IsNarrow()) return;
        _bars = new ProgressBars(AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.Yes, Interactive = InteractionSupport.Yes,
            Out = new WideOutput(new AnsiConsoleOutput(error), columns),
        }));
    }

    public CancellationToken Cancellation { get; }

    /// <summary>Whether bars are drawn now.</summary>
    internal bool DrawsBars => Bars() is not null;

    public IMonitoredStage Begin(string title, long total) => new Stage(this, title, total);

    public void Note(string line)
    {
        if (Bars() is { } bars) bars.Note(line);
        else lock (_lock) _error.WriteLine(line);
    }

    public void Dispose() => _bars?.Dispose();

    private bool IsNarrow() => _columns() < FewestColumns;

    // Null for plain lines. A terminal that was once too narrow gets no bars again.
    private ProgressBars? Bars()
    {
        lock (_lock)
        {
            if (_bars is null || !IsNarrow()) return _bars;
            _bars.Dispose();
            return _bars = null;
        }
    }

    // Goes on in plain lines where the bars went away.
    private sealed class Stage(ConsoleMonitor monitor, string title, long total) : IMonitoredStage
    {
        private readonly Lock _lock = new();
        private bool _isBar = monitor.Bars() is not null;
        private IMonitoredStage _shown = Shown(monitor, title, total);

        public void Report(long done, string? detail = null)
        {
            lock (_lock)
            {
                Follow();
                _shown.Report(done, detail);
            }
        }

        public void Dispose()
        {
            lock (_lock)
            {
                Follow();
                _shown.Dispose();
            }
        }

        private static IMonitoredStage Shown(ConsoleMonitor monitor, string title, long total) =>
            monitor.Bars() is { } bars ? bars.Begin(title, total) : new PlainProgress(title, total, monitor.Note);

        private void Follow()
        {
            if (!_isBar || monitor.Bars() is not null) return;
            (_isBar, _shown) = (false, new PlainProgress(title, total, monitor.Note));
        }
    }

    // Never tells of fewer columns than bars need, so that one that shrinks between two looks does not hang them.
    private sealed class WideOutput(AnsiConsoleOutput inner, Func<int>? columns = null) : IAnsiConsoleOutput
    {
        public TextWriter Writer => inner.Writer;

        public bool IsTerminal => columns is not null || inner.IsTerminal;

        public int Width => Math.Max(FewestColumns, columns?.Invoke() ?? inner.Width);

        public int Height => Math.Max(10, inner.Height);

        public void SetEncoding(Encoding encoding) => inner.SetEncoding(encoding);
    }
}
