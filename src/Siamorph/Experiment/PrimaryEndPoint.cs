namespace Siamorph.Experiment;

/// <summary>
/// The comparison that answers the question of an experiment, declared before it runs: mean test Dice of an arm against the
/// baseline (the first arm). All other comparisons are secondary, and corrected for their number.
/// </summary>
public sealed record PrimaryEndPoint
{
    /// <summary>The arm.</summary>
    public string Arm { get; init; } = "";

    /// <summary>Number of real pairs; 0 takes the largest.</summary>
    public int RealCount { get; init; }

    internal IEnumerable<string> Faults(ExperimentOptions options)
    {
        if (!options.Arms.Skip(1).Contains(Arm)) yield return $"primary.arm is '{Arm}'; name one of the arms after the first.";
        if (RealCount > 0 && !options.RealCounts.Contains(RealCount))
            yield return $"primary.realCount is {RealCount}; name one of realCounts.";
    }
}
