using Siamorph.Imaging.Formats;

namespace Siamorph.Imaging;

/// <summary>A way in which images from another device, hospital or day differ from those a network has learned from.</summary>
public enum CorruptionKind
{
    /// <summary>Another white balance: the image turns reddish, greenish or bluish, at equal mean gain.</summary>
    ColourCast,

    /// <summary>Out of focus: a Gaussian blur.</summary>
    Blur,

    /// <summary>Sensor noise: Gaussian, each channel on its own.</summary>
    Noise,

    /// <summary>Strong JPEG compression.</summary>
    Jpeg,

    /// <summary>Uneven light: one side too bright, the other too dark.</summary>
    Illumination,
}

/// <summary>
/// Corrupts images in five ways at three strengths, in the manner of ImageNet-C (Hendrycks and Dietterich 2019,
/// arXiv 1903.12261) with the kinds that endoscopes and dermatoscopes show. What is drawn (direction of the cast, pattern of
/// the noise, side of the light) depends on the seed alone and only grows with the strength.
/// </summary>
internal static class Corruption
{
    /// <summary>Strengths run from 1 (slight) to this (severe).</summary>
    public const int Strengths = 3;

    private static readonly double[] CastGain = [0.10, 0.20, 0.35];
    private static readonly double[] BlurShare = [0.012, 0.024, 0.048];
    private static readonly double[] NoiseDeviation = [0.04, 0.08, 0.16];
    private static readonly int[] JpegQuality = [25, 12, 5];
    private static readonly double[] LightGain = [0.3, 0.6, 1.0];

    /// <summary>Every kind, in the order in which reports show them.</summary>
    public static IReadOnlyList<CorruptionKind> Kinds { get; } = Enum.GetValues<CorruptionKind>();

    /// <summary>The corrupted image; a pure function of its arguments.</summary>
    /// <param name="image">Left as it is.</param>
    /// <param name="kind">In which way.</param>
    /// <param name="strength">1 to <see cref="Strengths"/>.</param>
    /// <param name="seed">Decides what is drawn; give each image its own, and one image the same at all strengths.</param>
    /// <exception cref="ArgumentOutOfRangeException">The kind or the strength is none of those.</exception>
    public static RgbImage Apply(RgbImage image, CorruptionKind kind, int strength, Seed seed)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentOutOfRangeException.ThrowIfLessThan(strength, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(strength, Strengths);
        var at = strength - 1;
        return kind switch
        {
            CorruptionKind.ColourCast => ColourCast(image, CastGain[at], seed),
            CorruptionKind.Blur => Blur(image, BlurShare[at] * Math.Min(image.Size.Width, image.Size.Height)),
            CorruptionKind.Noise => Noise(image, 255 * NoiseDeviation[at], seed),
            CorruptionKind.Jpeg => SkiaCodec.ThroughJpeg(image, JpegQuality[at]),
            CorruptionKind.Illumination => Illumination(image, LightGain[at], seed),
            _ => throw new ArgumentOutOfRangeException(nameof(kind)),
        };
    }

    /// <summary>What a kind does at each strength, for reports and manuals.</summary>
    public static string Describe(CorruptionKind kind) => kind switch
    {
        CorruptionKind.ColourCast => $"channels scaled by up to e^±{Text(CastGain)}, in a direction drawn for each image",
        CorruptionKind.Blur => $"Gaussian blur of {Text(BlurShare)} of the shorter side",
        CorruptionKind.Noise => $"Gaussian noise of deviation {Text(NoiseDeviation)} of the full range",
        CorruptionKind.Jpeg => $"JPEG at quality {string.Join(", ", JpegQuality)}, colours at half resolution",
        _ => $"light that changes from e^−s to e^s across the image, s = {Text(LightGain)}, from a side drawn for each image",
    };

    private static string Text(double[] values) =>
        string.Join(", ", values.Select(v => v.ToString("0.###", System.Globalization.CultureInfo.InvariantCulture)));

    // Three directions at 120° from each other: the logarithms of the gains add up to 0.
    private static RgbImage ColourCast(RgbImage image, double amount, Seed seed)
    {
        var angle = seed.Random().Uniform(0, 2 * Math.PI);
        var gains = Enumerable.Range(0, 3).Select(c => Math.Exp(amount * Math.Cos(angle - 2 * Math.PI * c / 3))).ToArray();
        return EachValue(image, (level, i) => level * gains[i % 3]);
    }

    private static RgbImage Noise(RgbImage image, double deviation, Seed seed)
    {
        var random = seed.Random();
        return EachValue(image, (level, _) => level + deviation * random.Normal());
    }

    private static RgbImage Illumination(RgbImage image, double amount, Seed seed)
    {
        var angle = seed.Random().Uniform(0, 2 * Math.PI);
        var (width, height) = (image.Size.Width, image.Size.Height);
        var (right, down) = (Math.Cos(angle), Math.Sin(angle));
        var reach = Math.Abs(right) + Math.Abs(down); // of the corner in that direction
        return EachValue(image, (level, i) =>
        {
            var (x, y) = ((i / 3 % width + 0.5) / width * 2 - 1, ((i / 3 / width) + 0.5) / height * 2 - 1);
            return level * Math.Exp(amount * (right * x + down * y) / reach);
        });
    }

    private static RgbImage EachValue(RgbImage image, Func<byte, int, double> change)
    {
        var result = new RgbImage(image.Size);
        for (var i = 0; i < result.Pixels.Length; i++) result.Pixels[i] = ToLevel(change(image.Pixels[i], i));
        return result;
    }

    // Rows, then columns; the border repeats.
    private static RgbImage Blur(RgbImage image, double sigma)
    {
        var (width, height) = (image.Size.Width, image.Size.Height);
        var reach = Math.Max(1, (int)Math.Ceiling(3 * sigma));
        var weights = Enumerable.Range(-reach, 2 * reach + 1).Select(d => Math.Exp(-d * d / (2 * sigma * sigma))).ToArray();
        var sum = weights.Sum();
        double[] values = [.. image.Pixels.Select(p => (double)p)], rows = new double[values.Length];
        Along(values, rows, width, 3, start => start / (3 * width) * 3 * width + start % 3);
        Along(rows, values, height, 3 * width, start => start % (3 * width));
        var result = new RgbImage(image.Size);
        for (var i = 0; i < values.Length; i++) result.Pixels[i] = ToLevel(values[i]);
        return result;

        void Along(double[] from, double[] into, int length, int step, Func<int, int> lineOf)
        {
            for (var i = 0; i < from.Length; i++)
            {
                var line = lineOf(i);
                var place = (i - line) / step;
                var total = 0.0;
                for (var k = -reach; k <= reach; k++)
                    total += weights[k + reach] * from[line + Math.Clamp(place + k, 0, length - 1) * step];
                into[i] = total / sum;
            }
        }
    }

    private static byte ToLevel(double value) => (byte)Math.Round(Math.Clamp(value, 0, 255));
}
