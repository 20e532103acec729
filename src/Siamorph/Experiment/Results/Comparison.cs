using System.Text.Json.Serialization;

namespace Siamorph.Experiment.Results;

/// <summary>What the comparison of an arm with the baseline allows to say.</summary>
internal enum Verdict
{
    /// <summary>The interval includes zero.</summary>
    NoEvidence,

    /// <summary>The whole interval lies above zero.</summary>
    Higher,

    /// <summary>The whole interval lies below zero.</summary>
    Lower,
}

/// <summary>An arm against the baseline: same test images, same seeds.</summary>
internal sealed record Comparison
{
    /// <summary>Real training pairs in both arms.</summary>
    public required int RealCount { get; init; }

    /// <summary>Name of the baseline arm.</summary>
    public required string Baseline { get; init; }

    /// <summary>Name of the arm.</summary>
    public required string Arm { get; init; }

    /// <summary>External test set on which they are compared, or "all"; null for the data's own test split.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Set { get; init; }

    /// <summary>Mean test Dice of the baseline over images and seeds.</summary>
    public required double BaselineDice { get; init; }

    /// <summary>Mean test Dice of the arm over images and seeds.</summary>
    public required double ArmDice { get; init; }

    /// <summary>Arm minus baseline.</summary>
    public required double Difference { get; init; }

    /// <summary>Lower end of the 95 % interval of the difference.</summary>
    public required double Low { get; init; }

    /// <summary>Upper end of the 95 % interval of the difference.</summary>
    public required double High { get; init; }

    /// <summary>Difference of each seed, in the order of the seeds.</summary>
    public required IReadOnlyList<double> PerSeed { get; init; }

    /// <summary>Test images.</summary>
    public required int Images { get; init; }

    /// <summary>Independent units among the test images that were drawn (groups where known, else images).</summary>
    public required int Units { get; init; }

    /// <summary>More about the difference; null in results of older versions.</summary>
    public ComparisonStatistics? Statistics { get; init; }

    /// <summary>
    /// What may be said: the interval has to leave out zero, and a secondary comparison has to stand Holm's correction too.
    /// </summary>
    public Verdict Verdict => Statistics is { AdjustedP: >= 0.05 } ? Verdict.NoEvidence : Low > 0 ? Verdict.Higher
        : High < 0 ? Verdict.Lower : Verdict.NoEvidence;
}
