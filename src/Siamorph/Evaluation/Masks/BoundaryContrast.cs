using Siamorph.Evaluation.Radiomics;
using Siamorph.Imaging;

namespace Siamorph.Evaluation.Masks;

/// <summary>How the image changes where its mask ends: a synthetic lesion that ignores its mask shows here.</summary>
internal sealed record BoundaryContrast
{
    private const int Reach = 3;

    /// <summary>Mean gradient on the one-pixel rings on both sides of the boundary, in levels a pixel.</summary>
    public required double RingGradient { get; init; }

    /// <summary>Mean gradient of the whole image, in levels a pixel.</summary>
    public required double PictureGradient { get; init; }

    /// <summary>Pixels of those rings.</summary>
    public required int RingPixels { get; init; }

    /// <summary><see cref="RingGradient"/> over <see cref="PictureGradient"/>; 0 in a flat image.</summary>
    public double GradientRatio => PictureGradient == 0 ? 0 : RingGradient / PictureGradient;

    /// <summary>Levels within 3 pixels of the boundary, inside it.</summary>
    public required LevelStatistics Inside { get; init; }

    /// <summary>The same outside.</summary>
    public required LevelStatistics Outside { get; init; }

    /// <summary>Difference of the means of <see cref="Inside"/> and <see cref="Outside"/>, in units of their deviation.</summary>
    public double BandContrast => Math.Abs(Inside.Mean - Outside.Mean) / (
        Math.Sqrt((Inside.Variance + Outside.Variance) / 2) + 1e-6);

    /// <summary>Mean level of the lesion minus that of the rest, in levels.</summary>
    public required double RegionDifference { get; init; }

    /// <summary>Measures one image; null where the mask is empty or covers all.</summary>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public static BoundaryContrast? Of(GreyImage image, LabelMap mask)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(mask);
        if (image.Size != mask.Size) throw new ArgumentException($"The mask is {mask.Size}, the image {image.Size}.",
            nameof(mask));
        var foreground = mask.Labels.Count(l => l != 0);
        if (foreground == 0 || foreground == mask.Labels.Length) return null;
        var gradient = Gradient(image);
        var grid = new PixelGrid(mask);
        double ring = 0;
        var ringCount = 0;
        List<double> inside = [], outside = [];
        double sumIn = 0, sumOut = 0;
        var background = Array.ConvertAll(mask.Labels, l => l == 0 ? (byte)1 : (byte)0);
        DistanceTransform toBackground = DistanceTransform.To(mask.Size, background),
            toLesion = DistanceTransform.To(mask.Size, mask.Labels);
        for (int y = 0, i = 0; y < mask.Size.Height; y++)
            for (var x = 0; x < mask.Size.Width; x++, i++)
            {
                var own = grid[y, x];
                if (Differs(y - 1, x, own) || Differs(y + 1, x, own) || Differs(y, x - 1, own) || Differs(y, x + 1, own))
                    (ring, ringCount) = (ring + gradient[i], ringCount + 1);
                if (own) sumIn += image.Levels[i];
                else sumOut += image.Levels[i];
                if (own && toBackground.Squared(i) <= Reach * Reach) inside.Add(image.Levels[i]);
                if (!own && toLesion.Squared(i) <= Reach * Reach) outside.Add(image.Levels[i]);
            }
        return new()
        {
            RingGradient = ring / ringCount,
            PictureGradient = gradient.Average(),
            RingPixels = ringCount,
            Inside = LevelStatistics.Of(inside),
            Outside = LevelStatistics.Of(outside),
            RegionDifference = sumIn / foreground - sumOut / (mask.Labels.Length - foreground),
        };

        // The image's edge is no boundary of the lesion.
        bool Differs(int y, int x, bool own) => y >= 0 && x >= 0 && y < mask.Size.Height && x < mask.Size.Width
            && grid[y, x] != own;
    }

    /// <summary>Magnitude of the Sobel gradient over 8, the border repeated.</summary>
    internal static double[] Gradient(GreyImage image)
    {
        var (width, height) = (image.Size.Width, image.Size.Height);
        int At(int y, int x) => image.Levels[Math.Clamp(y, 0, height - 1) * width + Math.Clamp(x, 0, width - 1)];
        var result = new double[image.Levels.Length];
        for (int y = 0, i = 0; y < height; y++)
            for (var x = 0; x < width; x++, i++)
            {
                var across = At(y - 1, x + 1) + 2 * At(y, x + 1)
                    + At(y + 1, x + 1) - At(y - 1, x - 1) - 2 * At(y, x - 1) - At(y + 1, x - 1);
                var down = At(y + 1, x - 1) + 2 * At(y + 1, x)
                    + At(y + 1, x + 1) - At(y - 1, x - 1) - 2 * At(y - 1, x) - At(y - 1, x + 1);
                result[i] = Math.Sqrt((double)across * across + (double)down * down) / 8;
            }
        return result;
    }
}

/// <summary>Number, mean and variance of grey levels.</summary>
/// <param name="Count">Pixels.</param>
/// <param name="Mean">Mean level, 0 to 255.</param>
/// <param name="Variance">Mean squared difference from it.</param>
internal sealed record LevelStatistics(int Count, double Mean, double Variance)
{
    internal static LevelStatistics Of(List<double> levels)
    {
        var mean = levels.Average();
        return new(levels.Count, mean, levels.Average(v => (v - mean) * (v - mean)));
    }
}
