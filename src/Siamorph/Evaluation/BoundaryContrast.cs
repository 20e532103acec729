using Siamorph.Imaging;

namespace Siamorph.Evaluation;

/// <summary>How the picture changes where its mask ends: a synthetic lesion that ignores its mask shows here.</summary>
public sealed record BoundaryContrast
{
    private const int Reach = 3;

    /// <summary>Mean gradient on the one-pixel rings on both sides of the boundary over that of the whole picture.</summary>
    public required double GradientRatio { get; init; }

    /// <summary>Difference of the mean levels within 3 pixels inside and outside, in units of their deviation.</summary>
    public required double BandContrast { get; init; }

    /// <summary>Mean level of the lesion minus that of the rest, in levels.</summary>
    public required double RegionDifference { get; init; }

    /// <summary>Measures one picture; null where the mask is empty or covers all.</summary>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public static BoundaryContrast? Of(GreyImage image, LabelMap mask)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(mask);
        if (image.Size != mask.Size) throw new ArgumentException($"The mask is {mask.Size}, the picture {image.Size}.", nameof(mask));
        var foreground = mask.Labels.Count(l => l != 0);
        if (foreground == 0 || foreground == mask.Labels.Length) return null;
        var gradient = Gradient(image);
        var grid = new PixelGrid(mask);
        double ring = 0, ringCount = 0;
        List<double> inside = [], outside = [];
        double sumIn = 0, sumOut = 0;
        var background = Array.ConvertAll(mask.Labels, l => l == 0 ? (byte)1 : (byte)0);
        DistanceTransform toBackground = DistanceTransform.To(mask.Size, background), toLesion = DistanceTransform.To(mask.Size, mask.Labels);
        for (int y = 0, i = 0; y < mask.Size.Height; y++)
            for (var x = 0; x < mask.Size.Width; x++, i++)
            {
                var own = grid[y, x];
                if (Differs(y - 1, x, own) || Differs(y + 1, x, own) || Differs(y, x - 1, own) || Differs(y, x + 1, own)) (ring, ringCount) = (ring + gradient[i], ringCount + 1);
                if (own) sumIn += image.Levels[i];
                else sumOut += image.Levels[i];
                if (own && toBackground.Squared(i) <= Reach * Reach) inside.Add(image.Levels[i]);
                if (!own && toLesion.Squared(i) <= Reach * Reach) outside.Add(image.Levels[i]);
            }
        double meanIn = inside.Average(), meanOut = outside.Average();
        var spread = Math.Sqrt((inside.Average(v => (v - meanIn) * (v - meanIn)) + outside.Average(v => (v - meanOut) * (v - meanOut))) / 2);
        var mean = gradient.Average();
        return new()
        {
            GradientRatio = mean == 0 ? 0 : ring / ringCount / mean,
            BandContrast = Math.Abs(meanIn - meanOut) / (spread + 1e-6),
            RegionDifference = sumIn / foreground - sumOut / (mask.Labels.Length - foreground),
        };

        // The picture's edge is no boundary of the lesion.
        bool Differs(int y, int x, bool own) => y >= 0 && x >= 0 && y < mask.Size.Height && x < mask.Size.Width && grid[y, x] != own;
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
                var across = At(y - 1, x + 1) + 2 * At(y, x + 1) + At(y + 1, x + 1) - At(y - 1, x - 1) - 2 * At(y, x - 1) - At(y + 1, x - 1);
                var down = At(y + 1, x - 1) + 2 * At(y + 1, x) + At(y + 1, x + 1) - At(y - 1, x - 1) - 2 * At(y - 1, x) - At(y - 1, x + 1);
                result[i] = Math.Sqrt((double)across * across + (double)down * down) / 8;
            }
        return result;
    }
}
