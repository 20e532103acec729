using Siamorph.Imaging;

namespace Siamorph.Segmentation.Batches;

/// <summary>
/// SANet's colour exchange: an image takes the mean and deviation of each Lab channel from another, so that the network
/// learns shapes rather than the colours of one device. Lab is OpenCV's 8-bit form (sRGB, D65).
/// </summary>
internal static class ColourExchange
{
    /// <summary>The image in the colours of the reference. What leaves the 8-bit range is clamped.</summary>
    public static RgbImage Apply(RgbImage image, RgbImage reference)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(reference);
        return LabColour.ToRgb(image.Size, Exchanged(LabColour.FromRgb(image), LabColour.FromRgb(reference), Clamped));
    }

    /// <summary>The same as the authors' code computes it: values outside 8 bits wrap around.</summary>
    internal static RgbImage ApplyAsExecuted(RgbImage image, RgbImage reference) =>
        LabColour.ToRgb(image.Size, Exchanged(LabColour.FromRgb(image), LabColour.FromRgb(reference), Wrapped));

    /// <summary>Interleaved 8-bit Lab with the reference's statistics, cut off to whole numbers.</summary>
    internal static byte[] Exchanged(byte[] lab, byte[] reference, Func<double, byte> cast)
    {
        var result = new byte[lab.Length];
        for (var c = 0; c < 3; c++)
        {
            var (mean, deviation) = Statistics(lab, c);
            var (meanThere, deviationThere) = Statistics(reference, c);
            var factor = deviation > 0 ? 1 / deviation : 0;
            for (var i = c; i < lab.Length; i += 3) result[i] = cast((lab[i] - mean) * factor * deviationThere + meanThere);
        }
        return result;
    }

    /// <summary>Mean and population deviation of one channel of interleaved values.</summary>
    internal static (double Mean, double Deviation) Statistics(byte[] values, int channel)
    {
        double n = values.Length / 3, sum = 0, squares = 0;
        for (var i = channel; i < values.Length; i += 3) sum += values[i];
        var mean = sum / n;
        for (var i = channel; i < values.Length; i += 3) squares += (values[i] - mean) * (values[i] - mean);
        return (mean, Math.Sqrt(squares / n));
    }

    internal static byte Clamped(double value) => (byte)Math.Clamp(value, 0, 255);

    internal static byte Wrapped(double value) => unchecked((byte)(long)value);
}

/// <summary>8-bit Lab as OpenCV has it: L · 255/100, a + 128, b + 128, of sRGB under D65.</summary>
internal static class LabColour
{
    // Fixed-point numbers of 3, 12 and 15 bits, which make the levels those of OpenCV to the last bit.
    private const int LinearBits = 3, WeightBits = 12, CurveBits = 15;
    private const double WhiteX = 0.950456, WhiteZ = 1.088754;

    private static readonly int[] Linear =
        [.. Enumerable.Range(0, 256).Select(v => (int)(255 * (1 << LinearBits) * ToLinear(v / 255.0) + 0.5))];

    private static readonly int[] Curve =
        [.. Enumerable.Range(0, 256 * 3 / 2 << LinearBits)
        .Select(i => (int)((1 << CurveBits) * CurveOf(i / (255.0 * (1 << LinearBits))) + 0.5))];

    private static readonly int[] X = Weights(WhiteX, 0.412453, 0.357580, 0.180423);
    private static readonly int[] Y = Weights(1, 0.212671, 0.715160, 0.072169);
    private static readonly int[] Z = Weights(WhiteZ, 0.019334, 0.119193, 0.950227);

    public static byte[] FromRgb(RgbImage image)
    {
        const int half = 128 << CurveBits, scale = (116 * 255 + 50) / 100, shift = -((16 * 255 * (1 << CurveBits) + 50) / 100);
        var lab = new byte[image.Pixels.Length];
        for (var i = 0; i < lab.Length; i += 3)
        {
            var (r, g, b) = (Linear[image.Pixels[i]], Linear[image.Pixels[i + 1]], Linear[image.Pixels[i + 2]]);
            int At(int[] w) => Curve[(r * w[0] + g * w[1] + b * w[2] + (1 << (WeightBits - 1))) >> WeightBits];
            var (x, y, z) = (At(X), At(Y), At(Z));
            lab[i] = Descale(scale * y + shift);
            lab[i + 1] = Descale(500 * (x - y) + half);
            lab[i + 2] = Descale(200 * (y - z) + half);
        }
        return lab;
    }

    public static RgbImage ToRgb(ImageSize size, byte[] lab)
    {
        var pixels = new byte[lab.Length];
        for (var i = 0; i < lab.Length; i += 3)
        {
            var (l, a, b) = (lab[i] * 100 / 255.0, lab[i + 1] - 128.0, lab[i + 2] - 128.0);
            var fy = (l + 16) / 116;
            double y;
            if (l <= 8) (y, fy) = (l / 903.3, 7.787 * (l / 903.3) + 16.0 / 116);
            else y = fy * fy * fy;
            var (x, z) = (Inverse(fy + a / 500) * WhiteX, Inverse(fy - b / 200) * WhiteZ);
            pixels[i] = Level(3.240479 * x - 1.537150 * y - 0.498535 * z);
            pixels[i + 1] = Level(-0.969256 * x + 1.875991 * y + 0.041556 * z);
            pixels[i + 2] = Level(0.055648 * x - 0.204043 * y + 1.057311 * z);
        }
        return new RgbImage(size, pixels);
    }

    private static int[] Weights(double white, params double[] rgb) =>
        [.. rgb.Select(w => (int)Math.Round((1 << WeightBits) * w / white))];

    private static byte Descale(int value) => (byte)Math.Clamp((value + (1 << (CurveBits - 1))) >> CurveBits, 0, 255);

    private static double CurveOf(double t) => t < 0.008856 ? 7.787 * t + 16.0 / 116 : Math.Cbrt(t);

    private static double Inverse(double f) => f > 6.0 / 29 ? f * f * f : (f - 16.0 / 116) / 7.787;

    private static double ToLinear(double v) => v <= 0.04045 ? v / 12.92 : Math.Pow((v + 0.055) / 1.055, 2.4);

    private static byte Level(double linear)
    {
        var v = Math.Clamp(linear, 0, 1);
        return Round(255 * (v <= 0.0031308 ? 12.92 * v : 1.055 * Math.Pow(v, 1 / 2.4) - 0.055));
    }

    private static byte Round(double value) => (byte)Math.Clamp(Math.Round(value), 0, 255);
}
