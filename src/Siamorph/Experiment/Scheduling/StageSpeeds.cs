using System.Diagnostics;
using Siamorph.Experiment.Stages;

namespace Siamorph.Experiment.Scheduling;

/// <summary>How long a unit of each kind of work takes here, in seconds, and what a stage takes beside its units.</summary>
internal sealed record StageSpeeds
{
    public required IReadOnlyDictionary<WorkKind, double> SecondsPerUnit { get; init; }

    /// <summary>Seconds of a step of each further segmentation network.</summary>
    public IReadOnlyDictionary<string, double> SecondsPerNetworkStep { get; init; } = new Dictionary<string, double>();

    /// <summary>Reading images, writing files, building networks: a guess that only has to be small.</summary>
    public double SecondsPerStage { get; init; } = 2;

    public double Seconds(WorkPhase phase) => phase.Units
        * (phase.Network is { } network ? SecondsPerNetworkStep.GetValueOrDefault(network, 0.1)
        : SecondsPerUnit.GetValueOrDefault(phase.Pace, 0.1));

    public double Seconds(PlannedStage stage) => SecondsPerStage + stage.Phases.Sum(Seconds);
}

/// <summary>Listens to a short run and tells how long a unit of its main part took, the first unit (warm-up) left out.</summary>
internal sealed class SpeedMonitor(IMonitor monitor) : IMonitor
{
    private readonly List<(long Total, long Done, long Ticks)> _reports = [];

    public CancellationToken Cancellation => monitor.Cancellation;

    public void Note(string line) { }

    public IMonitoredStage Begin(string title, long total) => new Part(this, total);

    /// <summary>Seconds a unit in the part of <paramref name="total"/> units, or null where it was not heard of twice.</summary>
    public double? SecondsPerUnit(long total)
    {
        var heard = _reports.Where(r => r.Total == total && r.Done < total).ToList(); // the last unit has the clearing up with it
        if (heard.Count < 2 || heard[^1].Done == heard[0].Done) return null;
        return Stopwatch.GetElapsedTime(heard[0].Ticks, heard[^1].Ticks).TotalSeconds / (heard[^1].Done - heard[0].Done);
    }

    private sealed class Part(SpeedMonitor owner, long total) : IMonitoredStage
    {
        public void Report(long done, string? detail = null) => owner._reports.Add((total, done, Stopwatch.GetTimestamp()));

        public void Dispose() { }
    }
}
