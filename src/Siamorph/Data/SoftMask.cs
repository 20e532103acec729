using Siamorph.Data.Phantom;
using Siamorph.Imaging;

namespace Siamorph.Data;

/// <summary>
/// A mask as probabilities: of each annotator the grey level / 255 (class numbers: 0 or 1), where wanted with a soft band
/// around the outline, and the mean over the annotators (label averaging: Lemay et al. 2022, arXiv 2202.07550; soft training:
/// Gros, Lemay and Cohen-Adad 2020, arXiv 2011.09041).
/// </summary>
internal static class SoftMask
{
    /// <summary>Reads all masks of a pair.</summary>
    /// <param name="pair">An unlabelled image has no mask to read.</param>
    /// <param name="boundaryWidth">See <see cref="LabelReading.BoundaryWidth"/>; grey masks are soft already and get no
    /// band.</param>
    /// <returns>255 · probability.</returns>
    /// <exception cref="InvalidDatasetException">A file is missing or damaged, the masks differ in size, or there are several
    /// classes.</exception>
    public static GreyImage Read(ImageMaskPair pair, double boundaryWidth)
    {
        ArgumentNullException.ThrowIfNull(pair);
        if (MaskHint.HasColours(pair.Classes))
            throw new InvalidDatasetException(
                $"{pair.MaskPath}: soft labels are for lesion against background; its folder has {pair.Classes!.Count} classes. "
                    + $"Use hard labels.");
        var maps = PairFiles.MaskPaths(pair).Select(path => (Path: path, Map: OfAnnotator(path, pair, boundaryWidth))).ToList();
        if (maps.Find(m => m.Map.Size != maps[0].Map.Size) is { Path: { } other } odd)
            throw new InvalidDatasetException(
                $"{other}: mask is {odd.Map.Size}, that of another annotator {maps[0].Map.Size}. Give all masks of an image "
                    + $"its size.");
        var mean = new byte[maps[0].Map.Levels.Length];
        for (var i = 0; i < mean.Length; i++) mean[i] = (byte)Math.Round(maps.Average(m => m.Map.Levels[i]));
        return new(maps[0].Map.Size, mean, Lossless: true);
    }

    /// <summary>A black-and-white mask with a soft band: ½ on its outline, rising by 1 over the band's width.</summary>
    /// <param name="mask">Every class but 0 is the lesion.</param>
    /// <param name="width">Of the band, in pixels; 0 leaves the mask hard.</param>
    /// <returns>255 · probability. A mask that is empty or full has no outline and stays as it is.</returns>
    public static GreyImage WithBand(LabelMap mask, double width)
    {
        ArgumentNullException.ThrowIfNull(mask);
        var marked = mask.Labels.Count(l => l != 0);
        if (width <= 0 || marked == 0 || marked == mask.Labels.Length)
            return new(mask.Size, Array.ConvertAll(mask.Labels, l => l != 0 ? (byte)255 : (byte)0), Lossless: true);
        var (inside, outside) = (Distance(mask, lesion: true), Distance(mask, lesion: false));
        var levels = new byte[mask.Labels.Length];
        for (var i = 0; i < levels.Length; i++)
            levels[i] = (byte)Math.Round(255 * Math.Clamp(0.5 + (inside[i] - outside[i]) / width, 0, 1));
        return new(mask.Size, levels, Lossless: true);
    }

    private static GreyImage OfAnnotator(string path, ImageMaskPair pair, double boundaryWidth) =>
        Of(path == pair.MaskPath ? PairFiles.ReadMaskLevels(pair)
        : ImageFile.ReadMaskLevels(path), pair.Classes, path, boundaryWidth);

    /// <summary>One mask as probabilities.</summary>
    /// <param name="levels">What its file stores.</param>
    /// <param name="classes">Their table; null for lesion against background.</param>
    /// <param name="path">To name in errors.</param>
    /// <param name="boundaryWidth">See <see cref="LabelReading.BoundaryWidth"/>.</param>
    public static GreyImage Of(GreyImage levels, ClassTable? classes, string path, double boundaryWidth)
    {
        ArgumentNullException.ThrowIfNull(levels);
        var hard = classes is not null ? classes.Labels(levels, path) : IsHard(levels) ? MaskLevels.Binarise(levels) : null;
        return hard is null ? levels : WithBand(hard, boundaryWidth * Math.Min(levels.Size.Width, levels.Size.Height));
    }

    // Class numbers, or black and white; a few levels of ringing around the two count as the same.
    private static bool IsHard(GreyImage levels) =>
        MaskLevels.AreClassNumbers(levels) || levels.Levels.All(l => l is 0 or 255)
        || (!levels.Lossless && levels.Levels.Count(l => l is > 40 and < 215) < 0.03 * levels.Levels.Length);

    // To the outline, in pixels, within the lesion or outside of it; elsewhere 0.
    private static float[] Distance(LabelMap mask, bool lesion)
    {
        var field = new Field(mask.Size.Width, mask.Size.Height);
        for (var i = 0; i < field.Values.Length; i++) field.Values[i] = mask.Labels[i] != 0 == lesion ? 1 : 0;
        return Array.ConvertAll(DistanceField.Inside(field).Values, d => d / field.Pixel);
    }
}
