using Siamorph.Imaging;

namespace Siamorph.Evaluation.Masks;

/// <summary>
/// The scores of one image. Dice and IoU at 0.5 are 1 where truth and prediction are both empty, and 0 where one is.
/// </summary>
public sealed record MaskScore
{
    /// <summary>Which image.</summary>
    public required string Id { get; init; }

    /// <summary>Dice of the decision at 0.5, in [0,1].</summary>
    public required double Dice { get; init; }

    /// <summary>IoU of the decision at 0.5, in [0,1].</summary>
    public required double Iou { get; init; }

    /// <summary>Precision of the decision at 0.5, in [0,1].</summary>
    public required double Precision { get; init; }

    /// <summary>Recall of the decision at 0.5, in [0,1].</summary>
    public required double Recall { get; init; }

    /// <summary>Mean absolute error of the stretched map, in [0,1].</summary>
    public required double Mae { get; init; }

    /// <summary>Dice averaged over 256 thresholds; 0 where the truth is empty. Likewise <see cref="MeanIou"/>.</summary>
    public required double MeanDice { get; init; }

    /// <inheritdoc cref="MeanDice"/>
    public required double MeanIou { get; init; }

    /// <summary>The truth has no foreground.</summary>
    public required bool EmptyTruth { get; init; }
}

/// <summary>The scores of a set of images, with the names papers use for them.</summary>
/// <remarks>
/// MeanDice, MaxDice and their like follow PraNet: curves over 256 thresholds are averaged over images first, then their
/// mean or maximum is taken; an image with an empty truth counts 0 there. Dice and Iou are plain means at threshold 0.5.
/// </remarks>
public sealed record MaskScores
{
    /// <summary>Number of images.</summary>
    public required int Count { get; init; }

    /// <summary>Images whose truth is empty.</summary>
    public required int EmptyTruths { get; init; }

    /// <summary>Mean of the images' Dice at 0.5.</summary>
    public required double Dice { get; init; }

    /// <summary>Mean of the images' IoU at 0.5.</summary>
    public required double Iou { get; init; }

    /// <summary>Mean of the images' precision at 0.5.</summary>
    public required double Precision { get; init; }

    /// <summary>Mean of the images' recall at 0.5.</summary>
    public required double Recall { get; init; }

    /// <summary>Mean over thresholds of the mean Dice curve ("mDice" in papers).</summary>
    public required double MeanDice { get; init; }

    /// <summary>Maximum of the mean Dice curve.</summary>
    public required double MaxDice { get; init; }

    /// <summary>Mean over thresholds of the mean IoU curve ("mIoU" in papers).</summary>
    public required double MeanIou { get; init; }

    /// <summary>Maximum of the mean IoU curve.</summary>
    public required double MaxIou { get; init; }

    /// <summary>Mean of the mean sensitivity curve; the maximum is <see cref="MaxSensitivity"/>.</summary>
    public required double MeanSensitivity { get; init; }

    /// <summary>Maximum of the mean sensitivity curve.</summary>
    public required double MaxSensitivity { get; init; }

    /// <summary>Mean of the mean specificity curve.</summary>
    public required double MeanSpecificity { get; init; }

    /// <summary>Maximum of the mean specificity curve.</summary>
    public required double MaxSpecificity { get; init; }

    /// <summary>Mean of the mean E-measure curve.</summary>
    public required double MeanEMeasure { get; init; }

    /// <summary>Maximum of the mean E-measure curve.</summary>
    public required double MaxEMeasure { get; init; }

    /// <summary>Mean of the images' mean absolute errors.</summary>
    public required double Mae { get; init; }

    /// <summary>Mean of the images' IoU where it reaches 0.65, else 0 (ISIC 2018).</summary>
    public required double ThresholdedIou { get; init; }

    /// <summary>Every image, in the order they were added.</summary>
    public required IReadOnlyList<MaskScore> Images { get; init; }
}

/// <summary>Collects predictions one by one and scores them as a set.</summary>
internal sealed class MaskScoring
{
    private readonly List<MaskScore> _images = [];
    private readonly List<ThresholdCurves> _curves = [];
    private double _thresholdedIou;

    /// <summary>Scores one prediction.</summary>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public MaskScore Add(string id, LabelMap truth, ProbabilityMap prediction)
    {
        var counts = Confusion.AtHalf(truth, prediction);
        var curves = ThresholdMetrics.Curves(truth, prediction);
        var score = new MaskScore
        {
            Id = id,
            Dice = counts.Dice,
            Iou = counts.Iou,
            Precision = counts.Precision,
            Recall = counts.Recall,
            Mae = ThresholdMetrics.MeanAbsoluteError(truth, prediction),
            MeanDice = curves.Dice.Average(),
            MeanIou = curves.Iou.Average(),
            EmptyTruth = counts.TruePositive + counts.FalseNegative == 0,
        };
        _images.Add(score);
        _curves.Add(curves);
        _thresholdedIou += counts.ThresholdedIou;
        return score;
    }

    /// <summary>The set so far.</summary>
    /// <exception cref="InvalidOperationException">Nothing was added.</exception>
    public MaskScores Result()
    {
        if (_images.Count == 0) throw new InvalidOperationException("No prediction was added.");
        var mean = ThresholdCurves.Mean(_curves);
        return new()
        {
            Count = _images.Count,
            EmptyTruths = _images.Count(i => i.EmptyTruth),
            Dice = _images.Average(i => i.Dice),
            Iou = _images.Average(i => i.Iou),
            Precision = _images.Average(i => i.Precision),
            Recall = _images.Average(i => i.Recall),
            MeanDice = mean.Dice.Average(),
            MaxDice = mean.Dice.Max(),
            MeanIou = mean.Iou.Average(),
            MaxIou = mean.Iou.Max(),
            MeanSensitivity = mean.Sensitivity.Average(),
            MaxSensitivity = mean.Sensitivity.Max(),
            MeanSpecificity = mean.Specificity.Average(),
            MaxSpecificity = mean.Specificity.Max(),
            MeanEMeasure = mean.EMeasure.Average(),
            MaxEMeasure = mean.EMeasure.Max(),
            Mae = _images.Average(i => i.Mae),
            ThresholdedIou = _thresholdedIou / _images.Count,
            Images = [.. _images],
        };
    }
}
