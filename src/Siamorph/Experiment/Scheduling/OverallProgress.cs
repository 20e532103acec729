namespace Siamorph.Experiment.Scheduling;

/// <summary>One line of progress for many stages: their inner progress moves it by what that work was measured to take.</summary>
internal sealed class OverallProgress : IDisposable
{
    private readonly IMonitor _monitor;
    private readonly IMonitoredStage _line;
    private readonly StageSpeeds _speeds;
    private readonly int _stages;
    private readonly HashSet<RemainingStage> _counted = [];
    private double _finished;

    public OverallProgress(IMonitor monitor, IReadOnlyList<RemainingStage> remaining, StageSpeeds speeds)
    {
        (_monitor, _speeds, _stages) = (monitor, speeds, remaining.Count);
        _line = monitor.Begin("Experiment, seconds of work", Math.Max(1, (long)remaining.Sum(s => s.Seconds(speeds))));
    }

    /// <summary>What a stage is given to report to.</summary>
    public StageMonitor Begin(RemainingStage stage) =>
        new(this, stage, $"{_counted.Count + 1} of {_stages}, {stage.Stage.Kind.Name} ({stage.Stage.Title})");

    /// <summary>Counts a stage as finished, here or by another process.</summary>
    public void Count(RemainingStage stage)
    {
        if (!_counted.Add(stage)) return;
        _finished += stage.Seconds(_speeds);
        _line.Report((long)_finished, $"{_counted.Count} of {_stages} done, last {stage.Stage.Kind.Name} ({stage.Stage.Title})");
    }

    /// <summary>Says what is waited for while other processes hold every stage that could be worked on.</summary>
    public void Wait(IReadOnlyList<RemainingStage> held)
    {
        if (held.Count == 0) return;
        var others = held.Count == 1 ? "another process works on" : $"other processes work on {held.Count} stages, such as";
        _line.Report((long)_finished,
            $"{_counted.Count} of {_stages} done; {others} {held[0].Stage.Kind.Name} ({held[0].Stage.Title})");
    }

    public void Dispose() => _line.Dispose();

    internal sealed class StageMonitor(OverallProgress overall, RemainingStage stage, string title) : IMonitor
    {
        private readonly List<RemainingPhase> _ahead = [.. stage.Phases];
        private double _done;

        public CancellationToken Cancellation => overall._monitor.Cancellation;

        public void Note(string line) => overall._monitor.Note(line);

        public IMonitoredStage Begin(string inner, long total)
        {
            // Trainers name their parts as they like; the number of units tells which phase it is.
            var phase = _ahead.Find(p => p.Phase.Units == total);
            if (phase is not null) _ahead.Remove(phase);
            return new Part(this, inner, total, phase);
        }

        private sealed class Part(StageMonitor owner, string inner, long total, RemainingPhase? phase) : IMonitoredStage
        {
            private double _seconds;

            public void Report(long done, string? detail = null)
            {
                _seconds = phase is null ? 0 : phase.Seconds(owner.Overall._speeds) * phase.Share(done);
                var count = total > 0 ? $"{inner} {done}/{total}" : inner;
                owner.Overall._line.Report((long)(owner.Overall._finished + owner._done + _seconds),
                    $"{owner.Title}: {(detail is null ? count : $"{count}, {detail}")}");
            }

            public void Dispose() => owner._done += _seconds;
        }

        private OverallProgress Overall => overall;

        private string Title => title;
    }
}
