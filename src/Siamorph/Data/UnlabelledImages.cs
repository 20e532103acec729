using Siamorph.Data.Checks;
using Siamorph.Data.Folders;

namespace Siamorph.Data;

/// <summary>An image without a mask that was left out, because the test would not be blind with it.</summary>
/// <param name="Image">Its path within the folder.</param>
/// <param name="Pair">Id of the held-out pair.</param>
/// <param name="Split">That pair's split, "val" or "test".</param>
/// <param name="Same">All pixels are equal; otherwise the two look alike.</param>
public sealed record UnlabelledLeak(string Image, string Pair, string Split, bool Same)
{
    /// <summary>As a sentence.</summary>
    public override string ToString() =>
        $"{Image} is left out: {(Same ? "the same image as" : "looks like")} {Pair} of split \"{Split}\".";
}

/// <summary>
/// Images without masks, from which base training may learn what such images look like. What is the same as an image of the
/// validation or test split, or looks like one, is left out and named: a generator that has seen them makes the test worthless.
/// </summary>
/// <param name="Folder">Full path.</param>
/// <param name="Images">What may be learned from, in the order of their names; their mask paths are empty.</param>
/// <param name="LeftOut">What may not.</param>
public sealed record UnlabelledImages(string Folder, IReadOnlyList<ImageMaskPair> Images, IReadOnlyList<UnlabelledLeak> LeftOut)
{
    private const int Told = 3;

    /// <summary>
    /// Lists the images of a folder and its sub-folders (of <c>images/</c> alone, where it has one) and compares them with
    /// held-out images.
    /// </summary>
    /// <param name="folder">Where they lie.</param>
    /// <param name="pairs">The dataset; those of the splits "val" and "test" are held out.</param>
    /// <param name="monitor">Watches, and is told what was left out.</param>
    /// <exception cref="InvalidDatasetException">The folder is missing, or no image is left.</exception>
    /// <exception cref="OperationCanceledException">The monitor asked to stop.</exception>
    public static UnlabelledImages Read(string folder, IReadOnlyList<ImageMaskPair> pairs, IMonitor monitor)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(pairs);
        ArgumentNullException.ThrowIfNull(monitor);
        var full = Path.GetFullPath(folder);
        var images = List(folder, full);
        List<ImageMaskPair> heldOut = [.. pairs.Where(p => p.Split is "val" or "test")];
        var leaks = NearDuplicates.Across(images, heldOut, monitor)
            .GroupBy(l => l.First).ToDictionary(g => g.Key,
            g => g.OrderByDescending(l => l.Same).ThenBy(l => l.Difference).First());
        List<UnlabelledLeak> leftOut = [.. leaks.OrderBy(l => l.Key).Select(l =>
            new UnlabelledLeak(Name(full, images[l.Key].ImagePath), heldOut[l.Value.Second].Id, heldOut[l.Value.Second].Split!,
            l.Value.Same))];
        var used = images.Where((_, i) => !leaks.ContainsKey(i)).ToList();
        if (used.Count == 0)
            throw new InvalidDatasetException(
                $"{folder}: every one of its {images.Count} images is, or looks like, an image of the validation or test split. "
                    + $"{leftOut[0]} Use other images.");
        monitor.Note(Summary(used.Count, leftOut));
        return new(full, used, leftOut);
    }

    private static string Summary(int used, List<UnlabelledLeak> leftOut) => leftOut.Count == 0
        ? $"Unlabelled images: {used}."
        : $"Unlabelled images: {used}, and {leftOut.Count} left out. {string.Join(' ', leftOut.Take(Told))}"
        + $"{(leftOut.Count > Told ? $" And {leftOut.Count - Told} more." : "")}";

    private static List<ImageMaskPair> List(string folder, string full)
    {
        if (!Directory.Exists(full)) throw new InvalidDatasetException(
            $"{folder}: the folder of unlabelled images does not exist. Check the path.");
        var inner = Path.Combine(full, "images");
        var root = Directory.Exists(inner) ? inner : full;
        var files = FolderTree.Of(root).All.SelectMany(f => f.Pictures).Order(StringComparer.Ordinal).ToList();
        if (files.Count == 0) throw new InvalidDatasetException(
            $"{folder}: holds no image. Give a folder of images without masks.");
        return [.. files.Select(f => new ImageMaskPair
        {
            Id = Path.ChangeExtension(Name(full, f), null), ImagePath = f, MaskPath = "",
        })];
    }

    private static string Name(string folder, string path) => Path.GetRelativePath(folder, path).Replace('\\', '/');
}
