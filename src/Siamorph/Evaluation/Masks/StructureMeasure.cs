using Siamorph.Evaluation.Radiomics;
using Siamorph.Imaging;

namespace Siamorph.Evaluation.Masks;

/// <summary>
/// S-measure (Fan et al., ICCV 2017), half object-aware, half region-aware, with MATLAB's rounding of the centroid
/// (halves away from zero, counted from 1). Sums are of whole numbers, so a region is constant exactly or not at all.
/// </summary>
internal static class StructureMeasure
{
    private const double Epsilon = 2.220446049250313e-16;

    /// <summary>The measure of one prediction, in [0,1].</summary>
    /// <param name="truth">The mask.</param>
    /// <param name="prediction">The map, of the same size.</param>
    /// <param name="stretch">Stretches the map to its own range first (constant maps stay).</param>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public static double Of(LabelMap truth, ProbabilityMap prediction, bool stretch = true)
    {
        ThresholdMetrics.DemandSameSize(truth, prediction);
        var range = LevelRange.Of(prediction, stretch);
        var all = Sum(truth, prediction, range, 0, 0, truth.Size.Width, truth.Size.Height);
        if (all.Foreground == 0) return 1 - all.MeanLevel(range);
        if (all.Foreground == all.Count) return all.MeanLevel(range);
        return Math.Max(0, .5 * ObjectPart(truth, prediction, range, all) + .5 * RegionPart(truth, prediction, range));
    }

    private static double ObjectPart(LabelMap truth, ProbabilityMap prediction, LevelRange range, Sums all)
    {
        var share = (double)all.Foreground / all.Count;
        long squaresInside = 0;
        for (var i = 0; i < truth.Labels.Length; i++)
            if (truth.Labels[i] != 0) squaresInside += (long)(prediction.Levels[i] - range.Low) * (
                prediction.Levels[i] - range.Low);
        long outside = all.Count - all.Foreground, sumOutside = all.Levels - all.LevelsInside,
            squaresOutside = all.Squares - squaresInside;
        var background = Likeness(outside, 1 - (double)sumOutside / outside / range.Span,
            Deviation(outside, sumOutside, squaresOutside, range));
        var foreground = Likeness(all.Foreground, (double)all.LevelsInside / all.Foreground / range.Span,
            Deviation(all.Foreground, all.LevelsInside, squaresInside, range));
        return share * foreground + (1 - share) * background;
    }

    private static double Likeness(long count, double mean, double deviation) =>
        count == 0 ? 0 : 2 * mean / (mean * mean + 1 + deviation + Epsilon);

    private static double Deviation(long count, long sum, long squares, LevelRange range) =>
        count < 2 ? 0 : Math.Sqrt(((double)count * squares - (double)sum * sum) / ((double)count * (count - 1))) / range.Span;

    private static double RegionPart(LabelMap truth, ProbabilityMap prediction, LevelRange range)
    {
        var (width, height) = (truth.Size.Width, truth.Size.Height);
        var (x, y) = Centroid(truth);
        double area = (double)width * height;
        double first = x * (double)y / area, second = (width - x) * (double)y / area, third = x * (double)(height - y) / area;
        double Part(int left, int top, int right, int bottom) =>
            Similarity(Sum(truth, prediction, range, left, top, right, bottom), range);
        return first * Part(0, 0, x, y) + second * Part(x, 0, width, y) + third * Part(0, y, x, height)
            + (1 - first - second - third) * Part(x, y, width, height);
    }

    // Columns and rows before the split, at least 1.
    private static (int X, int Y) Centroid(LabelMap truth)
    {
        long columns = 0, rows = 0, count = 0;
        for (int y = 0, i = 0; y < truth.Size.Height; y++)
            for (var x = 0; x < truth.Size.Width; x++, i++)
                if (truth.Labels[i] != 0) (columns, rows, count) = (columns + x + 1, rows + y + 1, count + 1);
        static int Rounded(long sum, long count) => (int)((2 * sum + count) / (2 * count));
        return (Rounded(columns, count), Rounded(rows, count));
    }

    private static double Similarity(Sums s, LevelRange range)
    {
        if (s.Count == 0) return 0; // an empty quadrant is undefined in the published code
        double n = s.Count, x = s.MeanLevel(range), y = s.Foreground / n;
        var scale = n * (n - 1 + Epsilon);
        var varianceX = (n * s.Squares - (double)s.Levels * s.Levels) / scale / range.Span / range.Span;
        var varianceY = (n * s.Foreground - (double)s.Foreground * s.Foreground) / scale;
        var covariance = (n * s.LevelsInside - (double)s.Levels * s.Foreground) / scale / range.Span;
        var above = 4 * x * y * covariance;
        var below = (x * x + y * y) * (varianceX + varianceY);
        return above != 0 ? above / (below + Epsilon) : below == 0 ? 1 : 0;
    }

    private static Sums Sum(LabelMap truth, ProbabilityMap prediction, LevelRange range, int left, int top, int right, int bottom)
    {
        long levels = 0, squares = 0, inside = 0, foreground = 0;
        for (var y = top; y < bottom; y++)
        {
            for (int x = left, i = y * truth.Size.Width + left; x < right; x++, i++)
            {
                var level = prediction.Levels[i] - range.Low;
                levels += level;
                squares += level * level;
                if (truth.Labels[i] != 0) (inside, foreground) = (inside + level, foreground + 1);
            }
        }
        return new((long)(right - left) * (bottom - top), levels, squares, inside, foreground);
    }

    private readonly record struct Sums(long Count, long Levels, long Squares, long LevelsInside, long Foreground)
    {
        public double MeanLevel(LevelRange range) => (double)Levels / Count / range.Span;
    }
}
