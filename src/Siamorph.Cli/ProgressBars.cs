using System.Diagnostics;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Siamorph.Cli;

/// <summary>Spectre's live bars, opened with the first stage and closed with the last; stages may nest.</summary>
internal sealed class ProgressBars(IAnsiConsole console) : IDisposable
{
    private readonly Lock _lock = new();
    private TaskCompletionSource? _allDone;
    private Task? _display;
    private ProgressContext? _context;
    private int _open;

    public IMonitoredStage Begin(string title, long total)
    {
        lock (_lock)
        {
            if (_open++ == 0) Open();
            var task = _context!.AddTask(Markup.Escape(title), maxValue: total > 0 ? total : 1);
            task.IsIndeterminate = total <= 0;
            return new Bar(this, task, title);
        }
    }

    public void Note(string line) => console.WriteLine(line);

    public void Dispose()
    {
        lock (_lock)
        {
            if (_open > 0) Close();
            _open = 0;
        }
    }

    private void Open()
    {
        var allDone = _allDone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var ready = new ManualResetEventSlim();
        _display = Task.Run(() => console.Progress().HideCompleted(true)
            .Columns(new TaskDescriptionColumn
            {
                Alignment = Justify.Left,
            }, new ProgressBarColumn { Width = 24 }, new CountColumn(),
                new RemainingTimeColumn())
            .StartAsync(context =>
            {
                _context = context;
                ready.Set();
                return allDone.Task;
            }));
        ready.Wait();
    }

    private void Close()
    {
        _allDone!.SetResult();
        _display!.Wait();
        _context = null;
    }

    private void End(ProgressTask task, string summary)
    {
        lock (_lock)
        {
            task.StopTask(); // its bar goes, the summary stays
            console.WriteLine(summary);
            if (_open > 0 && --_open == 0) Close();
        }
    }

    private sealed class Bar(ProgressBars bars, ProgressTask task, string title) : IMonitoredStage
    {
        private readonly Stopwatch _clock = Stopwatch.StartNew();
        private string? _detail;
        private bool _ended;

        public void Report(long done, string? detail = null)
        {
            if (detail is not null)
            {
                _detail = detail;
                task.Description = $"{Markup.Escape(title)} [dim]{Markup.Escape(detail)}[/]";
            }
            if (!task.IsIndeterminate) task.Value = done;
        }

        public void Dispose()
        {
            if (_ended) return;
            _ended = true;
            var total = task.IsIndeterminate ? 0 : (long)task.MaxValue;
            bars.End(task, StageSummary.Line(title, (long)task.Value, total, _clock.Elapsed, _detail));
        }
    }

    private sealed class CountColumn : ProgressColumn
    {
        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
            new Text(task.IsIndeterminate ? "" : $"{(long)task.Value}/{(long)task.MaxValue}");
    }
}
