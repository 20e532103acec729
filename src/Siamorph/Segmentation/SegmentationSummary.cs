namespace Siamorph.Segmentation;

/// <summary>What a training run came to; <c>summary.json</c> in its folder, written last.</summary>
public sealed record SegmentationSummary
{
    /// <summary>The options of the run.</summary>
    public required SegmentationOptions Options { get; init; }

    /// <summary>Step after which the kept weights were taken, 1 …</summary>
    public required int BestStep { get; init; }

    /// <summary>Mean Dice at 0.5 of the validation split with the kept weights.</summary>
    public required double BestValidationDice { get; init; }

    /// <summary>Real and synthetic training pairs.</summary>
    public required int RealPairs { get; init; }

    /// <inheritdoc cref="RealPairs"/>
    public required int SyntheticPairs { get; init; }

    /// <summary>Training images without masks.</summary>
    public int UnlabelledImages { get; init; }

    /// <summary>Validation pairs.</summary>
    public required int ValidationPairs { get; init; }

    /// <summary>Trainable parameters of the network.</summary>
    public required long Parameters { get; init; }

    /// <summary>Wall-clock time of the training, in seconds (of all its parts, where it was resumed).</summary>
    public required double Seconds { get; init; }

    /// <summary>SHA-256 of <c>model.safetensors</c>, hexadecimal.</summary>
    public required string ModelHash { get; init; }

    /// <summary>Each look at the validation split, in order.</summary>
    public required IReadOnlyList<ValidationPoint> History { get; init; }
}

/// <summary>One look at the validation split.</summary>
/// <param name="Step">Optimizer steps done.</param>
/// <param name="TrainLoss">Mean training loss since the last look.</param>
/// <param name="ValidationLoss">Mean loss over the validation split.</param>
/// <param name="Dice">Mean Dice at 0.5 over the validation split.</param>
/// <param name="Iou">Mean IoU at 0.5 over the validation split.</param>
public sealed record ValidationPoint(int Step, double TrainLoss, double ValidationLoss, double Dice, double Iou);
