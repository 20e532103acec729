using Siamorph.Data.Checks;
using Siamorph.Data.Splits;
using Siamorph.Imaging;

namespace Siamorph.Data.Folders;

// Images and masks in two folders, or side by side, each with whatever folders lie below; also below folders of splits, and
// below folders that are neither, such as one a patient or a class.
internal static class PlainFolders
{
    internal static readonly string[] Own = ["images", "masks"];

    internal static Dataset Read(string folder)
    {
        var collector = new PairCollector(folder);
        var tree = FolderTree.Of(folder);
        AddFolder(collector, tree, null);
        collector.ReportUnread(tree);
        return collector.ToDataset("images and masks");
    }

    internal static List<string> Pictures(string folder) => !Directory.Exists(folder) ? [] :
        [.. Directory.EnumerateFiles(folder).Where(f => ImageFile.IsPicture(f) && !FolderTree.IsHidden(f))
            .Order(StringComparer.Ordinal)];

    // Names images in images/ and masks/ that no pair uses.
    internal static void ReportUnlisted(string folder, PairCollector collector)
    {
        foreach (var path in Own.SelectMany(f => Pictures(Path.Combine(folder, f))).Where(p => !collector.Uses(p)))
            collector.Report(Finding.Warning(FindingCodes.UnlistedFile, collector.Name(path),
                "is in no pair. Add it to the manifest or remove the file."));
        collector.ReportUnread(FolderTree.Of(folder));
    }

    private static void AddFolder(PairCollector collector, FolderTree here, string? split)
    {
        var isic = LayoutNames.Isic(here);
        foreach (var (part, images, masks) in isic) new PairMatcher(collector, part).Match(In(images), In(masks), []);
        here = here.Without([.. isic.SelectMany(i => new[] { i.Images, i.Masks })]);
        List<FolderTree> parts = split is null
            ? [.. here.Folders.Where(f => SplitNames.Meant(f.Name) is not null)
            .OrderBy(f => SplitNames.Order(SplitNames.Meant(f.Name)!))] : [];
        foreach (var part in parts) AddFolder(collector, part, SplitNames.Meant(part.Name));
        // What lies beside test/ alone is there to be trained on; beside train/ it belongs to no split.
        var own = split ?? (parts.Count > 0 && parts.TrueForAll(p => SplitNames.Meant(p.Name) != "train") ? "train" : null);
        var choice = LayoutNames.Choose(here);
        if (choice.Doubt is { } doubt)
            collector.Report(Finding.Error(FindingCodes.AmbiguousFolder, collector.Name(here.Path), doubt));
        var matcher = new PairMatcher(collector, own);
        if (choice.Images is { } images2 && choice.Masks is { } masks2 && IsSplitInside(images2) && IsSplitInside(masks2))
            AddSplitInside(collector, images2, masks2);
        else if (choice.Images is not null || choice.Masks is not null || here.Pictures.Count > 0)
            matcher.Match(In(choice.Images, here.Pictures, mask: false), In(choice.Masks, here.Pictures, mask: true),
                [.. choice.Annotators.Select(a => In(a))]);
        foreach (var other in here.Folders.Except(parts)
            .Where(f => f != choice.Images && f != choice.Masks && !LayoutNames.IsRole(f)))
            AddFolder(collector, other, own);
    }

    // images/train, masks/train, …
    private static bool IsSplitInside(FolderTree role) => role.Pictures.Count == 0 && role.Folders.Count > 0
        && role.Folders.All(f => SplitNames.Meant(f.Name) is not null);

    private static void AddSplitInside(PairCollector collector, FolderTree images, FolderTree masks)
    {
        foreach (var split in images.Folders.Concat(masks.Folders).Select(f => SplitNames.Meant(f.Name)!).Distinct()
            .OrderBy(SplitNames.Order))
            new PairMatcher(collector, split).Match(
                [.. images.Folders.Where(f => SplitNames.Meant(f.Name) == split).SelectMany(f => In(f))],
                [.. masks.Folders.Where(f => SplitNames.Meant(f.Name) == split).SelectMany(f => In(f))], []);
    }

    // All images of a folder with their place below it; of images side by side those whose ending says what they are.
    private static List<PlacedFile> In(FolderTree? role, IReadOnlyList<string>? beside = null, bool mask = false) =>
    [
        .. role?.All.SelectMany(f => f.Pictures.Select(p => new PlacedFile(p, Path.GetRelativePath(role.Path, f.Path)))) ?? [],
        .. (beside ?? []).Where(p => MaskNames.IsMask(p) == mask).Select(p => new PlacedFile(p, ".")),
    ];
}
