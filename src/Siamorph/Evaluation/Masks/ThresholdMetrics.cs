using Siamorph.Evaluation.Radiomics;
using Siamorph.Imaging;

namespace Siamorph.Evaluation.Masks;

/// <summary>
/// Measures of one prediction against one mask after PraNet's protocol: the map is stretched to its own range (constant
/// maps stay) and taken at 256 thresholds. All comparisons are of integers, so no rounding moves a pixel across a threshold.
/// </summary>
internal static class ThresholdMetrics
{
    private const double Epsilon = 2.220446049250313e-16; // 2^-52, as the published code adds it

    /// <summary>
    /// The curves over 256 thresholds. Without a true positive all but the E-measure are 0: an empty truth always scores 0.
    /// </summary>
    /// <param name="truth">The mask.</param>
    /// <param name="prediction">The map, of the same size.</param>
    /// <param name="stretch">False takes the map as it is, as UACANet's evaluation does; likewise below.</param>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public static ThresholdCurves Curves(LabelMap truth, ProbabilityMap prediction, bool stretch = true)
    {
        DemandSameSize(truth, prediction);
        var (foreground, background) = Histograms(truth, prediction);
        var range = LevelRange.Of(prediction, stretch);
        long positives = foreground.Sum(), pixels = truth.Labels.Length;
        var curves = new double[6][];
        for (var c = 0; c < 6; c++) curves[c] = new double[ThresholdCurves.Thresholds];
        long tp = 0, fp = 0;
        var next = 255; // levels above it are counted
        for (var t = 0; t < ThresholdCurves.Thresholds; t++)
        {
            for (; next >= 0 && range.Reaches(next, 255 - t); next--) (tp, fp) = (tp + foreground[next], fp + background[next]);
            var counts = new Confusion(tp, fp, positives - tp, pixels - positives - fp);
            curves[5][t] = EMeasure(counts);
            if (tp == 0) continue;
            curves[0][t] = counts.Dice;
            curves[1][t] = counts.Iou;
            curves[2][t] = counts.Precision;
            curves[3][t] = counts.Recall;
            curves[4][t] = counts.Specificity;
        }
        return new(curves[0], curves[1], curves[2], curves[3], curves[4], curves[5]);
    }

    /// <summary>Mean absolute difference of the stretched map and the mask, in [0,1].</summary>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public static double MeanAbsoluteError(LabelMap truth, ProbabilityMap prediction, bool stretch = true)
    {
        DemandSameSize(truth, prediction);
        var (foreground, background) = Histograms(truth, prediction);
        var range = LevelRange.Of(prediction, stretch);
        double sum = 0;
        for (var k = 0; k < 256; k++)
        {
            var r = range.Value(k);
            if (foreground[k] + background[k] > 0) sum += foreground[k] * (1 - r) + background[k] * r;
        }
        return sum / truth.Labels.Length;
    }

    /// <summary>The enhanced-alignment measure of a decision; only its counts matter. At best N / (N − 1).</summary>
    public static double EMeasure(Confusion counts)
    {
        double n = counts.TruePositive + counts.FalsePositive + counts.FalseNegative + counts.TrueNegative;
        double claimed = counts.TruePositive + counts.FalsePositive, real = counts.TruePositive + counts.FalseNegative;
        if (real == 0) return (n - claimed) / (n - 1 + Epsilon);
        if (real == n) return claimed / (n - 1 + Epsilon);
        double meanClaimed = claimed / n, meanReal = real / n;
        double Aligned(long count, double b, double g)
        {
            if (count == 0) return 0;
            double a = b - meanClaimed, c = g - meanReal;
            var alignment = 2 * a * c / (a * a + c * c + Epsilon);
            return count * (alignment + 1) * (alignment + 1) / 4;
        }
        var sum = Aligned(counts.TruePositive, 1, 1) + Aligned(counts.FalsePositive, 1, 0)
            + Aligned(counts.FalseNegative, 0, 1) + Aligned(counts.TrueNegative, 0, 0);
        return sum / (n - 1 + Epsilon);
    }

    /// <summary>The E-measure at the image's own threshold: twice the mean of the stretched map, at most 1.</summary>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public static double AdaptiveEMeasure(LabelMap truth, ProbabilityMap prediction, bool stretch = true)
    {
        DemandSameSize(truth, prediction);
        var (foreground, background) = Histograms(truth, prediction);
        var range = LevelRange.Of(prediction, stretch);
        double sum = 0;
        foreach (var level in prediction.Levels) sum += range.Value(level);
        var threshold = Math.Min(2 * sum / prediction.Levels.Length, 1);
        long tp = 0, fp = 0;
        for (var k = 0; k < 256; k++)
        {
            if (foreground[k] + background[k] > 0 && range.Value(k) >= threshold)
                (tp, fp) = (tp + foreground[k], fp + background[k]);
        }
        var positives = foreground.Sum();
        return EMeasure(new(tp, fp, positives - tp, truth.Labels.Length - positives - fp));
    }

    /// <summary>
    /// Soft Dice of the stretched map with 1 added above and below, as Polyp-PVT logs it while training; in (0,1].
    /// </summary>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public static double SoftDice(LabelMap truth, ProbabilityMap prediction)
    {
        DemandSameSize(truth, prediction);
        // As published: a constant map becomes 0 here, and the range carries 1e-8.
        int low = prediction.Levels.Min(), high = prediction.Levels.Max();
        var span = (high - low) / 255.0 + 1e-8;
        double both = 0, map = 0, real = 0;
        for (var i = 0; i < truth.Labels.Length; i++)
        {
            var value = (prediction.Levels[i] - low) / 255.0 / span;
            map += value;
            if (truth.Labels[i] != 0) (both, real) = (both + value, real + 1);
        }
        return (2 * both + 1) / (real + map + 1);
    }

    internal static void DemandSameSize(LabelMap truth, ProbabilityMap prediction)
    {
        ArgumentNullException.ThrowIfNull(truth);
        ArgumentNullException.ThrowIfNull(prediction);
        if (truth.Size != prediction.Size)
            throw new ArgumentException($"The truth is {truth.Size}, the prediction {prediction.Size}.", nameof(prediction));
    }

    private static (long[] Foreground, long[] Background) Histograms(LabelMap truth, ProbabilityMap prediction)
    {
        var (foreground, background) = (new long[256], new long[256]);
        for (var i = 0; i < truth.Labels.Length; i++) (truth.Labels[i] != 0 ? foreground : background)[prediction.Levels[i]]++;
        return (foreground, background);
    }
}
