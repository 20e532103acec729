using System.Runtime.Intrinsics;

namespace Siamorph.Imaging;

/// <summary>Pillow's antialiasing filters; <see cref="Resize.Image"/> is the bilinear one.</summary>
internal enum PillowFilter
{
    /// <summary>Triangle.</summary>
    Bilinear,

    /// <summary>Cubic with a = −0.5.</summary>
    Bicubic,

    /// <summary>Windowed sinc over three lobes.</summary>
    Lanczos,
}

/// <summary>Resizes with a filter as wide as the reduction, to the same levels as Pillow.</summary>
internal static class PillowResize
{
    private const int Precision = 22, Half = 1 << (Precision - 1);

    /// <summary>The image at another size; levels are rounded to 8 bits between the two directions.</summary>
    public static RgbImage Image(RgbImage image, ImageSize size, PillowFilter filter)
    {
        ArgumentNullException.ThrowIfNull(image);
        return new(size, Levels(image.Pixels, image.Size, size, 3, filter));
    }

    /// <summary>The same of interleaved levels with any number of channels.</summary>
    internal static byte[] Levels(byte[] levels, ImageSize from, ImageSize to, int channels, PillowFilter filter)
    {
        var wide = AlongRows(levels, from, channels, Whole(Taps(from.Width, to.Width, filter)));
        return AlongColumns(wide, to.Width * channels, Whole(Taps(from.Height, to.Height, filter)));
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

    private static (int First, int[] Weights)[] Whole((int First, double[] Weights)[] taps) =>
        Array.ConvertAll(taps, t => (t.First,
        Array.ConvertAll(t.Weights, w => (int)(w * (1 << Precision) + (w < 0 ? -0.5 : 0.5)))));

    private static byte Level(int sum) => (byte)Math.Clamp(sum >> Precision, 0, 255);

    private static byte[] AlongRows(byte[] source, ImageSize size, int channels, (int First, int[] Weights)[] taps)
    {
        var result = new byte[size.Height * taps.Length * channels];
        var to = 0;
        for (var y = 0; y < size.Height; y++)
        {
            var row = source.AsSpan(y * size.Width * channels, size.Width * channels);
            foreach (var (first, weights) in taps)
                for (var c = 0; c < channels; c++)
                {
                    var sum = Half;
                    for (int k = 0, at = first * channels + c; k < weights.Length; k++, at += channels)
                        sum += row[at] * weights[k];
                    result[to++] = Level(sum);
                }
        }
        return result;
    }

    // Whole rows are added up at a time, which the processor does many levels at once.
    private static byte[] AlongColumns(byte[] source, int rowLength, (int First, int[] Weights)[] taps)
    {
        var (result, sums) = (new byte[taps.Length * rowLength], new int[rowLength]);
        for (var y = 0; y < taps.Length; y++)
        {
            Array.Fill(sums, Half);
            var (first, weights) = taps[y];
            for (var k = 0; k < weights.Length; k++)
                AddTimes(source.AsSpan((first + k) * rowLength, rowLength), weights[k], sums);
            var row = result.AsSpan(y * rowLength, rowLength);
            for (var i = 0; i < row.Length; i++) row[i] = Level(sums[i]);
        }
        return result;
    }

    private static void AddTimes(ReadOnlySpan<byte> levels, int weight, Span<int> sums)
    {
        var i = 0;
        for (; i <= levels.Length - Vector128<byte>.Count; i += Vector128<byte>.Count)
        {
            var (low, high) = Vector128.Widen(Vector128.Create(levels[i..]));
            Add(low, sums[i..]);
            Add(high, sums[(i + Vector128<ushort>.Count)..]);
        }
        for (; i < levels.Length; i++) sums[i] += levels[i] * weight;

        void Add(Vector128<ushort> some, Span<int> to)
        {
            var (low, high) = Vector128.Widen(some);
            (Vector128.Create<int>(to) + low.AsInt32() * weight).CopyTo(to);
            (Vector128.Create<int>(to[Vector128<int>.Count..]) + high.AsInt32() * weight).CopyTo(to[Vector128<int>.Count..]);
        }
    }
}
