using Siamorph.Imaging;

namespace Siamorph.Evaluation;

/// <summary>Every measure of one prediction. Dice and IoU follow the protocol; what is decided is decided at 0.5.</summary>
public sealed record MaskMeasures
{
    /// <summary>Which image.</summary>
    public required string Id { get; init; }

    /// <summary>Its patient, sequence or other group; null where unknown.</summary>
    public string? Group { get; init; }

    /// <summary>Class of the truth's area, see <see cref="SizeClasses"/>.</summary>
    public required string Size { get; init; }

    /// <summary>Dice of the protocol, in [0,1]; likewise <see cref="Iou"/>.</summary>
    public required double Dice { get; init; }

    /// <inheritdoc cref="Dice"/>
    public required double Iou { get; init; }

    /// <summary>Dice of the decision at 0.5, in [0,1]; likewise the next five.</summary>
    public required double DiceAtHalf { get; init; }

    /// <inheritdoc cref="DiceAtHalf"/>
    public required double IouAtHalf { get; init; }

    /// <summary>IoU at 0.5 where it reaches 0.65, else 0 (ISIC 2018).</summary>
    public required double ThresholdedIou { get; init; }

    /// <summary>Share of the claimed pixels that are right.</summary>
    public required double Precision { get; init; }

    /// <summary>Share of the true pixels that are claimed; also called sensitivity.</summary>
    public required double Recall { get; init; }

    /// <summary>Share of the background that is left alone.</summary>
    public required double Specificity { get; init; }

    /// <summary>Mean absolute error of the map, in [0,1].</summary>
    public required double Mae { get; init; }

    /// <summary>S-measure of the map, in [0,1].</summary>
    public required double SMeasure { get; init; }

    /// <summary>E-measure, mean over 256 thresholds.</summary>
    public required double MeanEMeasure { get; init; }

    /// <summary>E-measure at the best threshold.</summary>
    public required double MaxEMeasure { get; init; }

    /// <summary>Weighted F-measure of the map, in [0,1].</summary>
    public required double WeightedF { get; init; }

    /// <summary>95th percentile of both borders' distances pooled, in pixels; 0 where both masks are empty, the diagonal where one is.</summary>
    public required double Hd95 { get; init; }

    /// <summary>The larger of the two directions' 95th percentiles, in pixels; null where a mask is empty.</summary>
    public required double? Hd95MaxDirected { get; init; }

    /// <summary>Mean of the two directions' mean distances, in pixels; null where a mask is empty.</summary>
    public required double? AverageSurfaceDistance { get; init; }

    /// <summary>Boundary F-measure of DAVIS, in [0,1].</summary>
    public required double BoundaryF { get; init; }

    /// <summary>Boundary IoU, in [0,1].</summary>
    public required double BoundaryIou { get; init; }

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
internal sealed record MeasuredMask(MaskMeasures Measures, ThresholdCurves Curves, LesionDetection Detection)
{
    public static MeasuredMask Of(string id, string? group, LabelMap truth, ProbabilityMap prediction, MaskEvaluationOptions options)
    {
        var protocol = MaskProtocol.Named(options.Protocol);
        var decision = prediction.ToMask();
        var counts = Confusion.AtHalf(truth, prediction);
        var curves = MaskMetrics.Curves(truth, prediction, protocol.Stretch);
        var surface = SurfaceDistances.Between(truth, decision);
        var detection = LesionDetection.Of(truth, decision, options.Detection);
        var foreground = counts.TruePositive + counts.FalseNegative;
        var measures = new MaskMeasures
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
            Mae = MaskMetrics.MeanAbsoluteError(truth, prediction, protocol.Stretch),
            SMeasure = StructureMeasure.Of(truth, prediction, protocol.Stretch),
            MeanEMeasure = curves.EMeasure.Average(),
            MaxEMeasure = curves.EMeasure.Max(),
            WeightedF = WeightedFMeasure.Of(truth, prediction, protocol.Stretch),
            Hd95 = SurfaceDistances.Hd95OrDiagonal(truth, decision, surface),
            Hd95MaxDirected = surface?.Hd95MaxDirected,
            AverageSurfaceDistance = surface?.AverageSymmetric,
            BoundaryF = BoundaryMeasures.FMeasure(truth, decision),
            BoundaryIou = BoundaryMeasures.BoundaryIou(truth, decision),
            Lesions = detection.Lesions.Count,
            Missed = detection.Missed,
            FalseAlarms = detection.FalseAlarms,
            EmptyTruth = foreground == 0,
            EmptyPrediction = counts.TruePositive + counts.FalsePositive == 0,
        };
        return new(measures, curves, detection);
    }
}
