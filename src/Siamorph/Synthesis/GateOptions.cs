namespace Siamorph.Synthesis;

/// <summary>How the gate chooses among the pairs that pass.</summary>
public enum GateSelection
{
    /// <summary>The first ones.</summary>
    InOrder,

    /// <summary>Those that the segmentation networks trained on real pairs find hardest.</summary>
    Difficulty,
}

/// <summary>How synthetic pairs are tested by the quality gate, and how many candidates are generated.</summary>
public sealed record GateOptions
{
    /// <summary>Candidates generated for each pair needed.</summary>
    public double Candidates { get; init; } = 2;

    /// <summary>Share of held-out real pairs that each single test would refuse: this sets all thresholds; in (0, 0.5).</summary>
    public double RefusedReal { get; init; } = 0.05;

    /// <summary>Number of segmentation networks trained on the real pairs, each without its own fold.</summary>
    public int Folds { get; init; } = 3;

    /// <summary>Optimizer steps of each of these networks; by default half of the experiment's.</summary>
    public int? Steps { get; init; }

    /// <summary>How to choose among the pairs that pass.</summary>
    public GateSelection Selection { get; init; }

    /// <summary>Checks all options.</summary>
    /// <exception cref="InvalidOptionsException">Lists every fault.</exception>
    public void Validate()
    {
        var faults = new List<string>();
        if (!(Candidates >= 1 && double.IsFinite(Candidates)))
            faults.Add(FormattableString.Invariant($"candidates is {Candidates}; at least 1 is needed."));
        if (RefusedReal is not (> 0 and < 0.5))
            faults.Add(FormattableString.Invariant($"refusedReal is {RefusedReal}; it must be in (0, 0.5)."));
        if (Folds < 2) faults.Add($"folds is {Folds}; at least 2 are needed.");
        if (Steps < 1) faults.Add($"steps is {Steps}; at least 1 is needed.");
        if (faults.Count > 0) throw new InvalidOptionsException(faults);
    }
}
