using Siamorph.Imaging;
using Siamorph.Segmentation;

namespace Siamorph.Experiment;

/// <summary>What a network scored on corrupted test images.</summary>
/// <param name="Conditions">One for each kind and strength.</param>
public sealed record RobustnessOutcome(IReadOnlyList<CorruptedScores> Conditions);

/// <summary>How an arm does on test images that were corrupted in one way, or in all ways together.</summary>
public sealed record RobustnessResult
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
public sealed record ArmDifference(double Mean, double Low, double High);
