using Siamorph.Imaging;

namespace Siamorph.Segmentation.Batches;

/// <summary>A smooth change of shape for one training image and its mask: a small turn, another size, and slow random waves.</summary>
internal sealed class SmoothWarp
{
    private const int Waves = 2;
    private readonly ImageSize _size;
    private readonly double[] _phases = new double[4 * Waves];
    private double _cos = 1, _sin, _amplitude;

    private SmoothWarp(ImageSize size) => _size = size;

    /// <summary>Draws one; null where the options ask for none.</summary>
    public static SmoothWarp? Draw(AugmentationOptions options, SeededRandom random, ImageSize size)
    {
        if (options is { Rotation: 0, Zoom: 0, Elastic: 0 }) return null;
        var angle = random.Uniform(-1, 1) * options.Rotation * Math.PI / 180;
        var factor = Math.Exp(random.Uniform(-1, 1) * Math.Log(1 + options.Zoom));
        var warp = new SmoothWarp(size) { _cos = Math.Cos(angle) / factor, _sin = Math.Sin(angle) / factor, _amplitude = options.Elastic * size.Width };
        for (var i = 0; i < warp._phases.Length; i++) warp._phases[i] = random.Uniform(0, 2 * Math.PI);
        return warp;
    }

    /// <summary>Fills a plane; what lies outside the picture is its mirror image.</summary>
    /// <param name="from">8-bit values of the source plane.</param>
    /// <param name="into">The varied plane.</param>
    /// <param name="walk">Where the symmetry of the grid starts in the source and how it steps right and down.</param>
    /// <param name="table">What becomes of each value.</param>
    /// <param name="smooth">Interpolate between pixels (images), or take the nearest (masks).</param>
    public void Copy(ReadOnlySpan<byte> from, Span<float> into, (int Start, int Right, int Down) walk, ReadOnlySpan<float> table, bool smooth)
    {
        var (width, height) = (_size.Width, _size.Height);
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
            {
                var (u, v) = Source(x, y);
                int left = (int)Math.Floor(u), top = (int)Math.Floor(v);
                var (fx, fy) = ((float)(u - left), (float)(v - top));
                if (!smooth) (fx, fy) = (MathF.Round(fx), MathF.Round(fy));
                float a = At(from, left, top, walk, table), b = At(from, left + 1, top, walk, table);
                float c = At(from, left, top + 1, walk, table), d = At(from, left + 1, top + 1, walk, table);
                into[y * width + x] = (a * (1 - fx) + b * fx) * (1 - fy) + (c * (1 - fx) + d * fx) * fy;
            }
    }

    private (double U, double V) Source(int x, int y)
    {
        double dx = 0, dy = 0;
        for (var k = 0; k < Waves; k++)
        {
            var frequency = 2 * Math.PI * (k + 1) / _size.Width;
            dx += Math.Sin(frequency * y + _phases[4 * k]) * Math.Cos(frequency * x + _phases[4 * k + 1]) / (k + 1);
            dy += Math.Sin(frequency * x + _phases[4 * k + 2]) * Math.Cos(frequency * y + _phases[4 * k + 3]) / (k + 1);
        }
        var (centreX, centreY) = ((_size.Width - 1) / 2.0, (_size.Height - 1) / 2.0);
        var (px, py) = (x - centreX + _amplitude * dx / 2, y - centreY + _amplitude * dy / 2);
        return (_cos * px + _sin * py + centreX, -_sin * px + _cos * py + centreY);
    }

    private float At(ReadOnlySpan<byte> from, int x, int y, (int Start, int Right, int Down) walk, ReadOnlySpan<float> table)
        => table[from[walk.Start + Mirrored(x, _size.Width) * walk.Right + Mirrored(y, _size.Height) * walk.Down]];

    private static int Mirrored(int at, int length)
    {
        var period = 2 * length;
        at = (at % period + period) % period;
        return at < length ? at : period - 1 - at;
    }
}
