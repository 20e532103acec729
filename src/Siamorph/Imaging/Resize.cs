namespace Siamorph.Imaging;

/// <summary>Changes the number of pixels; the aspect ratio is not kept.</summary>
public static class Resize
{
    private const int Precision = 22;

    /// <summary>
    /// Bilinear with a filter as wide as the reduction (antialiased), first along rows, then along columns, with 8-bit
    /// levels between: the same levels as Pillow's <c>BILINEAR</c>.
    /// </summary>
    public static RgbImage Image(RgbImage image, ImageSize size)
    {
        ArgumentNullException.ThrowIfNull(image);
        return size == image.Size ? image : new RgbImage(size, Levels(image.Pixels, image.Size, size, 3));
    }

    /// <summary>The pixel whose centre is nearest: classes are never mixed.</summary>
    public static LabelMap Mask(LabelMap mask, ImageSize size)
    {
        ArgumentNullException.ThrowIfNull(mask);
        if (size == mask.Size) return mask;
        var labels = new byte[size.Width * size.Height];
        var columns = Nearest(mask.Size.Width, size.Width);
        var rows = Nearest(mask.Size.Height, size.Height);
        for (var y = 0; y < size.Height; y++)
            for (var x = 0; x < size.Width; x++)
                labels[y * size.Width + x] = mask.Labels[rows[y] * mask.Size.Width + columns[x]];
        return new LabelMap(size, labels);
    }

    /// <summary>The antialiased resize of interleaved levels with any number of <paramref name="channels"/>.</summary>
    internal static byte[] Levels(byte[] levels, ImageSize from, ImageSize to, int channels)
    {
        var wide = Along(levels, from.Height, from.Width * channels, channels, Taps(from.Width, to.Width));
        // A column pass is a row pass whose "pixels" are whole rows.
        return Along(wide, 1, from.Height * to.Width * channels, to.Width * channels, Taps(from.Height, to.Height));
    }

    private static byte[] Along(byte[] source, int lines, int lineLength, int step, (int First, int[] Weights)[] taps)
    {
        var result = new byte[lines * taps.Length * step];
        for (var line = 0; line < lines; line++)
            for (var i = 0; i < taps.Length; i++)
            {
                var (first, weights) = taps[i];
                var from = line * lineLength + first * step;
                var to = (line * taps.Length + i) * step;
                for (var c = 0; c < step; c++)
                {
                    var sum = 1 << (Precision - 1);
                    for (var k = 0; k < weights.Length; k++) sum += source[from + k * step + c] * weights[k];
                    result[to + c] = (byte)Math.Clamp(sum >> Precision, 0, 255);
                }
            }
        return result;
    }

    private static (int First, int[] Weights)[] Taps(int from, int to)
    {
        var scale = (double)from / to;
        var support = Math.Max(scale, 1.0);
        var taps = new (int, int[])[to];
        for (var i = 0; i < to; i++)
        {
            var centre = (i + 0.5) * scale;
            var first = Math.Max(0, (int)(centre - support + 0.5));
            var last = Math.Min(from, (int)(centre + support + 0.5));
            var weights = new double[last - first];
            for (var k = 0; k < weights.Length; k++) weights[k] = Math.Max(0, 1 - Math.Abs((first + k - centre + 0.5) / support));
            var sum = weights.Sum();
            taps[i] = (first, Array.ConvertAll(weights, w => (int)(w / sum * (1 << Precision) + 0.5)));
        }
        return taps;
    }

    private static int[] Nearest(int from, int to)
    {
        var index = new int[to];
        for (var i = 0; i < to; i++) index[i] = Math.Min(from - 1, (int)((i + 0.5) * from / to));
        return index;
    }
}
