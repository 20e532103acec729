namespace Siamorph.Experiment.Results;

/// <summary>What else is known about a comparison.</summary>
internal sealed record ComparisonStatistics
{
    /// <summary>Whether this comparison was declared before the run as the one that answers the question.</summary>
    public required bool Primary { get; init; }

    /// <summary>Standard error of the difference, from seeds and test images together.</summary>
    public required double StandardError { get; init; }

    /// <summary>The smallest true difference that this experiment finds four times in five.</summary>
    public required double MinimumDetectable { get; init; }

    /// <summary>
    /// Two-sided probability by Wilcoxon's signed-rank test over test units (groups, else images), scores averaged over seeds.
    /// </summary>
    public required double WilcoxonP { get; init; }

    /// <summary>The same after Holm's correction for all secondary comparisons; null for the primary one.</summary>
    public double? AdjustedP { get; init; }

    /// <summary>Mean difference of the images in their standard deviations (Cohen's d_z), scores averaged over seeds.</summary>
    public required double Effect { get; init; }

    /// <summary>Share of images and seeds in which the arm is better, equal ones half.</summary>
    public required double Superiority { get; init; }

    /// <summary>Missed lesions per 100 test images under baseline and arm; null where not counted.</summary>
    public RatePerHundred? Missed { get; init; }

    /// <summary>False alarms per 100 test images under baseline and arm; null where not counted.</summary>
    public RatePerHundred? FalseAlarms { get; init; }

    /// <summary>The difference in parts of the test images.</summary>
    public required IReadOnlyList<SubgroupResult> Subgroups { get; init; }
}

/// <summary>A count per 100 images.</summary>
/// <param name="Baseline">Under the baseline.</param>
/// <param name="Arm">Under the arm.</param>
internal sealed record RatePerHundred(double Baseline, double Arm);

/// <summary>The difference in one part of the test images.</summary>
/// <param name="Kind">What divides them: "lesion size", "centre", "group".</param>
/// <param name="Name">Which part.</param>
/// <param name="Images">Its images.</param>
/// <param name="Difference">Mean difference in Dice, arm minus baseline.</param>
/// <param name="Low">Lower end of its 95 % interval.</param>
/// <param name="High">Upper end.</param>
internal sealed record SubgroupResult(string Kind, string Name, int Images, double Difference, double Low, double High);

/// <summary>The wrong-mask control: the same synthetic images with right and with shuffled masks.</summary>
/// <param name="RealCount">Real training pairs.</param>
/// <param name="Arm">The arm with wrong masks.</param>
/// <param name="Against">The arm it is held against: the same pairs with right masks where that arm ran, else the
/// baseline.</param>
/// <param name="Difference">Mean difference in Dice, wrong minus right.</param>
/// <param name="Low">Lower end of its 95 % interval.</param>
/// <param name="High">Upper end.</param>
internal sealed record MaskControl(int RealCount, string Arm, string Against, double Difference, double Low, double High)
{
    /// <summary>Wrong masks hurt, as they must. Where they do not, the measurement can't tell good pairs from bad ones.</summary>
    public bool Hurts => High < 0;
}
