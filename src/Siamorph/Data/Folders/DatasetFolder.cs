using Siamorph.Data.Checks;
using Siamorph.Imaging;

namespace Siamorph.Data.Folders;

/// <summary>
/// Reads a folder of pairs in any layout that is understood: <c>manifest.jsonl</c>; <c>prompt.json</c> lines; nnU-Net raw
/// folders; images and masks in two folders, or side by side with a suffix such as <c>_segmentation</c>; and folders
/// <c>train</c>, <c>val</c>, <c>test</c> of those. Names are looked at, and of images the depth.
/// </summary>
public static class DatasetFolder
{
    /// <summary>Reads the pairs of <paramref name="folder"/>.</summary>
    /// <exception cref="InvalidDatasetException">The folder is missing, holds no pair, or its manifest is damaged.</exception>
    public static Dataset Read(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        var dataset = List(Path.GetFullPath(folder));
        if (dataset.Findings.FirstOrDefault(f => f.Code == FindingCodes.AmbiguousFolder) is { } doubt)
            throw new InvalidDatasetException($"{folder}: {doubt.Message}");
        if (dataset.Pairs.Count > 0) return dataset;
        var hint = dataset.Findings.Count > 0
            ? $" First finding: {dataset.Findings[0].Subject}: {dataset.Findings[0].Message}" : "";
        throw new InvalidDatasetException(
            $"{folder}: no image with a mask found. Expected images/ and masks/ with equal file names, or manifest.jsonl.{hint}");
    }

    /// <summary>The same, and tells in one line what was read and what was left out.</summary>
    /// <exception cref="InvalidDatasetException">The folder is missing, holds no pair, or its manifest is damaged.</exception>
    public static Dataset Read(string folder, IMonitor monitor)
    {
        ArgumentNullException.ThrowIfNull(monitor);
        var dataset = Read(folder);
        monitor.Note(dataset.Summary());
        return dataset;
    }

    /// <summary>As <see cref="Read(string)"/>, but a folder without a usable pair gives a dataset of findings alone.</summary>
    /// <exception cref="InvalidDatasetException">The folder is missing, or its manifest is damaged.</exception>
    public static Dataset List(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        folder = Path.GetFullPath(folder);
        if (!Directory.Exists(folder)) throw new InvalidDatasetException($"{folder}: the folder does not exist. Check the path.");
        try
        {
            return WithRange(WithClasses(folder, Manifest.TryRead(folder) ?? PromptLines.TryRead(folder)
                ?? NnUnetFolder.TryRead(folder) ?? PlainFolders.Read(folder)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidDatasetException($"{folder}: can't be read ({e.Message.TrimEnd('.')}). Check its rights.", e);
        }
    }

    /// <summary>Writes <c>manifest.jsonl</c> with paths relative to <paramref name="folder"/>, whole or not at all.</summary>
    /// <exception cref="SiamorphException">The folder can't be written.</exception>
    public static void WriteManifest(string folder, IEnumerable<ImageMaskPair> pairs) => Manifest.Write(folder, pairs);

    // One range for the whole set, from its training images where it is split.
    private static Dataset WithRange(Dataset dataset)
    {
        var training = dataset.Of("train");
        return IntensityRange.OfSet((training.Count > 0 ? training : dataset.Pairs).SelectMany(Files)) is { } range
            ? dataset with { Pairs = [.. dataset.Pairs.Select(p => p with { Range = range })] }
            : dataset;
    }

    private static string[] Files(ImageMaskPair pair) =>
        pair.Channels is { } others ? [pair.ImagePath, others.GreenPath, others.BluePath] : [pair.ImagePath];

    private static Dataset WithClasses(string folder, Dataset dataset) => ClassTable.TryRead(folder) is { } classes
        ? dataset with { Pairs = [.. dataset.Pairs.Select(p => p with { Classes = classes })] }
        : dataset;
}
