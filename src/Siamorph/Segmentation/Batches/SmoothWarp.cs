using Siamorph.Imaging;

namespace Siamorph.Segmentation.Batches;

/// <summary>
/// A smooth change of shape for one training image and its mask: a small turn, another size, and slow random waves.
/// </summary>
internal sealed class SmoothWarp
{
    private const int Waves = 2;
    private readonly ImageSize _size;
    private readonly double[] _phases = new double[4 * Waves];
    private double _cos = 1, _sin, _amplitude;

    private SmoothWarp(ImageSize size) => _size = size;

    /// <summary>
    /// Where a pixel of the varied image comes from: four pixels of the source, and how far it lies right and down between them.
    /// </summary>
    internal readonly record struct SourcePixels(int A, int B, int C, int D, float Right, float Down);

    /// <summary>Draws one; null where the options ask for none.</summary>
    public static SmoothWarp? Draw(AugmentationOptions options, SeededRandom random, ImageSize size)
    {
        if (options is { Rotation: 0, Zoom: 0, Elastic: 0 }) return null;
        var angle = random.Uniform(-1, 1) * options.Rotation * Math.PI / 180;
        var factor = Math.Exp(random.Uniform(-1, 1) * Math.Log(1 + options.Zoom));
        var warp = new SmoothWarp(size)
        {
            _cos = Math.Cos(angle) / factor, _sin = Math.Sin(angle) / factor, _amplitude = options.Elastic * size.Width,
        };
        for (var i = 0; i < warp._phases.Length; i++) warp._phases[i] = random.Uniform(0, 2 * Math.PI);
        return warp;
    }

    /// <summary>
    /// Where all pixels come from, once for the planes of an image and its mask; what lies outside the image is its mirror image.
    /// </summary>
    /// <param name="walk">Where the symmetry of the grid starts in the source and how it steps right and down.</param>
    /// <param name="spots">Receives one for each pixel, row by row.</param>
    public void Trace((int Start, int Right, int Down) walk, Span<SourcePixels> spots)
    {
        var (width, height) = (_size.Width, _size.Height);
        // Each wave is a product of one function of the column and one of the row.
        double[][] ofColumn = [.. Enumerable.Range(0, 2 * Waves)
            .Select(k => Wave(width, k / 2, _phases[2 * k + 1 - k % 2], sine: k % 2 == 1))];
        double[][] ofRow = [.. Enumerable.Range(0, 2 * Waves)
            .Select(k => Wave(height, k / 2, _phases[2 * k + k % 2], sine: k % 2 == 0))];
        var (centreX, centreY) = ((width - 1) / 2.0, (height - 1) / 2.0);
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
            {
                double dx = 0, dy = 0;
                for (var k = 0; k < Waves; k++)
                {
                    dx += ofRow[2 * k][y] * ofColumn[2 * k][x] / (k + 1);
                    dy += ofColumn[2 * k + 1][x] * ofRow[2 * k + 1][y] / (k + 1);
                }
                var (px, py) = (x - centreX + _amplitude * dx / 2, y - centreY + _amplitude * dy / 2);
                spots[y * width + x] = Between(_cos * px + _sin * py + centreX, -_sin * px + _cos * py + centreY, walk);
            }
    }

    /// <summary>Fills a plane.</summary>
    /// <param name="from">8-bit values of the source plane.</param>
    /// <param name="into">The varied plane.</param>
    /// <param name="spots">What <see cref="Trace"/> gave.</param>
    /// <param name="table">What becomes of each value.</param>
    /// <param name="smooth">Interpolate between pixels (images), or take the nearest (masks).</param>
    public static void Copy(ReadOnlySpan<byte> from, Span<float> into, ReadOnlySpan<SourcePixels> spots,
        ReadOnlySpan<float> table, bool smooth)
    {
        for (var i = 0; i < into.Length; i++)
        {
            ref readonly var s = ref spots[i];
            if (smooth)
            {
                var (fx, fy) = (s.Right, s.Down);
                into[i] = (table[from[s.A]] * (1 - fx) + table[from[s.B]] * fx) * (1 - fy)
                    + (table[from[s.C]] * (1 - fx) + table[from[s.D]] * fx) * fy;
            }
            else into[i] = table[from[s.Down > 0.5f ? (s.Right > 0.5f ? s.D : s.C) : s.Right > 0.5f ? s.B : s.A]];
        }
    }

    private SourcePixels Between(double u, double v, (int Start, int Right, int Down) walk)
    {
        int left = (int)Math.Floor(u), top = (int)Math.Floor(v);
        int near = Mirrored(left, _size.Width) * walk.Right, far = Mirrored(left + 1, _size.Width) * walk.Right;
        int upper = walk.Start + Mirrored(top, _size.Height) * walk.Down, lower = walk.Start
            + Mirrored(top + 1, _size.Height) * walk.Down;
        return new(upper + near, upper + far, lower + near, lower + far, (float)(u - left), (float)(v - top));
    }

    private double[] Wave(int length, int number, double phase, bool sine)
    {
        var frequency = 2 * Math.PI * (number + 1) / _size.Width;
        var values = new double[length];
        for (var i = 0; i < length; i++) values[i] = sine ? Math.Sin(frequency * i + phase) : Math.Cos(frequency * i + phase);
        return values;
    }

    private static int Mirrored(int at, int length)
    {
        if ((uint)at < (uint)length) return at;
        var period = 2 * length;
        at = (at % period + period) % period;
        return at < length ? at : period - 1 - at;
    }
}
