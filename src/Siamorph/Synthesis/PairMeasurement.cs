using Siamorph.Evaluation.Masks;
using Siamorph.Imaging;

namespace Siamorph.Synthesis;

/// <summary>A pair as the gate sees it: image, mask, and what networks that never saw it find in it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Image">The image.</param>
/// <param name="Mask">Its mask, of the same size.</param>
/// <param name="Found">Probabilities of lesion by networks trained on other, real pairs; of the same size.</param>
internal sealed record GateInput(string Id, RgbImage Image, LabelMap Mask, ProbabilityMap Found)
{
    /// <summary>Whether it was made of a real image: it is near to that image by intent.</summary>
    public bool IsEditedReal { get; init; }
}

/// <summary>What is measured in one pair by itself.</summary>
internal sealed class PairMeasurement
{
    private const int Band = 2; // pixels on each side of the border

    public PairMeasurement(GateInput pair)
    {
        (Id, IsEditedReal) = (pair.Id, pair.IsEditedReal);
        Agreement = AgreementOf(pair.Mask, pair.Found);
        Difficulty = CrossEntropy(pair.Mask, pair.Found);
        Share = (double)pair.Mask.Labels.Count(l => l != 0) / pair.Mask.Labels.Length;
        Lesions = ConnectedComponents.Of(pair.Mask).Count;
        Contrast = BorderContrast(pair.Image, pair.Mask);
        Thumbnail = new Thumbnail(pair.Image);
        Features = FeaturesOf(pair.Image);
    }

    public string Id { get; }

    /// <summary>Whether it was made of a real image.</summary>
    public bool IsEditedReal { get; }

    /// <summary>How well what was found and the mask agree, in [0,1].</summary>
    public double Agreement { get; }

    /// <summary>Mean cross-entropy of the mask under what was found, in nats.</summary>
    public double Difficulty { get; }

    /// <summary>Share of the image under the mask.</summary>
    public double Share { get; }

    /// <summary>Connected parts of the mask.</summary>
    public int Lesions { get; }

    /// <summary>
    /// Difference of colour across the mask's border, in standard deviations of the image; infinite without a border.
    /// </summary>
    public double Contrast { get; }

    /// <summary>The image at a glance.</summary>
    public Thumbnail Thumbnail { get; }

    /// <summary>Mean and deviation of each colour, roughness, and light at the rim against the middle.</summary>
    public double[] Features { get; }

    /// <summary>
    /// The chance that a pixel under the mask was given a higher probability of lesion than one beside it (area under the ROC
    /// curve, equal ones half). Unlike Dice it needs no threshold: networks that have seen few images rank pixels long before
    /// they dare to claim any. An empty mask gets the share of pixels that are not claimed.
    /// </summary>
    public static double AgreementOf(LabelMap mask, ProbabilityMap found)
    {
        var (inside, outside) = (new long[256], new long[256]);
        for (var i = 0; i < mask.Labels.Length; i++) (mask.Labels[i] != 0 ? inside : outside)[found.Levels[i]]++;
        var (lesion, rest) = (inside.Sum(), outside.Sum());
        if (lesion == 0) return (double)outside[..128].Sum() / rest;
        if (rest == 0) return 1;
        double wins = 0;
        long below = 0;
        for (var level = 0; level < 256; level++)
        {
            wins += inside[level] * (below + 0.5 * outside[level]);
            below += outside[level];
        }
        return wins / lesion / rest;
    }

    private static double CrossEntropy(LabelMap mask, ProbabilityMap found)
    {
        double sum = 0;
        for (var i = 0; i < mask.Labels.Length; i++)
        {
            var p = Math.Clamp(found.Levels[i] / 255.0, 0.002, 0.998);
            sum -= Math.Log(mask.Labels[i] != 0 ? p : 1 - p);
        }
        return sum / mask.Labels.Length;
    }

    /// <summary>
    /// Difference of colour across the mask's border, in standard deviations of the image; infinite without a border.
    /// </summary>
    public static double BorderContrast(RgbImage image, LabelMap mask)
    {
        var (width, height) = (mask.Size.Width, mask.Size.Height);
        Span<double> inside = stackalloc double[3], outside = stackalloc double[3];
        int insideCount = 0, outsideCount = 0;
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
            {
                if (!NearBorder(mask, x, y)) continue;
                var at = y * width + x;
                var sums = mask.Labels[at] != 0 ? inside : outside;
                for (var c = 0; c < 3; c++) sums[c] += image.Pixels[3 * at + c];
                if (mask.Labels[at] != 0) insideCount++;
                else outsideCount++;
            }
        if (insideCount == 0 || outsideCount == 0) return double.PositiveInfinity;
        double contrast = 0;
        for (var c = 0; c < 3; c++)
        {
            var difference = (inside[c] / insideCount - outside[c] / outsideCount) / Math.Max(1, Deviation(image, c));
            contrast += difference * difference / 3;
        }
        return Math.Sqrt(contrast);
    }

    private static bool NearBorder(LabelMap mask, int x, int y)
    {
        var (width, height) = (mask.Size.Width, mask.Size.Height);
        var own = mask.Labels[y * width + x] != 0;
        for (var v = Math.Max(0, y - Band); v <= Math.Min(height - 1, y + Band); v++)
            for (var u = Math.Max(0, x - Band); u <= Math.Min(width - 1, x + Band); u++)
                if (mask.Labels[v * width + u] != 0 != own) return true;
        return false;
    }

    private static double[] FeaturesOf(RgbImage image)
    {
        var (width, height, pixels) = (image.Size.Width, image.Size.Height, image.Pixels);
        double rough = 0, rim = 0, middle = 0;
        int rimCount = 0, middleCount = 0;
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
            {
                var green = pixels[3 * (y * width + x) + 1];
                if (x > 0) rough += Math.Abs(green - pixels[3 * (y * width + x - 1) + 1]);
                if (y > 0) rough += Math.Abs(green - pixels[3 * ((y - 1) * width + x) + 1]);
                var central = Math.Abs(2 * x - width) < width / 2 && Math.Abs(2 * y - height) < height / 2;
                if (central) (middle, middleCount) = (middle + green, middleCount + 1);
                else (rim, rimCount) = (rim + green, rimCount + 1);
            }
        return
        [
            .. Enumerable.Range(0, 3).Select(c => Mean(image, c)), .. Enumerable.Range(0, 3).Select(c => Deviation(image, c)),
            rough / (width * height), rim / Math.Max(1, rimCount) - middle / Math.Max(1, middleCount),
        ];
    }

    private static double Mean(RgbImage image, int channel)
    {
        long sum = 0;
        for (var i = channel; i < image.Pixels.Length; i += 3) sum += image.Pixels[i];
        return 3.0 * sum / image.Pixels.Length;
    }

    private static double Deviation(RgbImage image, int channel)
    {
        var mean = Mean(image, channel);
        double sum = 0;
        for (var i = channel; i < image.Pixels.Length; i += 3) sum += (image.Pixels[i] - mean) * (image.Pixels[i] - mean);
        return Math.Sqrt(3 * sum / image.Pixels.Length);
    }
}
