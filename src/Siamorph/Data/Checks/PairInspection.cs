using System.Globalization;
using System.Security.Cryptography;
using Siamorph.Imaging;

namespace Siamorph.Data.Checks;

// Opens the two images of one pair and notes what is wrong with each of them and with both together.
internal sealed class PairInspection
{
    private const double NearlyBinaryShare = 0.97;
    private const int NearBinary = 40;
    private const double WideDisagreement = 0.7;
    private const double ClippedShare = 0.3;
    private const int DarkLevel = 32;
    private readonly LabelKind _labels;
    private readonly ImageMaskPair _pair;
    private readonly List<Finding> _findings = [];

    internal PairInspection(ImageMaskPair pair, LabelKind labels)
    {
        (_pair, _labels) = (pair, labels);
        var image = Try(() => PairFiles.ReadImage(pair));
        if (image is not null)
        {
            (Print, Size) = (new Fingerprint(image), image.Size);
            InspectBrightness(image);
            if (ImageFile.Identify(pair.ImagePath).Rotated)
                Warn(FindingCodes.Rotated, "the image carries an orientation tag that its mask has not; it is used as stored. "
                    + "Check that the two agree.");
        }
        if (Try(() => PairFiles.ReadMaskLevels(pair)) is not { } levels) return;
        if (pair.Classes is null) InspectLevels(levels);
        var mask = pair.Classes is null ? MaskLevels.Binarise(levels) : Try(() => pair.Classes.Labels(levels, pair.MaskPath));
        if (mask is null) return;
        if (pair.Classes is null && MaskLevels.HoldsSomething(levels))
            LargestLevel = Math.Max(levels.Largest, levels.Levels.Max());
        InspectShape(mask, levels);
        MaskHash = Convert.ToHexString(SHA256.HashData(mask.Labels));
        if (image is not null && image.Size != mask.Size)
            Fail(FindingCodes.SizeMismatch,
                $"the mask is {mask.Size}, its image {image.Size}. Resize the mask or remove the pair.");
        if (pair.OtherMaskPaths.Count > 0) CompareAnnotators(mask);
    }

    internal IReadOnlyList<Finding> Findings => _findings;

    internal Fingerprint? Print { get; }

    internal ImageSize? Size { get; }

    internal string? MaskHash { get; }

    // Mean Dice of every two annotators; null where there is one.
    internal double? Agreement { get; private set; }

    // The largest number that the mask file stores; 0 where it stores nothing else, or has classes.
    internal double LargestLevel { get; }

    // Share of the lesion in the image, 0…1.
    internal double? Area { get; private set; }

    private void CompareAnnotators(LabelMap reference)
    {
        var masks = new List<LabelMap> { reference };
        foreach (var path in _pair.OtherMaskPaths)
        {
            if (Try(() => PairFiles.ReadMask(_pair with { MaskPath = path })) is not { } mask) continue;
            if (mask.Size == reference.Size) masks.Add(mask);
            else Fail(FindingCodes.SizeMismatch,
                $"{Path.GetFileName(Path.GetDirectoryName(path))}/{Path.GetFileName(path)} is {mask.Size}, the reference mask "
                    + $"{reference.Size}. Resize or remove it.");
        }
        if (masks.Count < 2) return;
        Agreement = Enumerable.Range(0, masks.Count)
            .SelectMany(a => Enumerable.Range(a + 1, masks.Count - a - 1).Select(b => Dice(masks[a], masks[b]))).Average();
        if (Agreement < WideDisagreement)
            Warn(FindingCodes.AnnotatorDisagreement, string.Create(CultureInfo.InvariantCulture,
                $"its {masks.Count} annotators agree to a Dice of {Agreement:0.00} only. Look at the masks; soft labels keep the "
                    + $"doubt, hard ones take the first mask."));
    }

    private static double Dice(LabelMap a, LabelMap b)
    {
        int common = 0, sum = 0;
        for (var i = 0; i < a.Labels.Length; i++)
        {
            var (x, y) = (a.Labels[i] != 0 ? 1 : 0, b.Labels[i] != 0 ? 1 : 0);
            (common, sum) = (common + (x & y), sum + x + y);
        }
        return sum == 0 ? 1 : 2.0 * common / sum;
    }

