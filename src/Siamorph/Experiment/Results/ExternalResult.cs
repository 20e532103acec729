namespace Siamorph.Experiment.Results;

/// <summary>What a network scored on sets of other hospitals.</summary>
/// <param name="Sets">One for each set.</param>
internal sealed record ExternalOutcome(IReadOnlyList<ExternalScores> Sets);

/// <summary>What a network scored on one set.</summary>
/// <param name="Name">The set.</param>
/// <param name="Dice">Of each image.</param>
/// <param name="Iou">Of each image.</param>
internal sealed record ExternalScores(string Name, IReadOnlyList<double> Dice, IReadOnlyList<double> Iou);

/// <summary>How an arm does on a set of another hospital, or on all such sets together.</summary>
internal sealed record ExternalResult
{
    /// <summary>Real training pairs.</summary>
    public required int RealCount { get; init; }

    /// <summary>Name of the arm.</summary>
    public required string Arm { get; init; }

    /// <summary>Name of the set; null for all sets together, each image counting once.</summary>
    public string? Set { get; init; }

    /// <summary>Number of images.</summary>
    public required int Images { get; init; }

    /// <summary>Mean Dice over images and seeds.</summary>
    public required double Dice { get; init; }

    /// <summary>Mean IoU over images and seeds.</summary>
    public required double Iou { get; init; }

    /// <summary>The arm against the baseline; null for the baseline.</summary>
    public ArmDifference? Difference { get; init; }
}
