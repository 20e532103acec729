namespace Siamorph.Studio.Folders;

/// <summary>What a folder holds.</summary>
internal enum FolderKind
{
    /// <summary>Pairs of images and masks.</summary>
    Dataset,

    /// <summary>A training.</summary>
    Run,

    /// <summary>An experiment.</summary>
    Experiment,

    /// <summary>A reader study.</summary>
    Study,
}

/// <summary>A folder that was recognised.</summary>
/// <param name="Kind">What it holds.</param>
/// <param name="Path">Below the root, with slashes.</param>
/// <param name="Detail">A few words about it.</param>
/// <param name="Changed">When something last changed in it.</param>
/// <param name="Busy">A process works there now.</param>
internal sealed record FolderFacts(FolderKind Kind, string Path, string Detail, DateTime Changed, bool Busy);

/// <summary>
/// Finds datasets, runs, experiments and studies below the root. Nothing is remembered: the folders are the truth.
/// </summary>
internal static class FolderIndex
{
    private const int Deepest = 4, Most = 4000;

    public static IReadOnlyList<FolderFacts> Of(RootFolder root)
    {
        var (found, seen) = (new List<FolderFacts>(), 0);
        Look(new DirectoryInfo(root.Path), 0);
        return [.. found.OrderByDescending(f => f.Changed)];

        void Look(DirectoryInfo folder, int depth)
        {
            if (++seen > Most) return;
            if (KindOf(folder.FullName) is { } kind)
            {
                found.Add(Facts(root, folder, kind));
                if (kind != FolderKind.Dataset) return;
            }
            if (depth == Deepest) return;
            foreach (var inner in Inside(folder)) Look(inner, depth + 1);
        }
    }

    /// <summary>What a folder holds; null where it is none of these.</summary>
    public static FolderKind? KindOf(string path)
    {
        bool Has(string name) => File.Exists(Path.Combine(path, name));
        bool HasFolder(string name) => Directory.Exists(Path.Combine(path, name));
        if (Has("study.json") && Has("items.jsonl")) return FolderKind.Study;
        if (Has("options.json") && (HasFolder("stages") || Has("plan.json"))) return FolderKind.Experiment;
        if (Has("options.json") && (Has("log.jsonl") || HasFolder("checkpoints"))) return FolderKind.Run;
        return Has("manifest.jsonl") || (HasFolder("images") && HasFolder("masks"))
            || HasFolder("imagesTr") ? FolderKind.Dataset : null;
    }

    private static IEnumerable<DirectoryInfo> Inside(DirectoryInfo folder)
    {
        try
        {
            return [.. folder.EnumerateDirectories()
                .Where(d => d.Name[0] != '.' && d.LinkTarget is null
                && d.Name is not ("images" or "masks" or "edits" or "imagesTr" or "labelsTr"))
                .OrderBy(d => d.Name, StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static FolderFacts Facts(RootFolder root, DirectoryInfo folder, FolderKind kind) =>
        new(kind, root.RelativeOf(folder.FullName), Detail(folder.FullName, kind), folder.LastWriteTimeUtc,
        FolderLock.IsHeld(folder.FullName));

    private static string Detail(string path, FolderKind kind) => kind switch
    {
        FolderKind.Experiment => ExperimentView.Progress(path),
        FolderKind.Run => RunView.LastStep(path),
        FolderKind.Study => File.Exists(Path.Combine(path, "unsealed.json")) ? "unsealed"
            : $"{Count(Path.Combine(path, "readers"), "*.json")} readers",
        _ => File.Exists(Path.Combine(path, "manifest.jsonl")) ? $"{Lines(Path.Combine(path, "manifest.jsonl"))} pairs"
            : $"{Count(Path.Combine(path, "images"), "*")} images",
    };

    private static int Count(string folder, string pattern) =>
        Directory.Exists(folder) ? Directory.EnumerateFiles(folder, pattern).Count() : 0;

    private static int Lines(string path) => File.ReadLines(path).Count(l => l.Length > 0);
}
