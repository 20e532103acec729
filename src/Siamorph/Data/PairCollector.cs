namespace Siamorph.Data;

// Gathers the pairs of a folder and what is wrong with their names.
internal sealed class PairCollector(string folder)
{
    private readonly List<ImageMaskPair> _pairs = [];
    private readonly List<Finding> _findings = [];
    private readonly HashSet<string> _ids = new(StringComparer.Ordinal);
    private readonly HashSet<string> _files = new(StringComparer.Ordinal);

    internal string Folder => folder;

    // Adds a pair if its files are there; an id already taken gets a number.
    internal void Add(ImageMaskPair pair)
    {
        string[] files = [pair.ImagePath, .. PairFiles.MaskPaths(pair), .. pair.Channels is { } c ? new[] { c.GreenPath, c.BluePath } : []];
        _files.UnionWith(files);
        var missing = files.Where(f => !File.Exists(f)).ToList();
        foreach (var file in missing)
            Report(Finding.Error(FindingCodes.MissingFile, pair.Id, $"{Name(file)} is not there. Restore the file or remove the pair."));
        if (missing.Count == 0) _pairs.Add(pair with { Id = Unused(pair.Id) });
    }

    internal void Report(Finding finding) => _findings.Add(finding);

    internal bool Uses(string path) => _files.Contains(path);

    internal string Name(string path) => Path.GetRelativePath(folder, path).Replace('\\', '/');

    internal Dataset ToDataset(string layout) => new(folder, _pairs) { Findings = _findings, Layout = layout };

    private string Unused(string id)
    {
        var free = id;
        for (var n = 2; !_ids.Add(free); n++) free = $"{id}-{n}";
        return free;
    }
}
