namespace Siamorph.Data.Folders;

/// <summary>Reads masks to draw from: of a dataset in any layout, or of a bare folder of mask files.</summary>
internal static class MaskFolder
{
    private static readonly HashSet<string> Endings = new(StringComparer.OrdinalIgnoreCase)
    {
        ".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff",
    };

    /// <summary>Pairs whose masks exist; for a bare folder the image path is the mask's own.</summary>
    /// <param name="folder">A dataset, or mask files.</param>
    /// <param name="monitor">Told what was read; null for nobody.</param>
    /// <exception cref="InvalidDatasetException">The folder is missing or holds no mask.</exception>
    public static IReadOnlyList<ImageMaskPair> Read(string folder, IMonitor? monitor = null)
    {
        var dataset = DatasetFolder.List(folder);
        if (dataset.Pairs.Count > 0)
        {
            monitor?.Note(dataset.Summary());
            return dataset.Pairs;
        }
        var files = Directory.EnumerateFiles(Path.GetFullPath(folder))
            .Where(f => Endings.Contains(Path.GetExtension(f)) && !FolderTree.IsHidden(f)).Order(StringComparer.Ordinal).ToList();
        if (files.Count == 0) throw new InvalidDatasetException(
            $"{folder}: holds no masks. Name a folder of PNG masks or a dataset folder.");
        monitor?.Note($"{folder}: read {files.Count} masks without images.");
        return [.. files.Select(f => new ImageMaskPair
        {
            Id = Path.GetFileNameWithoutExtension(f), ImagePath = f, MaskPath = f,
        })];
    }
}
