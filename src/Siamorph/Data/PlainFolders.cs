using System.Text.RegularExpressions;
using Siamorph.Imaging;

namespace Siamorph.Data;

// Images and masks in two folders of one name each, or side by side; also below train/, val/ and test/.
internal static partial class PlainFolders
{
    // Endings that tell a mask from its image, longest first.
    private static readonly string[] MaskSuffixes =
        ["_segmentation", "_groundtruth", "-segmentation", "_label", "_mask", "-mask", "_gt", "_seg"];

    private static readonly string[] MaskFolders = ["mask", "groundtruth", "ground truth", "ground_truth", "label", "gt", "segmentation", "annotation"];
    private static readonly string[] ImageFolders = ["image", "original", "input", "img"];
    private static readonly (string Folder, string Split)[] SplitFolders =
        [("train", "train"), ("training", "train"), ("val", "val"), ("valid", "val"), ("validation", "val"), ("test", "test")];

    internal static readonly string[] Own = ["images", "masks"];

    internal static Dataset Read(string folder)
    {
        var collector = new PairCollector(folder);
        var parts = SplitFolders.Where(s => Directory.Exists(Path.Combine(folder, s.Folder))).ToList();
        foreach (var (part, split) in parts) AddPart(collector, Path.Combine(folder, part), split);
        if (parts.Count == 0) AddPart(collector, folder, null);
        return collector.ToDataset("images and masks");
    }

    internal static List<string> Pictures(string folder) => !Directory.Exists(folder) ? [] :
        [.. Directory.EnumerateFiles(folder).Where(ImageFile.IsPicture).Order(StringComparer.Ordinal)];

    // Names pictures in images/ and masks/ that no pair uses.
    internal static void ReportUnlisted(string folder, PairCollector collector)
    {
        foreach (var path in Own.SelectMany(f => Pictures(Path.Combine(folder, f))).Where(p => !collector.Uses(p)))
            collector.Report(Finding.Warning(FindingCodes.UnlistedFile, collector.Name(path), "is in no pair. Add it to the manifest or remove the file."));
    }

    private static void AddPart(PairCollector collector, string folder, string? split)
    {
        var (images, masks, annotators) = Sort(folder);
        var imageOf = ByStem(collector, images, Path.GetFileNameWithoutExtension);
        // A suffix belongs to the stem where an image has it too.
        var maskOf = ByStem(collector, masks, p => imageOf.ContainsKey(Path.GetFileNameWithoutExtension(p)) ? Path.GetFileNameWithoutExtension(p) : MaskStem(p));
        foreach (var (stem, image) in imageOf)
            if (maskOf.TryGetValue(stem, out var mask))
                collector.Add(new ImageMaskPair { Id = stem, ImagePath = image, MaskPath = mask, Split = split, OtherMaskPaths = [.. annotators.Select(a => a.GetValueOrDefault(stem)).OfType<string>()] });
            else collector.Report(Finding.Error(FindingCodes.MissingMask, collector.Name(image), "has no mask of its name. Add the mask or remove the image."));
        foreach (var (stem, mask) in maskOf.Where(m => !imageOf.ContainsKey(m.Key)))
            collector.Report(Finding.Error(FindingCodes.MissingImage, collector.Name(mask), "has no image of its name. Add the image or remove the mask."));
    }

    // Two folders where the names say which is which, else the files of the folder by their suffix.
    private static (List<string> Images, List<string> Masks, List<Dictionary<string, string>> Annotators) Sort(string folder)
    {
        var folders = Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal).ToList();
        var maskFolders = folders.Where(f => Named(f, MaskFolders)).ToList();
        var further = maskFolders.Select(f => (Folder: f, Number: Annotator(f, maskFolders))).Where(f => f.Number > 1).OrderBy(f => f.Number).ToList();
        var annotators = further.Select(f => Pictures(f.Folder).GroupBy(MaskStem).ToDictionary(g => g.Key, g => g.First())).ToList();
        var masks = maskFolders.Except(further.Select(f => f.Folder)).SelectMany(Pictures).ToList();
        var images = folders.Where(f => Named(f, ImageFolders) && !Named(f, MaskFolders)).SelectMany(Pictures).ToList();
        foreach (var path in Pictures(folder)) (HasMaskSuffix(path) ? masks : images).Add(path);
        // ISIC's masks may also lie among the images.
        if (masks.Count == 0)
        {
            masks = [.. images.Where(HasMaskSuffix)];
            images = [.. images.Where(p => !HasMaskSuffix(p))];
        }
        return (images, masks, annotators);
    }

    [GeneratedRegex(@"^(?<base>.*?\D)[ _-]?(?<number>\d{1,2})$")]
    private static partial Regex NumberedName();

    // 2, 3, … for masks_2, masks_3 beside masks or masks_1: the same images by further annotators; 1 for all others.
    private static int Annotator(string folder, List<string> maskFolders)
    {
        if (NumberedName().Match(Path.GetFileName(folder)) is not { Success: true } match) return 1;
        var (stem, number) = (match.Groups["base"].Value.TrimEnd(' ', '_', '-'), int.Parse(match.Groups["number"].ValueSpan, System.Globalization.CultureInfo.InvariantCulture));
        string[] firsts = [stem, $"{stem}_1", $"{stem}-1", $"{stem} 1", $"{stem}1"];
        return number > 1 && maskFolders.Exists(f => firsts.Contains(Path.GetFileName(f), StringComparer.OrdinalIgnoreCase)) ? number : 1;
    }

    private static SortedDictionary<string, string> ByStem(PairCollector collector, List<string> paths, Func<string, string> stemOf)
    {
        var byStem = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var path in paths)
        {
            var stem = stemOf(path);
            if (!byStem.TryAdd(stem, path))
                collector.Report(Finding.Warning(
                    FindingCodes.AmbiguousStem, collector.Name(path), $"has the same stem as {collector.Name(byStem[stem])}, which is used. Remove one of them."));
        }
        return byStem;
    }

    private static string MaskStem(string path)
    {
        var stem = Path.GetFileNameWithoutExtension(path);
        var suffix = Array.Find(MaskSuffixes, s => stem.EndsWith(s, StringComparison.OrdinalIgnoreCase));
        return suffix is null ? stem : stem[..^suffix.Length];
    }

    private static bool HasMaskSuffix(string path) => MaskStem(path).Length < Path.GetFileNameWithoutExtension(path).Length;

    private static bool Named(string folder, string[] words) =>
        Array.Exists(words, w => Path.GetFileName(folder).Contains(w, StringComparison.OrdinalIgnoreCase));
}
