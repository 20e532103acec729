using Siamorph.Evaluation.Statistics;
using Siamorph.Imaging;

namespace Siamorph.Evaluation.Masks;

/// <summary>
/// Distances between the borders of two masks, in pixels. A border is what a 4-connected erosion takes away; beyond the
/// image lies background.
/// </summary>
/// <param name="Hausdorff">The largest distance of either border from the other.</param>
/// <param name="Hd95Pooled">95th percentile of both directions' distances taken together (the definition of medpy).</param>
/// <param name="Hd95MaxDirected">The larger of the two directions' 95th percentiles (the definition of MONAI); never below the
/// pooled one's smaller part.</param>
/// <param name="PredictionToTruth">Mean distance of the prediction's border from the truth's.</param>
/// <param name="TruthToPrediction">Mean distance of the truth's border from the prediction's.</param>
/// <param name="AverageSymmetric">Mean of those two means.</param>
/// <param name="AveragePooled">Mean over both directions' distances taken together.</param>
internal sealed record SurfaceDistances(
    double Hausdorff, double Hd95Pooled, double Hd95MaxDirected, double PredictionToTruth, double TruthToPrediction,
    double AverageSymmetric, double AveragePooled)
{
    /// <summary>Measures two masks; null where one has no foreground, since no distance is defined then.</summary>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public static SurfaceDistances? Between(LabelMap truth, LabelMap prediction)
    {
        ArgumentNullException.ThrowIfNull(truth);
        ArgumentNullException.ThrowIfNull(prediction);
        if (truth.Size != prediction.Size)
            throw new ArgumentException($"The truth is {truth.Size}, the prediction {prediction.Size}.", nameof(prediction));
        byte[] real = Border(truth), claimed = Border(prediction);
        if (!Array.Exists(real, b => b != 0) || !Array.Exists(claimed, b => b != 0)) return null;
        double[] forth = Directed(truth.Size, claimed, real), back = Directed(truth.Size, real, claimed);
        var all = Merge(forth, back);
        double meanForth = forth.Average(), meanBack = back.Average();
        return new(all[^1], Quantiles.OfSorted(all, .95), Math.Max(Quantiles.OfSorted(forth, .95), Quantiles.OfSorted(back, .95)),
            meanForth, meanBack, (meanForth + meanBack) / 2, all.Average());
    }

    /// <summary>
    /// <see cref="Hd95Pooled"/> as this product averages it: 0 where both masks are empty, the image's diagonal where one is.
    /// </summary>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public static double Hd95OrDiagonal(LabelMap truth, LabelMap prediction, SurfaceDistances? distances)
    {
        ArgumentNullException.ThrowIfNull(truth);
        ArgumentNullException.ThrowIfNull(prediction);
        if (distances is not null) return distances.Hd95Pooled;
        var anything = Array.Exists(truth.Labels, l => l != 0) || Array.Exists(prediction.Labels, l => l != 0);
        return anything ? Diagonal(truth.Size) : 0;
    }

    internal static double Diagonal(ImageSize size) =>
        Math.Sqrt((double)size.Width * size.Width + (double)size.Height * size.Height);

    private static byte[] Border(LabelMap mask)
    {
        var (width, height, labels) = (mask.Size.Width, mask.Size.Height, mask.Labels);
        var border = new byte[labels.Length];
        for (int y = 0, i = 0; y < height; y++)
            for (var x = 0; x < width; x++, i++)
            {
                if (labels[i] == 0) continue;
                var inside = x > 0 && y > 0 && x < width - 1 && y < height - 1
                    && labels[i - 1] != 0 && labels[i + 1] != 0 && labels[i - width] != 0 && labels[i + width] != 0;
                if (!inside) border[i] = 1;
            }
        return border;
    }

    private static double[] Directed(ImageSize size, byte[] from, byte[] to)
    {
        var transform = DistanceTransform.To(size, to);
        var distances = new List<double>();
        for (var i = 0; i < from.Length; i++) if (from[i] != 0) distances.Add(Math.Sqrt(transform.Squared(i)));
        distances.Sort();
        return [.. distances];
    }

    private static double[] Merge(double[] a, double[] b)
    {
        double[] all = [.. a, .. b];
        Array.Sort(all);
        return all;
    }
}
