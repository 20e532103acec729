namespace Siamorph.Experiment;

/// <summary>One line of progress for many stages: their inner progress moves it by what that work was measured to take.</summary>
internal sealed class OverallProgress : IDisposable
{
    private readonly IMonitor _monitor;
    private readonly IMonitoredStage _line;
    private readonly StageSpeeds _speeds;
    private readonly int _stages;
    private double _finished;
    private int _begun;

    public OverallProgress(IMonitor monitor, IReadOnlyList<PlannedStage> remaining, StageSpeeds speeds)
    {
        (_monitor, _speeds, _stages) = (monitor, speeds, remaining.Count);
        _line = monitor.Begin("experiment, seconds of work", Math.Max(1, (long)remaining.Sum(speeds.Seconds)));
    }

    /// <summary>What a stage is given to report to; disposing it counts the stage as finished.</summary>
    public StageMonitor Begin(PlannedStage stage) => new(this, stage, $"{++_begun} of {_stages}, {stage.Kind} ({stage.Title})");

    public void Dispose() => _line.Dispose();

    internal sealed class StageMonitor(OverallProgress overall, PlannedStage stage, string title) : IMonitor, IDisposable
    {
        private readonly List<WorkPhase> _ahead = [.. stage.Phases];
        private double _done;

        public CancellationToken Cancellation => overall._monitor.Cancellation;

        public void Note(string line) => overall._monitor.Note(line);

        public IMonitoredStage Begin(string inner, long total)
        {
            // Trainers name their parts as they like; the number of units tells which part it is.
            var phase = _ahead.Find(p => p.Units == total);
            if (phase is not null) _ahead.Remove(phase);
            return new Part(this, inner, total, phase is null ? 0 : overall._speeds.Seconds(phase));
        }

        public void Dispose()
        {
            overall._finished += overall._speeds.Seconds(stage);
            overall._line.Report((long)overall._finished, title);
        }

        private void Report(double seconds, string detail) => overall._line.Report((long)(overall._finished + _done + seconds), $"{title}: {detail}");

        private sealed class Part(StageMonitor owner, string inner, long total, double seconds) : IMonitoredStage
        {
            public void Report(long done, string? detail = null)
            {
                var count = total > 0 ? $"{inner} {done}/{total}" : inner;
                owner.Report(total > 0 ? seconds * done / total : 0, detail is null ? count : $"{count}, {detail}");
            }

            public void Dispose() => owner._done += seconds;
        }
    }
}
