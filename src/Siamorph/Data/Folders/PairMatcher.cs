using Siamorph.Data.Checks;

namespace Siamorph.Data.Folders;

/// <summary>A file, and the folder it lies in below the folder of its kind.</summary>
internal sealed record PlacedFile(string Path, string Folder);

/// <summary>Brings images and masks of one part of a dataset together by place and name.</summary>
internal sealed class PairMatcher(PairCollector collector, string? split)
{
    public void Match(List<PlacedFile> images, List<PlacedFile> masks, IReadOnlyList<List<PlacedFile>> annotators)
    {
        (images, masks) = (Own(images), Own(masks));
        // Masks may also lie among the images, as ISIC's do.
        if (masks.Count == 0)
        {
            masks = [.. images.Where(i => MaskNames.IsMask(i.Path))];
            images = [.. images.Where(i => !MaskNames.IsMask(i.Path))];
        }
        if (images.Count == 0 && masks.Count == 0) return;
        var imageOf = ByKey(images, i => NormalisedName.Of(System.IO.Path.GetFileNameWithoutExtension(i.Path)));
        var further = masks.Where(m => MaskNames.IsFurther(m.Path) && !imageOf.ContainsKey(Key(m, Stem(m.Path)))).ToList();
        // An ending belongs to the name where an image has it too.
        var maskOf = ByKey([.. masks.Except(further)], m => imageOf.ContainsKey(Key(m, Stem(m.Path))) ? Stem(m.Path)
            : MaskNames.Stem(m.Path));
        if (maskOf.Count == 0 && split is "val" or "test") ReportUnmasked(images); // published test sets often have none
        else foreach (var (key, image) in imageOf) AddImage(key, image, maskOf, (further, annotators));
        foreach (var (key, mask) in maskOf)
            if (!collector.IsForeign(mask, "mask"))
                collector.Report(Finding.Error(FindingCodes.MissingImage, collector.Name(mask),
                    "has no image of its name. Add the image or remove the mask."));
    }

    private void AddImage(string key, string image, SortedDictionary<string, string> maskOf,
        (List<PlacedFile> Further, IReadOnlyList<List<PlacedFile>> Annotators) more)
    {
        var found = maskOf.ContainsKey(key) ? key : Elsewhere(key, maskOf);
        if (found is null || !maskOf.Remove(found, out var mask))
        {
            collector.Unmasked(image);
            if (!collector.IsForeign(image, "image"))
                collector.Report(Finding.Error(FindingCodes.MissingMask, collector.Name(image),
                    "has no mask of its name. Add the mask or remove the image."));
            return;
        }
        string[] parts = [.. more.Further.Where(f => Key(f, MaskNames.Stem(f.Path)) == found).Select(f => f.Path)
            .Order(StringComparer.Ordinal)];
        collector.Add(new ImageMaskPair
        {
            Id = System.IO.Path.GetFileNameWithoutExtension(image),
            ImagePath = image,
            MaskPath = mask,
            MoreMaskPaths = parts,
            Split = split,
            OtherMaskPaths = [.. more.Annotators.Select(a =>
                a.Find(m => Key(m, MaskNames.Stem(m.Path)) == found || Key(m, Stem(m.Path)) == found)?.Path).OfType<string>()],
        });
    }

    // Of an image in a folder of its own whose masks all lie together, or that has an ending which its mask lacks.
    private static string? Elsewhere(string key, SortedDictionary<string, string> maskOf)
    {
        var (place, stem) = (key[..(key.LastIndexOf('\n') + 1)], key[(key.LastIndexOf('\n') + 1)..]);
        if (MaskNames.WithoutImageSuffix(stem) is { } shorter && maskOf.ContainsKey(place + shorter)) return place + shorter;
        var same = maskOf.Keys.Where(k => k.EndsWith($"\n{stem}", StringComparison.Ordinal)).Take(2).ToList();
        return same.Count == 1 && (place == ".\n" || same[0].StartsWith(".\n", StringComparison.Ordinal)) ? same[0] : null;
    }

    private void ReportUnmasked(List<PlacedFile> images)
    {
        foreach (var image in images) collector.Unmasked(image.Path);
        var folder = System.IO.Path.GetDirectoryName(images[0].Path)!;
        collector.Report(Finding.Warning(FindingCodes.UnreadFolder, collector.Name(folder),
            $"holds {images.Count} images without any mask; they are in no pair."));
    }

    private List<PlacedFile> Own(List<PlacedFile> files)
    {
        foreach (var file in files.Where(f => MaskNames.IsNeither(f.Path))) collector.PassOver(file.Path);
        return [.. files.Where(f => !MaskNames.IsNeither(f.Path))];
    }

    private SortedDictionary<string, string> ByKey(List<PlacedFile> files, Func<PlacedFile, string> stemOf)
    {
        var byKey = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var file in files)
        {
            var key = Key(file, stemOf(file));
            if (byKey.TryAdd(key, file.Path)) continue;
            collector.PassOver(file.Path);
            collector.Report(Finding.Warning(
                FindingCodes.AmbiguousStem, collector.Name(file.Path),
                $"has the same stem as {collector.Name(byKey[key])}, which is used. Remove one of them."));
        }
        return byKey;
    }

    private static string Stem(string path) => NormalisedName.Of(System.IO.Path.GetFileNameWithoutExtension(path));

    private static string Key(PlacedFile file, string stem) => $"{NormalisedName.Of(file.Folder)}\n{stem}";
}
