using Siamorph.Imaging;

namespace Siamorph.Data;

/// <summary>Opens the images of a pair.</summary>
internal static class PairFiles
{
    /// <summary>The image, put together from its channels where they are separate files.</summary>
    /// <exception cref="InvalidDatasetException">A file is missing or damaged, or the channels differ in size.</exception>
    public static RgbImage ReadImage(ImageMaskPair pair)
    {
        ArgumentNullException.ThrowIfNull(pair);
        if (pair.Channels is not { } others) return ImageFile.ReadRgb(pair.ImagePath, pair.Range);
        GreyImage[] channels =
            [.. new[] { pair.ImagePath, others.GreenPath, others.BluePath }.Select(path => ImageFile.ReadGrey(path, pair.Range))];
        var size = channels[0].Size;
        if (Array.Exists(channels, c => c.Size != size))
            throw new InvalidDatasetException(
                $"{pair.ImagePath}: its colour channels differ in size. Replace them or remove the pair.");
        var image = new RgbImage(size);
        for (var i = 0; i < image.Pixels.Length; i++) image.Pixels[i] = channels[i % 3].Levels[i / 3];
        return image;
    }

    /// <summary>The masks of all annotators, the reference first.</summary>
    public static IReadOnlyList<string> MaskPaths(ImageMaskPair pair)
    {
        ArgumentNullException.ThrowIfNull(pair);
        return [pair.MaskPath, .. pair.OtherMaskPaths];
    }

    /// <summary>Every file of a pair: image, masks, further lesions, channels.</summary>
    internal static IReadOnlyList<string> All(ImageMaskPair pair) =>
        [pair.ImagePath, .. MaskPaths(pair), .. pair.MoreMaskPaths, .. pair.Channels is { } c
        ? new[] { c.GreenPath, c.BluePath } : []];

    /// <summary>
    /// The mask: class numbers where the pair has a table of classes, otherwise 0 and 1; the union where lesions have files of
    /// their own.
    /// </summary>
    /// <exception cref="InvalidDatasetException">A file is missing or damaged, holds a level that is no class, or differs in
    /// size.</exception>
    public static LabelMap ReadMask(ImageMaskPair pair)
    {
        ArgumentNullException.ThrowIfNull(pair);
        return Joined(ReadMask(pair.MaskPath, pair.Classes), pair);
    }

    /// <summary>A mask file: class numbers where there is a table of classes, otherwise 0 and 1.</summary>
    /// <exception cref="InvalidDatasetException">The file is missing or damaged, or holds a level that is no class.</exception>
    public static LabelMap ReadMask(string path, ClassTable? classes) =>
        classes is null ? ImageFile.ReadMask(path) : classes.Labels(ImageFile.ReadMaskLevels(path), path);

    /// <summary>What the mask file of a pair stores; of several, the union as black and white.</summary>
    /// <exception cref="InvalidDatasetException">A file is missing or damaged, or differs in size.</exception>
    internal static GreyImage ReadMaskLevels(ImageMaskPair pair)
    {
        var first = ImageFile.ReadMaskLevels(pair.MaskPath);
        if (pair.MoreMaskPaths.Count == 0 || pair.Classes is not null) return first;
        var joined = Joined(MaskLevels.Binarise(first), pair);
        return new(joined.Size, Array.ConvertAll(joined.Labels, l => (byte)(255 * l)), Lossless: true)
        {
            Numbers = true, Largest = 255, Distinct = 2, Note = first.Note,
        };
    }

    private static LabelMap Joined(LabelMap mask, ImageMaskPair pair)
    {
        foreach (var path in pair.MoreMaskPaths)
        {
            var more = ReadMask(path, pair.Classes);
            if (more.Size != mask.Size) throw new InvalidDatasetException(
                $"{path}: mask is {more.Size}, the first of its image {mask.Size}. Give both the image's size.");
            for (var i = 0; i < more.Labels.Length; i++)
                if (more.Labels[i] != 0) mask.Labels[i] = more.Labels[i];
        }
        return mask;
    }
}
