using Siamorph.Imaging;

namespace Siamorph.Evaluation.Masks;

/// <summary>
/// How well two masks' boundaries agree: the F-measure of DAVIS (Perazzi et al., CVPR 2016) and the boundary IoU (Cheng et al.,
/// CVPR 2021).
/// </summary>
internal static class BoundaryMetrics
{
    /// <summary>DAVIS' tolerance as a share of the image's diagonal.</summary>
    public const double DavisTolerance = 0.008;

    /// <summary>Width of the band of the boundary IoU as a share of the image's diagonal.</summary>
    public const double BandShare = 0.02;

    /// <summary>
    /// F-measure of boundary pixels that have a boundary pixel of the other mask within the tolerance; 1 where neither mask has
    /// a boundary (a mask of the whole image has none).
    /// </summary>
    /// <param name="truth">The mask.</param>
    /// <param name="prediction">The decision, of the same size.</param>
    /// <param name="tolerance">Pixels where 1 or more, else a share of the diagonal, rounded up.</param>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public static double FMeasure(LabelMap truth, LabelMap prediction, double tolerance = DavisTolerance)
    {
        Demand(truth, prediction);
        var radius = tolerance >= 1 ? tolerance : Math.Ceiling(tolerance * SurfaceDistances.Diagonal(truth.Size));
        byte[] real = Boundary(truth), claimed = Boundary(prediction);
        int reals = real.Count(b => b != 0), claims = claimed.Count(b => b != 0);
        if (reals == 0 && claims == 0) return 1;
        if (reals == 0 || claims == 0) return 0; // one of precision and recall is 1, the other 0
        var precision = (double)Within(truth.Size, claimed, real, radius) / claims;
        var recall = (double)Within(truth.Size, real, claimed, radius) / reals;
        return precision + recall == 0 ? 0 : 2 * precision * recall / (precision + recall);
    }

    /// <summary>IoU of the inner bands along both boundaries; 1 where both masks are empty.</summary>
    /// <param name="truth">The mask.</param>
    /// <param name="prediction">The decision, of the same size.</param>
    /// <param name="share">Width of the bands as a share of the diagonal, rounded; at least one pixel.</param>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public static double BoundaryIou(LabelMap truth, LabelMap prediction, double share = BandShare)
    {
        Demand(truth, prediction);
        var width = Math.Max(1, (int)Math.Round(share * SurfaceDistances.Diagonal(truth.Size), MidpointRounding.ToEven));
        bool[] real = Band(truth, width), claimed = Band(prediction, width);
        long both = 0, either = 0;
        for (var i = 0; i < real.Length; i++)
        {
            if (real[i] && claimed[i]) both++;
            if (real[i] || claimed[i]) either++;
        }
        return either == 0 ? 1 : (double)both / either;
    }

    /// <summary>Pixels that differ from their right, lower or lower right neighbour; 1 there.</summary>
    internal static byte[] Boundary(LabelMap mask)
    {
        var (width, height) = (mask.Size.Width, mask.Size.Height);
        var result = new byte[mask.Labels.Length];
        bool At(int x, int y) => mask.Labels[y * width + x] != 0;
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
            {
                var own = At(x, y);
                var differs = (x < width - 1 && At(x + 1, y) != own) || (y < height - 1 && At(x, y + 1) != own)
                    || (x < width - 1 && y < height - 1 && At(x + 1, y + 1) != own);
                if (differs) result[y * width + x] = 1;
            }
        return result;
    }

    private static int Within(ImageSize size, byte[] from, byte[] to, double radius)
    {
        var transform = DistanceTransform.To(size, to);
        var count = 0;
        for (var i = 0; i < from.Length; i++) if (from[i] != 0 && transform.Squared(i) <= radius * radius) count++;
        return count;
    }

    // What erosion by a square of 2 · width + 1 pixels takes away; beyond the image lies background.
    private static bool[] Band(LabelMap mask, int width)
    {
        var (w, h) = (mask.Size.Width, mask.Size.Height);
        var kept = Array.ConvertAll(mask.Labels, l => l != 0);
        Erode(kept, w, h, 1, w, width);
        Erode(kept, h, w, w, 1, width);
        for (var i = 0; i < kept.Length; i++) kept[i] = mask.Labels[i] != 0 && !kept[i];
        return kept;
    }

    // Along lines of `length` pixels `step` apart: a pixel stays where all within `reach` of it are set.
    private static void Erode(bool[] pixels, int length, int lines, int step, int lineStep, int reach)
    {
        var run = new int[length]; // set pixels up to and including this one
        for (var line = 0; line < lines; line++)
        {
            var start = line * lineStep;
            for (var i = 0; i < length; i++) run[i] = pixels[start + i * step] ? (i > 0 ? run[i - 1] : 0) + 1 : 0;
            for (var i = 0; i < length; i++)
                pixels[start + i * step] = i + reach < length && run[i + reach] >= 2 * reach + 1;
        }
    }

    private static void Demand(LabelMap truth, LabelMap prediction)
    {
        ArgumentNullException.ThrowIfNull(truth);
        ArgumentNullException.ThrowIfNull(prediction);
        if (truth.Size != prediction.Size)
            throw new ArgumentException($"The truth is {truth.Size}, the prediction {prediction.Size}.", nameof(prediction));
    }
}
