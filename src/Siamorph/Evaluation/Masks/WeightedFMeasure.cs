using Siamorph.Evaluation.Radiomics;
using Siamorph.Imaging;

namespace Siamorph.Evaluation.Masks;

/// <summary>
/// Weighted F-measure with β = 1 (Margolin et al., CVPR 2014). An error on the background is copied from its nearest
/// foreground pixel before it is smoothed (7×7 Gaussian, σ 5, zeros beyond the border); false alarms weigh more far from
/// the truth. Of equally near foreground pixels the one in the smallest row, then column, is taken.
/// </summary>
internal static class WeightedFMeasure
{
    private const double Epsilon = 2.220446049250313e-16;
    private const int Reach = 3;
    /// <summary>One direction of the smoothing; it adds up to 1.</summary>
    internal static readonly double[] Kernel = Gaussian();
    private static readonly double Decay = Math.Log(.5) / 5;

    /// <summary>The measure of one prediction, in [0,1]; 0 where the truth is empty.</summary>
    /// <param name="truth">The mask.</param>
    /// <param name="prediction">The map, of the same size.</param>
    /// <param name="stretch">Stretches the map to its own range first (constant maps stay).</param>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public static double Of(LabelMap truth, ProbabilityMap prediction, bool stretch = true)
    {
        ThresholdMetrics.DemandSameSize(truth, prediction);
        if (!Array.Exists(truth.Labels, l => l != 0)) return 0;
        var range = LevelRange.Of(prediction, stretch);
        var nearest = DistanceTransform.To(truth.Size, truth.Labels);
        var errors = new double[truth.Labels.Length];
        for (var i = 0; i < errors.Length; i++)
            errors[i] = Math.Abs(range.Value(prediction.Levels[i]) - (truth.Labels[i] != 0 ? 1 : 0));
        double inside = 0, outside = 0;
        long foreground = 0;
        for (var i = 0; i < errors.Length; i++)
        {
            if (truth.Labels[i] != 0)
            {
                inside += Math.Min(errors[i], Smoothed(truth, errors, nearest, i));
                foreground++;
            }
            else if (errors[i] != 0)
            {
                outside += errors[i] * (2 - Math.Exp(Decay * Math.Sqrt(nearest.Squared(i))));
            }
        }
        var found = foreground - inside;
        var recall = 1 - inside / foreground;
        var precision = found / (found + outside + Epsilon);
        return 2 * recall * precision / (recall + precision + Epsilon);
    }

    private static double Smoothed(LabelMap truth, double[] errors, DistanceTransform nearest, int at)
    {
        var (width, height) = (truth.Size.Width, truth.Size.Height);
        var (y, x) = Math.DivRem(at, width);
        double sum = 0;
        for (var dy = -Reach; dy <= Reach; dy++)
        {
            if (y + dy < 0 || y + dy >= height) continue;
            double row = 0;
            for (var dx = -Reach; dx <= Reach; dx++)
            {
                if (x + dx < 0 || x + dx >= width) continue;
                var i = (y + dy) * width + x + dx;
                row += Kernel[dx + Reach] * errors[truth.Labels[i] != 0 ? i : nearest.NearestIndex(i)];
            }
            sum += Kernel[dy + Reach] * row;
        }
        return sum;
    }

    private static double[] Gaussian()
    {
        var values = new double[2 * Reach + 1];
        for (var d = -Reach; d <= Reach; d++) values[d + Reach] = Math.Exp(-d * d / 50.0);
        var sum = values.Sum();
        return Array.ConvertAll(values, v => v / sum);
    }
}
