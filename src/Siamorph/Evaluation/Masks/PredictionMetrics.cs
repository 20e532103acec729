using Siamorph.Imaging;

namespace Siamorph.Evaluation.Masks;

/// <summary>Every measure of one prediction.</summary>
internal sealed record PredictionMetrics : MaskMetrics
{
    /// <summary>Which image.</summary>
    public required string Id { get; init; }

    /// <summary>Its patient, sequence or other group; null where unknown.</summary>
    public string? Group { get; init; }

    /// <summary>Class of the truth's area, see <see cref="SizeClasses"/>.</summary>
    public required string Size { get; init; }

    /// <summary>True lesions.</summary>
    public required int Lesions { get; init; }

    /// <summary>True lesions that were not found.</summary>
    public required int Missed { get; init; }

    /// <summary>Claimed regions where nothing is.</summary>
    public required int FalseAlarms { get; init; }

    /// <summary>The truth has no foreground.</summary>
    public required bool EmptyTruth { get; init; }

    /// <summary>The decision has no foreground.</summary>
    public required bool EmptyPrediction { get; init; }
}

// The measures of one image with what a set needs besides.
internal sealed record MeasuredMask(PredictionMetrics Measures, ThresholdCurves Curves, LesionDetection Detection)
{
    public static MeasuredMask Of(
        string id, string? group, LabelMap truth, ProbabilityMap prediction, MaskEvaluationOptions options)
    {
        var protocol = MaskProtocol.Named(options.Protocol);
        var decision = prediction.ToMask();
        var counts = Confusion.AtHalf(truth, prediction);
        var curves = ThresholdMetrics.Curves(truth, prediction, protocol.Stretch);
        var surface = SurfaceDistances.Between(truth, decision);
        var detection = LesionDetection.Of(truth, decision, options.Detection);
        var foreground = counts.TruePositive + counts.FalseNegative;
        var measures = new PredictionMetrics
        {
            Id = id,
            Group = group,
            Size = options.Sizes.NameOf((double)foreground / truth.Labels.Length),
            Dice = protocol.OverThresholds ? curves.Dice.Average() : counts.Dice,
            Iou = protocol.OverThresholds ? curves.Iou.Average() : counts.Iou,
            DiceAtHalf = counts.Dice,
            IouAtHalf = counts.Iou,
            ThresholdedIou = counts.ThresholdedIou,
            Precision = counts.Precision,
            Recall = counts.Recall,
            Specificity = counts.Specificity,
            Mae = ThresholdMetrics.MeanAbsoluteError(truth, prediction, protocol.Stretch),
            SMeasure = StructureMeasure.Of(truth, prediction, protocol.Stretch),
            MeanEMeasure = curves.EMeasure.Average(),
            MaxEMeasure = curves.EMeasure.Max(),
            WeightedF = WeightedFMeasure.Of(truth, prediction, protocol.Stretch),
            Hd95 = SurfaceDistances.Hd95OrDiagonal(truth, decision, surface),
            Hd95MaxDirected = surface?.Hd95MaxDirected,
            AverageSurfaceDistance = surface?.AverageSymmetric,
            BoundaryF = BoundaryMetrics.FMeasure(truth, decision),
            BoundaryIou = BoundaryMetrics.BoundaryIou(truth, decision),
            Lesions = detection.Lesions.Count,
            Missed = detection.Missed,
            FalseAlarms = detection.FalseAlarms,
            EmptyTruth = foreground == 0,
            EmptyPrediction = counts.TruePositive + counts.FalsePositive == 0,
        };
        return new(measures, curves, detection);
    }
}
