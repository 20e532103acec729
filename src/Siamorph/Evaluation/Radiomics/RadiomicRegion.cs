using Siamorph.Imaging;

namespace Siamorph.Evaluation.Radiomics;

/// <summary>Grey values with the pixels to look at: what every radiomic feature starts from.</summary>
/// <param name="Size">Width and height.</param>
/// <param name="Values">y · width + x.</param>
/// <param name="Inside">Whether a pixel belongs to the region.</param>
internal sealed record RadiomicRegion(ImageSize Size, double[] Values, bool[] Inside)
{
    /// <summary>Grey levels of a mask's foreground.</summary>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public static RadiomicRegion Of(GreyImage image, LabelMap mask)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(mask);
        if (image.Size != mask.Size) throw new ArgumentException($"The mask is {mask.Size}, the image {image.Size}.",
            nameof(mask));
        return new(image.Size, Array.ConvertAll(image.Levels, l => (double)l), Array.ConvertAll(mask.Labels, l => l != 0));
    }

    /// <summary>
    /// Grey levels of the whole image but its first pixel: published radiomics refuse a mask without background.
    /// </summary>
    public static RadiomicRegion Whole(GreyImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        var inside = new bool[image.Levels.Length];
        Array.Fill(inside, true);
        inside[0] = false;
        return new(image.Size, Array.ConvertAll(image.Levels, l => (double)l), inside);
    }

    /// <summary>Luma of a colour image (ITU-R 601-2), rounded.</summary>
    public static GreyImage Luma(RgbImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        var levels = new byte[image.Size.Width * image.Size.Height];
        for (var i = 0; i < levels.Length; i++)
        {
            int r = image.Pixels[3 * i], g = image.Pixels[3 * i + 1], b = image.Pixels[3 * i + 2];
            levels[i] = (byte)((19595 * r + 38470 * g + 7471 * b + 0x8000) >> 16); // as Pillow's "L"
        }
        return new(image.Size, levels, Lossless: true);
    }

    /// <summary>The values rescaled to mean 0 and deviation 100 over the whole image (ddof 1), as FRD does.</summary>
    public RadiomicRegion Normalised()
    {
        var (mean, deviation) = (Values.Average(), Deviation);
        return this with { Values = Array.ConvertAll(Values, v => (v - mean) / deviation * 100) };
    }

    /// <summary>Standard deviation of the whole image (ddof 1).</summary>
    internal double Deviation
    {
        get
        {
            var mean = Values.Average();
            return Math.Sqrt(Values.Sum(v => (v - mean) * (v - mean)) / (Values.Length - 1));
        }
    }

    /// <summary>The region's values in order of pixels.</summary>
    /// <exception cref="InvalidOperationException">The region is empty.</exception>
    public double[] Selected()
    {
        double[] values = [.. Values.Where((_, i) => Inside[i])];
        return values.Length > 0 ? values : throw new InvalidOperationException("The region has no pixel.");
    }

    /// <summary>
    /// Bins of equal width, numbered from 1 at the lowest value, bounds at multiples of the width; 0 outside the region.
    /// </summary>
    public int[] BinsOfWidth(double width)
    {
        var lowest = Selected().Min();
        var low = lowest - (lowest - width * Math.Floor(lowest / width));
        return Binned(v =>
        {
            var bin = (int)Math.Floor((v - low) / width);
            while (low + (bin + 1) * width <= v) bin++;
            while (bin > 0 && low + bin * width > v) bin--;
            return bin + 1;
        });
    }

    /// <summary>A number of equal bins from the lowest to the highest value, numbered from 1; 0 outside the region.</summary>
    public int[] BinsOfCount(int count)
    {
        var values = Selected();
        double low = values.Min(), high = values.Max();
        if (high == low) return Binned(_ => 1);
        var step = (high - low) / count;
        return Binned(v =>
        {
            var bin = Math.Clamp((int)((v - low) / step), 0, count - 1);
            while (bin < count - 1 && low + (bin + 1) * step <= v) bin++;
            while (bin > 0 && low + bin * step > v) bin--;
            return bin + 1;
        });
    }

    private int[] Binned(Func<double, int> bin)
    {
        var bins = new int[Values.Length];
        for (var i = 0; i < bins.Length; i++) if (Inside[i]) bins[i] = bin(Values[i]);
        return bins;
    }
}
