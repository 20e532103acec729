using Siamorph.Data;
using Siamorph.Data.Folders;

namespace Siamorph.Synthesis;

/// <summary>Single pairs that somebody liked, one after another in a dataset folder that grows.</summary>
internal static class SavedPairs
{
    /// <summary>Adds a pair; one of the same id is replaced.</summary>
    /// <param name="folder">A folder of kept pairs, or one that is made.</param>
    /// <param name="drawn">An answer with an image.</param>
    /// <returns>The pair as the manifest names it.</returns>
    /// <exception cref="SiamorphException">The folder holds something else, or can't be written.</exception>
    public static ImageMaskPair Add(string folder, DrawAnswer drawn)
    {
        ArgumentNullException.ThrowIfNull(drawn);
        using var alone = FolderLock.Take(folder);
        var known = Known(folder);
        var pair = new ImageMaskPair
        {
            Id = drawn.Pair!, ImagePath = Path.Combine(folder, "images", $"{drawn.Pair}.png"),
            MaskPath = Path.Combine(folder, "masks", $"{drawn.Pair}.png"),
            Prompt = drawn.Prompt ?? "", Source = PairSource.Synthetic, Split = "train", Origin = drawn.Origin,
        };
        AtomicFile.Write(pair.MaskPath, s => s.Write(drawn.Mask!));
        AtomicFile.Write(pair.ImagePath, s => s.Write(drawn.Image!));
        DatasetFolder.WriteManifest(folder, [.. known.Where(p => p.Id != pair.Id), pair]);
        return pair;
    }

    private static IReadOnlyList<ImageMaskPair> Known(string folder)
    {
        if (FolderLock.IsEmpty(folder)) return [];
        var pairs = File.Exists(Path.Combine(folder, "manifest.jsonl")) ? DatasetFolder.Read(folder).Pairs : [];
        return pairs.Count > 0 && pairs.All(p => p.Source == PairSource.Synthetic) ? pairs
            : throw new SiamorphException(
                $"{folder}: contains files other than generated pairs. Choose another folder to save the pairs in.");
    }
}
