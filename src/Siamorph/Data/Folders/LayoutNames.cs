using System.Text.RegularExpressions;
using Siamorph.Data.Splits;

namespace Siamorph.Data.Folders;

/// <summary>Which folder holds the images and which the masks, told by their names.</summary>
internal static partial class LayoutNames
{
    // Names that mean one thing, the best first; any case.
    private static readonly string[] ExactImages = ["images", "image", "imgs", "img", "originals", "original", "inputs", "input"];
    private static readonly string[] ExactMasks =
        ["1st_manual", "masks", "mask", "groundtruth", "ground truth", "ground_truth", "ground-truth", "gt", "labels", "label",
        "annotations", "annotation", "segmentations", "segmentation"];

    private static readonly string[] ImageWords = ["image", "original", "input", "img"];
    private static readonly string[] MaskWords =
        ["mask", "groundtruth", "ground truth", "ground_truth", "label", "gt", "segmentation", "annotation", "manual"];

    /// <summary>The folders to read at one place, those that could be meant as well, and those of further annotators.</summary>
    public sealed record Choice(FolderTree? Images, FolderTree? Masks, IReadOnlyList<FolderTree> Annotators, string? Doubt);

    public static Choice Choose(FolderTree here)
    {
        var annotators = here.Folders.Select(f => (Folder: f, Number: Annotator(f, here.Folders))).Where(f => f.Number > 1)
            .OrderBy(f => f.Number).Select(f => f.Folder).ToList();
        var rest = here.Folders.Except(annotators).Where(f => !IsContainer(f)).ToList();
        var (masks, masksDoubt) = Best(rest.Where(f => !Names(f, ExactImages)).ToList(), ExactMasks, MaskWords, "masks");
        var (images, imagesDoubt) = Best(rest.Where(f => f != masks && !Named(f, MaskWords)).ToList(), ExactImages,
            ImageWords, "images");
        return new(images, masks, annotators, imagesDoubt ?? masksDoubt);
    }

    /// <summary>Whether the folder is one of a pair of folders, or could be.</summary>
    public static bool IsRole(FolderTree folder) => !IsContainer(folder)
        && (Named(folder, ImageWords) || Named(folder, MaskWords) || Names(folder, ExactImages) || Names(folder, ExactMasks));

    // Holds both kinds of folders itself, whatever its own name says ("segmented-images").
    private static bool IsContainer(FolderTree folder) =>
        folder.Folders.Any(f => Names(f, ExactImages)) && folder.Folders.Any(f => Names(f, ExactMasks));

    /// <summary>The two folders of each split of an ISIC challenge (2016 to 2018).</summary>
    public static IReadOnlyList<(string Split, FolderTree Images, FolderTree Masks)> Isic(FolderTree here)
    {
        var named = here.Folders.Select(f => (Folder: f, Match: IsicName().Match(f.Name))).Where(f => f.Match.Success).ToList();
        return [.. from images in named
                   where !IsTruth(images.Match)
                   let split = SplitNames.Meant(images.Match.Groups["split"].Value)!
                   let masks = named.Find(m => IsTruth(m.Match) && SplitNames.Meant(m.Match.Groups["split"].Value) == split)
                   where masks.Folder is not null
                   select (split, images.Folder, masks.Folder)];
    }

    private static bool IsTruth(Match match) =>
        match.Groups["kind"].Value.Equals("GroundTruth", StringComparison.OrdinalIgnoreCase);

    // ISIC-2017_Training_Data with …_Training_Part1_GroundTruth; parts 2 and 3 are other tasks.
    [GeneratedRegex(
        @"^(ISBI|ISIC)[-_ ]?\d{4}.*_(?<split>Training|Train|Validation|Val|Testing|Test)(_v\d)?_"
        + @"(Part1_|Part1B?_)?(?<kind>Data|Input|GroundTruth)(_v\d)?$", RegexOptions.IgnoreCase)]
    private static partial Regex IsicName();

    // The exact name that comes first; else the only one whose name holds a word; several such leave a doubt.
    private static (FolderTree?, string?) Best(List<FolderTree> folders, string[] exact, string[] words, string role)
    {
        foreach (var name in exact)
            if (folders.Find(f => f.Name.Equals(name, StringComparison.OrdinalIgnoreCase)) is { } found) return (found, null);
        var likely = folders.Where(f => Named(f, words) && f.All.Any(a => a.Pictures.Count > 0)).ToList();
        return likely.Count > 1
            ? (likely[0], $"{string.Join(", ", likely.Select(f => $"{f.Name}/"))} could each hold the {role}; {likely[0].Name}/ "
            + $"is read. Rename the right one to {role}/.")
            : (likely.FirstOrDefault(), null);
    }

    private static bool Names(FolderTree folder, string[] exact) => exact.Contains(folder.Name, StringComparer.OrdinalIgnoreCase);

    private static bool Named(FolderTree folder, string[] words) =>
        Array.Exists(words, w => folder.Name.Contains(w, StringComparison.OrdinalIgnoreCase));

    [GeneratedRegex(@"^(?<base>.*?\D)[ _-]?(?<number>\d{1,2})$")]
    private static partial Regex NumberedName();

    // 2, 3, … for masks_2, masks_3 beside masks or masks_1: the same images by further annotators; 1 for all others.
    private static int Annotator(FolderTree folder, IReadOnlyList<FolderTree> beside)
    {
        if (!Named(folder, MaskWords) || NumberedName().Match(folder.Name) is not { Success: true } match) return 1;
        var (stem, number) = (match.Groups["base"].Value.TrimEnd(' ', '_', '-'),
            int.Parse(match.Groups["number"].ValueSpan, System.Globalization.CultureInfo.InvariantCulture));
        string[] firsts = [stem, $"{stem}_1", $"{stem}-1", $"{stem} 1", $"{stem}1"];
        return number > 1 && beside.Any(f => firsts.Contains(f.Name, StringComparer.OrdinalIgnoreCase)) ? number : 1;
    }
}