    private void InspectLevels(GreyImage levels)
    {
        var counts = new long[256];
        foreach (var level in levels.Levels) counts[level]++;
        var distinct = Math.Max(levels.Distinct, counts.Count(c => c > 0));
        if (levels.Note is { } note) Warn(FindingCodes.UnusualMask, $"{note}. Check that this is right.");
        if (MaskLevels.AreClassNumbers(levels))
        {
            if (distinct > 2) Warn(FindingCodes.SeveralClasses,
                $"the mask holds {distinct - (counts[0] > 0 ? 1 : 0)} numbered classes or regions; all of them are taken as "
                    + $"the lesion.");
            return;
        }
        if (distinct <= 2) return;
        var near = counts.Where((_, level) => level is <= NearBinary or >= 255 - NearBinary).Sum();
        var between = Percent(1 - near / (double)levels.Levels.Length);
        if (near >= NearlyBinaryShare * levels.Levels.Length)
            Warn(FindingCodes.RingedMask, $"the mask has {distinct} grey levels around its outline, as a lossy codec or "
                + $"smoothing leaves them; it is binarised at {MaskLevels.Threshold}.");
        else if (_labels == LabelKind.Soft)
            Warn(FindingCodes.SoftMask, $"{between} of the mask is grey ({distinct} levels): read as probabilities where labels "
                + $"are soft, cut at {MaskLevels.Threshold} for scores.");
        else
            Fail(FindingCodes.NonBinaryMask,
                $"{between} of the mask is neither background nor lesion but grey ({distinct} levels). Save it with 0 and 255 "
                    + $"only; until then it is cut at {MaskLevels.Threshold}.");
    }

    // An image that shows nothing would be learned from all the same.
    private void InspectBrightness(RgbImage image)
    {
        var brightness = new long[256];
        long clipped = 0, count = image.Pixels.Length / 3;
        for (var i = 0; i < image.Pixels.Length; i += 3)
        {
            var (least, most) = (Math.Min(image.Pixels[i], Math.Min(image.Pixels[i + 1], image.Pixels[i + 2])),
                Math.Max(image.Pixels[i], Math.Max(image.Pixels[i + 1], image.Pixels[i + 2])));
            brightness[most]++;
            if (least == 255) clipped++;
        }
        var bright = 255; // all but the brightest hundredth lie at or below it
        for (long above = 0; bright > 0 && (above += brightness[bright]) <= count / 100;) bright--;
        if (!image.Pixels.AsSpan(3).ContainsAnyExcept(image.Pixels[0]))
            Warn(FindingCodes.ConstantImage, "the image is of one grey level. Replace it or remove the pair.");
        else if (bright < DarkLevel) Warn(FindingCodes.DarkImage,
            $"the image is nearly black: 99 % of it lie at or below level {bright} of 255. Check how it was exported.");
        else if (clipped > ClippedShare * count)
            Warn(FindingCodes.ClippedImage,
                $"{Percent(clipped / (double)count)} of the image is at the brightest level. Check how it was exported.");
    }

    private void InspectShape(LabelMap mask, GreyImage levels)
    {
        var area = mask.Labels.Count(l => l != 0) / (double)mask.Labels.Length;
        Area = area;
        var brightest = levels.Levels.Max();
        if (area == 0)
            Warn(FindingCodes.EmptyMask, brightest == 0
                ? "the mask marks nothing. Keep the pair only if the image shows no lesion."
                : $"the mask marks nothing: its brightest level is {brightest}, a lesion needs more than {MaskLevels.Threshold}. "
                + $"Save it with 0 and 255.");
        else if (area == 1) Fail(FindingCodes.FullMask, "the mask marks every pixel. Correct it or remove the pair.");
        else if (LooksInverted(mask, area))
            Warn(FindingCodes.InvertedMask,
                $"the mask marks {Percent(area)} of the image and nearly its whole border: lesion and background seem exchanged. "
                    + $"Invert it if so.");
    }

    // A lesion that fills most of the border leaves an island of background, which is what an exchanged mask looks like.
    private static bool LooksInverted(LabelMap mask, double area)
    {
        if (area <= 0.5) return false;
        var (width, height) = (mask.Size.Width, mask.Size.Height);
        int marked = 0, all = 0;
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x += y == 0 || y == height - 1 ? 1 : Math.Max(1, width - 1))
            {
                all++;
                if (mask.Labels[y * width + x] != 0) marked++;
            }
        return marked >= 0.8 * all;
    }

    private T? Try<T>(Func<T> read) where T : class
    {
        try
        {
            return read();
        }
        catch (InvalidDatasetException e)
        {
            Fail(FindingCodes.Unreadable, e.Message);
            return null;
        }
    }

    private void Fail(string code, string message) => _findings.Add(Finding.Error(code, _pair.Id, message));

    private void Warn(string code, string message) => _findings.Add(Finding.Warning(code, _pair.Id, message));

    private static string Percent(double share) => share.ToString("0.0 %", CultureInfo.InvariantCulture);
}
