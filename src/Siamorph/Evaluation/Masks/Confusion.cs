using Siamorph.Imaging;

namespace Siamorph.Evaluation.Masks;

/// <summary>
/// Pixel counts of a decision against the truth. Ratios without a denominator are 1: nothing was there and nothing claimed,
/// so both masks empty score Dice = IoU = 1, and one empty scores 0.
/// </summary>
/// <param name="TruePositive">Foreground in both.</param>
/// <param name="FalsePositive">Foreground in the prediction alone.</param>
/// <param name="FalseNegative">Foreground in the truth alone.</param>
/// <param name="TrueNegative">Foreground in neither.</param>
internal readonly record struct Confusion(long TruePositive, long FalsePositive, long FalseNegative, long TrueNegative)
{
    /// <summary>Counts the decision at probability 0.5 (level 128).</summary>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public static Confusion AtHalf(LabelMap truth, ProbabilityMap prediction)
    {
        ThresholdMetrics.DemandSameSize(truth, prediction);
        long tp = 0, fp = 0, fn = 0;
        for (var i = 0; i < truth.Labels.Length; i++)
        {
            var (real, claimed) = (truth.Labels[i] != 0, prediction.Levels[i] >= 128);
            if (real && claimed) tp++;
            else if (claimed) fp++;
            else if (real) fn++;
        }
        return new(tp, fp, fn, truth.Labels.Length - tp - fp - fn);
    }

    /// <summary>2 TP / (2 TP + FP + FN), in [0,1].</summary>
    public double Dice => Ratio(2 * TruePositive, 2 * TruePositive + FalsePositive + FalseNegative);

    /// <summary>TP / (TP + FP + FN), in [0,1]; also called Jaccard index.</summary>
    public double Iou => Ratio(TruePositive, TruePositive + FalsePositive + FalseNegative);

    /// <summary>TP / (TP + FP), in [0,1].</summary>
    public double Precision => Ratio(TruePositive, TruePositive + FalsePositive);

    /// <summary>TP / (TP + FN), in [0,1]; also called sensitivity.</summary>
    public double Recall => Ratio(TruePositive, TruePositive + FalseNegative);

    /// <summary>TN / (TN + FP), in [0,1].</summary>
    public double Specificity => Ratio(TrueNegative, TrueNegative + FalsePositive);

    /// <summary>(TP + TN) / all, in [0,1].</summary>
    public double Accuracy => Ratio(TruePositive + TrueNegative, TruePositive + FalsePositive + FalseNegative + TrueNegative);

    /// <summary>The IoU where it is at least 0.65, else 0: the ranking score of the ISIC 2018 challenge.</summary>
    public double ThresholdedIou => Iou >= 0.65 ? Iou : 0;

    private static double Ratio(long part, long whole) => whole == 0 ? 1 : (double)part / whole;
}
