namespace Siamorph.Experiment;

/// <summary>
/// The comparison that answers the question of an experiment, declared before it runs: mean Dice of an arm against the
/// baseline (the first arm), on the test split or on an external test set. All other comparisons are
/// secondary, and corrected for their number.
/// </summary>
public sealed record PrimaryEndPoint
{
    /// <summary>The arm.</summary>
    public string Arm { get; init; } = "";

    /// <summary>Number of real pairs; 0 takes the largest.</summary>
    public int RealCount { get; init; }

    /// <summary>
    /// Name of the external test set that decides, or "all" for all of them together; empty for the data's own test split.
    /// </summary>
    public string Set { get; init; } = "";

    internal const string AllSets = "all";

    /// <summary>What is measured: "test Dice", or "Dice on CVC" where that external test set decides.</summary>
    internal static string Measure(string? set) => set switch
    {
        null or "" => "test Dice",
        AllSets => "Dice on all external test sets together",
        _ => $"Dice on {set}",
    };

    internal IEnumerable<string> Faults(ExperimentOptions options)
    {
        if (!options.Arms.Skip(1).Contains(Arm)) yield return $"primary.arm is '{Arm}'; name one of the arms after the first.";
        if (RealCount > 0 && !options.RealCounts.Contains(RealCount))
            yield return $"primary.realCount is {RealCount}; name one of realCounts.";
        var sets = options.ExternalTest.Select(t => NamedPath.Of(t).Name).ToList();
        if (Set.Length > 0 && !(Set == AllSets && sets.Count > 0) && !sets.Contains(Set))
            yield return sets.Count == 0
                ? $"primary.set is '{Set}', but there is no external test set. Name one with externalTest ({Set}=FOLDER)."
                : $"primary.set is '{Set}'; name one of the external test sets ({string.Join(", ", sets)}), or \"all\".";
    }
}
