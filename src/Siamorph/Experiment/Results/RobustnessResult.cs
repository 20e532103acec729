using Siamorph.Evaluation.Statistics;
using Siamorph.Imaging;
using Siamorph.Segmentation;

namespace Siamorph.Experiment.Results;

/// <summary>What a network scored on corrupted test images.</summary>
/// <param name="Conditions">One for each kind and strength.</param>
internal sealed record RobustnessOutcome(IReadOnlyList<CorruptedScores> Conditions);

/// <summary>How an arm does on test images that were corrupted in one way, or in all ways together.</summary>
internal sealed record RobustnessResult
{
    /// <summary>Real training pairs.</summary>
    public required int RealCount { get; init; }

    /// <summary>Name of the arm.</summary>
    public required string Arm { get; init; }

    /// <summary>The kind of corruption; null for the mean over all kinds and strengths.</summary>
    public CorruptionKind? Corruption { get; init; }

    /// <summary>1 to 3; 0 where <see cref="Corruption"/> is null.</summary>
    public required int Strength { get; init; }

    /// <summary>Mean Dice over images and seeds.</summary>
    public required double Dice { get; init; }

    /// <summary>The same on the images as they are.</summary>
    public required double CleanDice { get; init; }

    /// <summary>The arm against the baseline under the same corruption; null for the baseline.</summary>
    public ArmDifference? Difference { get; init; }
}

/// <summary>A difference in mean Dice, arm minus baseline.</summary>
/// <param name="Mean">The mean over seeds and images.</param>
/// <param name="Low">Lower end of its 95 % interval.</param>
/// <param name="High">Upper end.</param>
internal sealed record ArmDifference(double Mean, double Low, double High)
{
    /// <summary>By a bootstrap over seeds and units.</summary>
    /// <param name="arm">Dice of each image, a row a seed.</param>
    /// <param name="baseline">The same of the baseline.</param>
    /// <param name="groups">Patient or sequence of each image; null where unknown.</param>
    /// <param name="draws">Draws of the bootstrap.</param>
    /// <param name="seed">Decides them.</param>
    internal static ArmDifference Of(
        IEnumerable<IReadOnlyList<double>> arm, IEnumerable<IReadOnlyList<double>> baseline, IReadOnlyList<string?> groups,
        int draws, Seed seed)
    {
        var rows = arm.Zip(baseline, (a, b) => (IReadOnlyList<double>)[.. a.Zip(b, (x, y) => x - y)]).ToList();
        var e = PairedComparison.Estimate(rows, groups, draws, seed);
        return new(Math.Round(e.Difference, 6), Math.Round(e.Low, 6), Math.Round(e.High, 6));
    }
}
