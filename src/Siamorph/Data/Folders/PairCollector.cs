using Siamorph.Data.Checks;

namespace Siamorph.Data.Folders;

// Gathers the pairs of a folder and what is wrong with their names.
internal sealed class PairCollector(string folder)
{
    private readonly List<ImageMaskPair> _pairs = [];
    private readonly List<Finding> _findings = [];
    private readonly List<string> _unmasked = [];
    private readonly HashSet<string> _ids = new(StringComparer.Ordinal);
    private readonly HashSet<string> _files = new(StringComparer.Ordinal), _foreign = new(StringComparer.OrdinalIgnoreCase);

    internal string Folder => folder;

    // Adds a pair if its files are there; an id already taken is told apart by its folder, else by a number.
    internal void Add(ImageMaskPair pair)
    {
        var files = PairFiles.All(pair);
        _files.UnionWith(files);
        var missing = files.Where(f => !File.Exists(f)).ToList();
        foreach (var file in missing)
            Report(Finding.Error(FindingCodes.MissingFile, pair.Id,
                $"{Name(file)} is not there. Restore the file or remove the pair."));
        if (missing.Count == 0) _pairs.Add(pair with { Id = Unused(pair) });
    }

    internal void Report(Finding finding) => _findings.Add(finding);

    internal bool Uses(string path) => _files.Contains(path);

    // An image without a mask: in no pair, but there to be predicted.
    internal void Unmasked(string path)
    {
        _unmasked.Add(path);
        _files.Add(path);
    }

    // An image that was looked at and is not meant to be read.
    internal void PassOver(string path) => _files.Add(path);

    internal string Name(string path) => Path.GetRelativePath(folder, path) is var name
        && name == "." ? Path.GetFileName(folder) : name.Replace('\\', '/');

    // Whether the file of the same name of the other kind is in a format that is not read: that is said instead.
    internal bool IsForeign(string path, string kind)
    {
        _files.Add(path);
        if (_foreign.Count == 0) _foreign.UnionWith(
            FolderTree.Of(folder).All.SelectMany(f => f.Foreign).Select(ForeignStem).DefaultIfEmpty("/"));
        return _foreign.Contains(kind == "mask" ? MaskNames.Stem(path)
            : NormalisedName.Of(Path.GetFileNameWithoutExtension(path)));
    }

    // Names folders with images of which none was read, and medical formats.
    internal void ReportUnread(FolderTree tree)
    {
        foreach (var unread in tree.All.Where(f => f.Pictures.Count > 0 && !f.Pictures.Any(_files.Contains)))
            Report(Finding.Warning(FindingCodes.UnreadFolder, $"{Name(unread.Path)}/", $"holds {unread.Pictures.Count} images "
                + $"that were not read, because it is not recognised as a folder of images or masks."));
        foreach (var kind in tree.All.SelectMany(f => f.Foreign).GroupBy(f => Format(f)))
            Report(Finding.Error(FindingCodes.FormatNotRead, Name(kind.First()),
                $"{(kind.Count() > 1 ? $"and {kind.Count() - 1} more: " : "")}{kind.Key} is not read. Export the images as PNG "
                    + $"or TIFF (16 bits keep their range), one slice a file."));
    }

    internal Dataset ToDataset(string layout) => new(folder, _pairs)
    {
        Findings = _findings, Layout = layout, Unmasked = _unmasked,
    };

    private static string ForeignStem(string path)
    {
        var name = NormalisedName.Of(Path.GetFileName(path));
        if (name.EndsWith(".nii.gz", StringComparison.OrdinalIgnoreCase)) name = name[..^3];
        return MaskNames.Stem(name);
    }

    private static string Format(string path) => Path.GetExtension(path).ToLowerInvariant() switch
    {
        ".nii" or ".gz" => "NIfTI",
        ".mha" or ".mhd" => "MetaImage",
        ".nrrd" => "NRRD",
        ".svs" or ".ndpi" => "a whole-slide image",
        _ => "DICOM",
    };

    private string Unused(ImageMaskPair pair)
    {
        if (_ids.Add(pair.Id)) return pair.Id;
        var places = Name(Path.GetDirectoryName(pair.ImagePath)!).Split('/')
            .Where(p => !PlainFolders.Own.Contains(p, StringComparer.OrdinalIgnoreCase));
        var id = string.Join('-', [.. places, pair.Id]);
        var free = id;
        for (var n = 2; !_ids.Add(free); n++) free = $"{id}-{n}";
        return free;
    }
}
