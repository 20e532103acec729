namespace Siamorph.Evaluation.Masks;

/// <summary>The measures of a set of predictions: means over images unless said otherwise.</summary>
internal sealed record MaskSummary : MaskMetrics
{
    /// <summary>Which set: "all", a group, a size class, or a class of the masks.</summary>
    public required string Name { get; init; }

    /// <summary>Number of images.</summary>
    public required int Count { get; init; }

    /// <summary>Images whose truth is empty.</summary>
    public required int EmptyTruths { get; init; }

    /// <summary>Images in which nothing was claimed.</summary>
    public required int EmptyPredictions { get; init; }

    /// <summary>Images without surface distances, since exactly one mask is empty.</summary>
    public required int WithoutSurface { get; init; }

    /// <summary>Maximum of the mean Dice curve over 256 thresholds.</summary>
    public required double MaxDice { get; init; }

    /// <summary>Maximum of the mean IoU curve.</summary>
    public required double MaxIou { get; init; }

    /// <summary>Mean of the mean sensitivity curve over 256 thresholds.</summary>
    public required double MeanSensitivity { get; init; }

    /// <summary>Mean of the mean specificity curve over 256 thresholds.</summary>
    public required double MeanSpecificity { get; init; }

    /// <summary>Lesion by lesion.</summary>
    public required LesionSummary Detection { get; init; }
}

// Adds images up one by one, in their order, so that the result does not depend on the number of threads.
internal sealed class MaskAccumulator(string name, MaskEvaluationOptions options)
{
    private readonly List<PredictionMetrics> _images = [];
    private readonly List<LesionDetection> _detections = [];
    private readonly double[][] _curves = [.. Enumerable.Range(0, 6).Select(_ => new double[ThresholdCurves.Thresholds])];

    public string Name => name;

    public int Count => _images.Count;

    public void Add(MeasuredMask image)
    {
        _images.Add(image.Measures);
        _detections.Add(image.Detection);
        var curves = image.Curves;
        IReadOnlyList<double>[] own = [curves.Dice, curves.Iou, curves.Precision, curves.Sensitivity, curves.Specificity,
            curves.EMeasure];
        for (var c = 0; c < own.Length; c++)
            for (var t = 0; t < ThresholdCurves.Thresholds; t++) _curves[c][t] += own[c][t];
    }

    public ThresholdCurves MeanCurves()
    {
        double[] Of(int curve) => Array.ConvertAll(_curves[curve], sum => sum / _images.Count);
        return new(Of(0), Of(1), Of(2), Of(3), Of(4), Of(5));
    }

    public MaskSummary Summary()
    {
        var protocol = MaskProtocol.Named(options.Protocol);
        var curves = MeanCurves();
        double Mean(Func<PredictionMetrics, double> value) => _images.Average(value);
        return new()
        {
            Name = name,
            Count = _images.Count,
            EmptyTruths = _images.Count(i => i.EmptyTruth),
            EmptyPredictions = _images.Count(i => i.EmptyPrediction),
            Dice = protocol.OverThresholds ? curves.Dice.Average() : Mean(i => i.DiceAtHalf),
            MaxDice = curves.Dice.Max(),
            Iou = protocol.OverThresholds ? curves.Iou.Average() : Mean(i => i.IouAtHalf),
            MaxIou = curves.Iou.Max(),
            DiceAtHalf = Mean(i => i.DiceAtHalf),
            IouAtHalf = Mean(i => i.IouAtHalf),
            ThresholdedIou = Mean(i => i.ThresholdedIou),
            Precision = Mean(i => i.Precision),
            Recall = Mean(i => i.Recall),
            Specificity = Mean(i => i.Specificity),
            MeanSensitivity = curves.Sensitivity.Average(),
            MeanSpecificity = curves.Specificity.Average(),
            Mae = Mean(i => i.Mae),
            SMeasure = Mean(i => i.SMeasure),
            MeanEMeasure = curves.EMeasure.Average(),
            MaxEMeasure = curves.EMeasure.Max(),
            WeightedF = Mean(i => i.WeightedF),
            Hd95 = Mean(i => i.Hd95),
            Hd95MaxDirected = _images.Average(i => i.Hd95MaxDirected),
            AverageSurfaceDistance = _images.Average(i => i.AverageSurfaceDistance),
            WithoutSurface = _images.Count(i => i.EmptyTruth != i.EmptyPrediction),
            BoundaryF = Mean(i => i.BoundaryF),
            BoundaryIou = Mean(i => i.BoundaryIou),
            Detection = LesionSummary.Of(_detections, options.Sizes),
        };
    }
}
