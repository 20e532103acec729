namespace Siamorph.Imaging;

/// <summary>Pillow's antialiasing filters; <see cref="Resize.Image"/> is the bilinear one.</summary>
public enum PillowFilter
{
    /// <summary>Triangle.</summary>
    Bilinear,

    /// <summary>Cubic with a = −0.5.</summary>
    Bicubic,

    /// <summary>Windowed sinc over three lobes.</summary>
    Lanczos,
}

/// <summary>Resizes with a filter as wide as the reduction, to the same levels as Pillow.</summary>
public static class PillowResize
{
    private const int Precision = 22;

    /// <summary>The picture at another size; levels are rounded to 8 bits between the two directions.</summary>
    public static RgbImage Image(RgbImage image, ImageSize size, PillowFilter filter)
    {
        ArgumentNullException.ThrowIfNull(image);
        var wide = Along(image.Pixels, image.Size.Height, image.Size.Width * 3, 3, Taps(image.Size.Width, size.Width, filter));
        return new(size, Along(wide, 1, image.Size.Height * size.Width * 3, size.Width * 3, Taps(image.Size.Height, size.Height, filter)));
    }

    // For each pixel of the result the first source pixel and the weights from there on, which add up to 1.
    internal static (int First, double[] Weights)[] Taps(int from, int to, PillowFilter filter)
    {
        var scale = (double)from / to;
        var stretch = Math.Max(scale, 1.0);
        var support = stretch * filter switch { PillowFilter.Bilinear => 1, PillowFilter.Bicubic => 2, _ => 3 };
        var taps = new (int, double[])[to];
        for (var i = 0; i < to; i++)
        {
            var centre = (i + 0.5) * scale;
            var first = Math.Max(0, (int)(centre - support + 0.5));
            var last = Math.Min(from, (int)(centre + support + 0.5));
            var weights = new double[last - first];
            for (var k = 0; k < weights.Length; k++) weights[k] = Value((first + k - centre + 0.5) / stretch, filter);
            var sum = weights.Sum();
            taps[i] = (first, Array.ConvertAll(weights, w => w / sum));
        }
        return taps;
    }

    private static double Value(double x, PillowFilter filter)
    {
        x = Math.Abs(x);
        switch (filter)
        {
            case PillowFilter.Bilinear:
                return Math.Max(0, 1 - x);
            case PillowFilter.Bicubic:
                const double a = -0.5;
                return x < 1 ? ((a + 2) * x - (a + 3)) * x * x + 1 : x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
            default:
                return x < 3 ? Sinc(x) * Sinc(x / 3) : 0;
        }
    }

    private static double Sinc(double x) => x == 0 ? 1 : Math.Sin(Math.PI * x) / (Math.PI * x);

    private static byte[] Along(byte[] source, int lines, int lineLength, int step, (int First, double[] Weights)[] taps)
    {
        var whole = Array.ConvertAll(taps, t => Array.ConvertAll(t.Weights, w => (int)(w * (1 << Precision) + (w < 0 ? -0.5 : 0.5))));
        var result = new byte[lines * taps.Length * step];
        for (var line = 0; line < lines; line++)
            for (var i = 0; i < taps.Length; i++)
                for (var c = 0; c < step; c++)
                {
                    var sum = 1 << (Precision - 1);
                    for (var k = 0; k < whole[i].Length; k++) sum += source[line * lineLength + (taps[i].First + k) * step + c] * whole[i][k];
                    result[(line * taps.Length + i) * step + c] = (byte)Math.Clamp(sum >> Precision, 0, 255);
                }
        return result;
    }
}
