using Siamorph.Data;
using Siamorph.Data.Folders;
using Siamorph.Imaging;

namespace Siamorph.Evaluation.ImageSets;

/// <summary>One image of a set.</summary>
/// <param name="Id">Name.</param>
/// <param name="ImagePath">The image.</param>
/// <param name="MaskPath">Its mask, or null.</param>
/// <param name="SourceMask">Id of the mask a synthetic image was made from, or null.</param>
internal sealed record SetImage(string Id, string ImagePath, string? MaskPath, string? SourceMask)
{
    /// <summary>The table that the mask's levels are read by; null where it is lesion against background.</summary>
    public ClassTable? Classes { get; init; }

    /// <summary>How levels of more than 8 bits become an image, the same for the whole set; null where it has 8 bits.</summary>
    public IntensityRange? Range { get; init; }

    /// <summary>Further lesions of the mask, in files of their own.</summary>
    public IReadOnlyList<string> MoreMaskPaths { get; init; } = [];

    /// <summary>Opens the image.</summary>
    /// <exception cref="InvalidDatasetException">The file is missing or damaged.</exception>
    public RgbImage Read() => ImageFile.ReadRgb(ImagePath, Range);

    /// <summary>Opens the mask: of several classes their numbers, else 0 and 1.</summary>
    /// <exception cref="InvalidDatasetException">The file is missing or damaged, or holds a level that is no class.</exception>
    /// <exception cref="InvalidOperationException">There is no mask.</exception>
    public LabelMap ReadMask() => PairFiles.ReadMask(new ImageMaskPair
    {
        Id = Id,
        ImagePath = ImagePath,
        MaskPath = MaskPath ?? throw new InvalidOperationException($"{Id} has no mask."),
        MoreMaskPaths = MoreMaskPaths,
        Classes = Classes,
    });
}

/// <summary>A folder of images to be compared with another: a dataset, or images alone.</summary>
/// <param name="Folder">Where they lie.</param>
/// <param name="Images">In order of name.</param>
internal sealed record ImageSet(string Folder, IReadOnlyList<SetImage> Images)
{
    private const string Inner = "images";

    /// <summary>Every image has a mask.</summary>
    public bool HasMasks => Images.All(i => i.MaskPath is not null);

    /// <summary>Lists a folder; nothing is opened.</summary>
    /// <exception cref="InvalidDatasetException">The folder is missing, or holds no image.</exception>
    public static ImageSet Open(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        var dataset = DatasetFolder.List(folder);
        if (dataset.Pairs.Count > 0)
            return new(folder, [.. dataset.Pairs.Where(p => p.Channels is null)
                .Select(p => new SetImage(p.Id, p.ImagePath, p.MaskPath, p.Origin?.SourceMask)
                {
                    Classes = p.Classes, Range = p.Range, MoreMaskPaths = p.MoreMaskPaths,
                }).OrderBy(p => p.Id, StringComparer.Ordinal)]);
        var inner = Path.Combine(folder, Inner);
        var files = ImageFolder.Files(Directory.Exists(inner) ? inner : folder);
        var range = IntensityRange.OfSet(files);
        return new(folder, [.. files.Select(p => new SetImage(Path.GetFileNameWithoutExtension(p), p, null, null)
        {
            Range = range,
        })]);
    }

    /// <summary>Synthetic images with the real one whose mask they were made from, or that has their name.</summary>
    public static IReadOnlyList<(SetImage Real, SetImage Synthetic)> Counterparts(ImageSet real, ImageSet synthetic)
    {
        ArgumentNullException.ThrowIfNull(real);
        ArgumentNullException.ThrowIfNull(synthetic);
        var byId = real.Images.GroupBy(i => i.Id).ToDictionary(g => g.Key, g => g.First());
        return [.. synthetic.Images.Where(s => byId.ContainsKey(s.SourceMask ?? s.Id))
            .Select(s => (byId[s.SourceMask ?? s.Id], s))];
    }
}
