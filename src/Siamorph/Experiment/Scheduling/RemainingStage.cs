using Siamorph.Experiment.Stages;

namespace Siamorph.Experiment.Scheduling;

/// <summary>A stage that is not finished, with what an interrupted run has already done of its phases.</summary>
internal sealed class RemainingStage
{
    /// <param name="stage">The stage.</param>
    /// <param name="stepsDone">Steps that it will not repeat, counted through its phases.</param>
    public RemainingStage(PlannedStage stage, long stepsDone)
    {
        Stage = stage;
        var phases = new List<RemainingPhase>();
        foreach (var phase in stage.Phases)
        {
            var done = Math.Min(stepsDone, phase.Units);
            stepsDone -= done;
            if (done < phase.Units) phases.Add(new(phase, done));
        }
        Phases = phases;
    }

    public PlannedStage Stage { get; }

    /// <summary>The phases that have units left, in order.</summary>
    public IReadOnlyList<RemainingPhase> Phases { get; }

    public double Seconds(StageSpeeds speeds) => speeds.SecondsPerStage + Phases.Sum(p => p.Seconds(speeds));
}

/// <summary>A phase and how many of its units are done already.</summary>
internal sealed record RemainingPhase(WorkPhase Phase, long Done)
{
    public double Seconds(StageSpeeds speeds) => speeds.Seconds(Phase) * (Phase.Units - Done) / Phase.Units;

    /// <summary>The share of what was left that is done when the phase reports <paramref name="units"/>.</summary>
    public double Share(long units) => Math.Clamp((double)(units - Done) / (Phase.Units - Done), 0, 1);
}
