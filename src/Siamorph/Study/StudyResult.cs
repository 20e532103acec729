using Siamorph.Evaluation.Statistics;
using Siamorph.Imaging;

namespace Siamorph.Study;

/// <summary>results.json: all that a report shows.</summary>
internal sealed record StudyResult
{
    public required string Product { get; init; }

    /// <summary>SHA-256 of study.json.</summary>
    public required string Study { get; init; }

    public required StudyOptions Options { get; init; }
    public required ImageSize Size { get; init; }
    public required DateTimeOffset Created { get; init; }
    public required DateTimeOffset Unsealed { get; init; }
    public required IReadOnlyList<string> ModelHashes { get; init; }
    public required RealismResult Realism { get; init; }

    /// <summary>The primary with every reader who finished, also those left out; null where nobody was.</summary>
    public AccuracyResult? Everyone { get; init; }

    public ScaleResult? Quality { get; init; }
    public ScaleResult? Shape { get; init; }
    public OutlineResult? Outlines { get; init; }

    /// <summary>Secondary tests, with Holm's correction for all of them together.</summary>
    public required IReadOnlyList<SecondaryTest> Tests { get; init; }

    public required IReadOnlyList<ReaderResult> Readers { get; init; }
    public required IReadOnlyList<ImageResult> Images { get; init; }
    public required IReadOnlyList<AnswerTimes> Times { get; init; }
}

/// <summary>A number with its 95 % interval.</summary>
internal sealed record ValueWithInterval(double Value, double Low, double High)
{
    public static ValueWithInterval Of(CrossedEstimate estimate, double low = double.NegativeInfinity,
        double high = double.PositiveInfinity)
    {
        var interval = estimate.At(0.95).Within(low, high);
        return new(estimate.Value, interval.Low, interval.High);
    }
}

/// <summary>The primary: how often readers were right.</summary>
/// <param name="Accuracy">Mean of the shares of real and of synthetic images that were named right.</param>
/// <param name="Low90">Lower end of the 90 % interval, for equivalence.</param>
/// <param name="High90">Its upper end.</param>
/// <param name="Verdict">What may be said.</param>
/// <param name="StandardError">Of the accuracy.</param>
/// <param name="DegreesOfFreedom">Of Student's t; infinite where nothing varies.</param>
/// <param name="Binomial">The interval that takes all answers for independent: too narrow, for comparison.</param>
/// <param name="Readers">How many.</param>
/// <param name="Images">How many.</param>
internal sealed record AccuracyResult(
    ValueWithInterval Accuracy, double Low90, double High90, Discrimination Verdict, double StandardError,
    double DegreesOfFreedom,
    ValueWithInterval Binomial, int Readers, int Images);

/// <summary>What was answered about realism.</summary>
internal sealed record RealismResult
{
    public required AccuracyResult Primary { get; init; }

    /// <summary>Share of real images that were called real.</summary>
    public required double RealRight { get; init; }

    /// <summary>Share of synthetic images that were called synthetic.</summary>
    public required double SyntheticRight { get; init; }

    /// <summary>d′ of all answers together.</summary>
    public required double Sensitivity { get; init; }

    /// <summary>c of all answers together: above 0 readers lean to "real".</summary>
    public required double Criterion { get; init; }

    /// <summary>Mean of the readers' areas under the ROC curve.</summary>
    public required ValueWithInterval Auc { get; init; }

    /// <summary>The area of all answers together, as one curve.</summary>
    public required double PooledAuc { get; init; }

    /// <summary>Fleiss' kappa of readers with each other about real or synthetic; not a number where it can't be.</summary>
    public required double Agreement { get; init; }

    /// <summary>Weighted kappa of readers with themselves about images shown twice; null where none were.</summary>
    public double? RepeatAgreement { get; init; }

    public int RepeatPairs { get; init; }

    /// <summary>The same between the first and the second session; null where nobody had one.</summary>
    public double? SessionAgreement { get; init; }
}

/// <summary>What was rated on five points.</summary>
internal sealed record ScaleResult
{
    public required ValueWithInterval Real { get; init; }
    public required ValueWithInterval Synthetic { get; init; }

    /// <summary>Synthetic minus real.</summary>
    public required ValueWithInterval Difference { get; init; }

    /// <summary>Whether the interval of the difference lies above the margin.</summary>
    public required bool NonInferior { get; init; }

    /// <summary>ICC(2,1).</summary>
    public required double Single { get; init; }

    /// <summary>ICC(2,k).</summary>
    public required double Mean { get; init; }

    /// <summary>Answers 1 to 5 about real images.</summary>
    public required IReadOnlyList<int> RealCounts { get; init; }

    public required IReadOnlyList<int> SyntheticCounts { get; init; }
    public required int Readers { get; init; }
}

/// <summary>How well readers' outlines fit the masks.</summary>
internal sealed record OutlineResult(
    ValueWithInterval Real, ValueWithInterval Synthetic, ValueWithInterval Difference, int Readers, int Images);

/// <summary>A test besides the primary one.</summary>
internal sealed record SecondaryTest(string Name, double Expected, ValueWithInterval Estimate, double P, double AdjustedP);

/// <summary>A reader's own numbers; what was not finished is null.</summary>
internal sealed record ReaderResult(string Reader, string Specialty, double? Years, ReaderDisplay Display)
{
    /// <summary>Why this reader does not count; null where the reader does.</summary>
    public string? LeftOut { get; init; }

    public int? CatchMisses { get; init; }
    public ValueWithInterval? Accuracy { get; init; }
    public double? RealRight { get; init; }
    public double? SyntheticRight { get; init; }
    public double? Auc { get; init; }
    public double? Sensitivity { get; init; }
    public double? Criterion { get; init; }

    /// <summary>Answers 1 to 6 about real images.</summary>
    public IReadOnlyList<int>? RealAnswers { get; init; }

    public IReadOnlyList<int>? SyntheticAnswers { get; init; }
    public double? QualityReal { get; init; }
    public double? QualitySynthetic { get; init; }
    public double? MedianSeconds { get; init; }
    public int Sessions { get; init; }
}

/// <summary>What readers made of an image.</summary>
internal sealed record ImageResult(string Item, bool Synthetic, string Pair, int Third, double Area, double CalledSynthetic,
    double MeanAnswer)
{
    public double? Quality { get; init; }
    public double? Shape { get; init; }
    public double? Dice { get; init; }
}

/// <summary>How long answers took, pauses excluded.</summary>
internal sealed record AnswerTimes(StudyBlock Block, double Median, double Quartile, double ThirdQuartile,
    IReadOnlyList<double> Seconds);
