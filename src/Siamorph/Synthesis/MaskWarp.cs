using System.Globalization;
using Siamorph.Imaging;

namespace Siamorph.Synthesis;

/// <summary>
/// Where each pixel of a variant looks in the original: an affine map about the lesion's centre, plus smooth waves.
/// </summary>
internal sealed class MaskWarp
{
    private const int Waves = 3;
    private readonly double[] _waves = new double[4 * Waves];
    private double _centreX, _centreY, _cos = 1, _sin, _amplitude;
    private bool _mirrorX, _mirrorY;

    /// <summary>What it does, for the manifest.</summary>
    public string Description { get; private set; } = "none";

    /// <summary>How far the variant is moved, in pixels, to the right and down.</summary>
    public (double X, double Y) Shift { get; set; }

    /// <summary>A random warp within the options.</summary>
    public static MaskWarp Draw(MaskDeformationOptions options, SeededRandom random, LabelMap mask)
    {
        var warp = new MaskWarp { _amplitude = options.Elastic * mask.Size.Width };
        (warp._centreX, warp._centreY) = Centre(mask);
        warp._mirrorX = options.Flip && random.Chance(0.5) && options.Mirrors.LeftRight;
        warp._mirrorY = options.Flip && random.Chance(0.5) && options.Mirrors.TopBottom;
        var angle = random.Uniform(-options.Rotation, options.Rotation);
        var factor = Math.Exp(random.Uniform(-1, 1) * Math.Log(1 + options.Scale));
        (warp._cos, warp._sin) = (Math.Cos(angle * Math.PI / 180) / factor, Math.Sin(angle * Math.PI / 180) / factor);
        for (var i = 0; i < warp._waves.Length; i++) warp._waves[i] = random.Uniform(0, 2 * Math.PI);
        warp.Description = string.Create(CultureInfo.InvariantCulture,
            $"rotated {angle:0.#}°, scaled {factor:0.##}{(warp._mirrorX ? ", mirrored" : "")}"
                + $"{(warp._mirrorY ? ", upside down" : "")}{(options.Elastic > 0 ? ", elastic" : "")}");
        return warp;
    }

    /// <summary>The mask so moved. What comes from beyond its border is background, or the mask mirrored there.</summary>
    public LabelMap Apply(LabelMap mask, bool mirrored = false)
    {
        var (width, height) = (mask.Size.Width, mask.Size.Height);
        var varied = new LabelMap(mask.Size);
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
            {
                var (u, v) = Source(x, y, width, height);
                var (column, row) = ((int)Math.Round(u), (int)Math.Round(v));
                if (mirrored) (column, row) = (Mirrored(column, width), Mirrored(row, height));
                if (column >= 0 && column < width && row >= 0 && row < height)
                    varied.Labels[y * width + x] = mask.Labels[row * width + column];
            }
        return varied;
    }

    /// <summary>The image so moved, bilinearly, and mirrored beyond its border.</summary>
    public RgbImage Apply(RgbImage image)
    {
        var (width, height) = (image.Size.Width, image.Size.Height);
        var varied = new RgbImage(image.Size);
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
            {
                var (u, v) = Source(x, y, width, height);
                var (left, top) = ((int)Math.Floor(u), (int)Math.Floor(v));
                var (fx, fy) = (u - left, v - top);
                var (x0, x1) = (3 * Mirrored(left, width), 3 * Mirrored(left + 1, width));
                var (y0, y1) = (3 * width * Mirrored(top, height), 3 * width * Mirrored(top + 1, height));
                for (var c = 0; c < 3; c++)
                {
                    var above = image.Pixels[y0 + x0 + c] * (1 - fx) + image.Pixels[y0 + x1 + c] * fx;
                    var below = image.Pixels[y1 + x0 + c] * (1 - fx) + image.Pixels[y1 + x1 + c] * fx;
                    varied.Pixels[3 * (y * width + x) + c] = (byte)Math.Round(above * (1 - fy) + below * fy);
                }
            }
        return varied;
    }

    /// <summary>The centre of gravity of all that is no background; the middle where there is nothing.</summary>
    public static (double X, double Y) Centre(LabelMap mask)
    {
        double sumX = 0, sumY = 0, count = 0;
        for (var i = 0; i < mask.Labels.Length; i++)
        {
            if (mask.Labels[i] == 0) continue;
            (sumX, sumY, count) = (sumX + i % mask.Size.Width, sumY + i / mask.Size.Width, count + 1);
        }
        return count > 0 ? (sumX / count, sumY / count) : ((mask.Size.Width - 1) / 2.0, (mask.Size.Height - 1) / 2.0);
    }

    private static int Mirrored(int i, int length)
    {
        var period = 2 * length;
        i = (i % period + period) % period;
        return i < length ? i : period - 1 - i;
    }

    private (double U, double V) Source(int x, int y, int width, int height)
    {
        var (dx, dy) = (0.0, 0.0);
        for (var k = 0; k < Waves; k++)
        {
            var frequency = 2 * Math.PI * (k + 1) / width;
            dx += Math.Sin(frequency * y + _waves[4 * k]) * Math.Cos(frequency * x + _waves[4 * k + 1]) / (k + 1);
            dy += Math.Sin(frequency * x + _waves[4 * k + 2]) * Math.Cos(frequency * y + _waves[4 * k + 3]) / (k + 1);
        }
        var (px, py) = (x - Shift.X - _centreX + _amplitude * dx / 2, y - Shift.Y - _centreY + _amplitude * dy / 2);
        var (u, v) = (_cos * px + _sin * py + _centreX, -_sin * px + _cos * py + _centreY);
        return (_mirrorX ? width - 1 - u : u, _mirrorY ? height - 1 - v : v);
    }
}
