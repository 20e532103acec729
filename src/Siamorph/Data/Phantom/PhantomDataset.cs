using Siamorph.Data.Folders;
using Siamorph.Imaging;

namespace Siamorph.Data.Phantom;

/// <summary>
/// The built-in dataset: images as a simple endoscopy simulator shows them, with polyps whose shading, texture and
/// shadow follow from their shape, and exact masks. It needs no download and may be shown to anyone.
/// </summary>
public static class PhantomDataset
{
    /// <summary>Writes images, masks and manifest into <paramref name="folder"/>.</summary>
    /// <returns>The dataset written; pairs of one case carry its name as group.</returns>
    /// <exception cref="InvalidOptionsException">The options are out of range.</exception>
    /// <exception cref="SiamorphException">The folder can't be written, or holds other images.</exception>
    /// <exception cref="OperationCanceledException">The monitor asked to stop; images written so far stay.</exception>
    public static Dataset Write(string folder, PhantomOptions options, IMonitor monitor)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(monitor);
        options.Validate();
        folder = Path.GetFullPath(folder);
        var pairs = Enumerable.Range(0, options.Count).Select(i => Describe(folder, options, i)).ToList();
        using var alone = FolderLock.Take(folder);
        RefuseOthers(folder, pairs);
        using var stage = monitor.Begin("Creating the built-in dataset", options.Count);
        var done = 0;
        Parallel.For(0, options.Count, new ParallelOptions
        {
            CancellationToken = monitor.Cancellation, MaxDegreeOfParallelism = Environment.ProcessorCount,
        }, i =>
        {
            var (image, mask) = Paint(options, i);
            ImageFile.WritePng(pairs[i].ImagePath, image);
            ImageFile.WriteMaskPng(pairs[i].MaskPath, mask);
            lock (stage) stage.Report(++done);
        });
        DatasetFolder.WriteManifest(folder, pairs);
        return new Dataset(folder, pairs);
    }

    /// <summary>Renders one image with its mask; a function of seed, <paramref name="index"/> and size.</summary>
    /// <param name="options">What is rendered; its count does not matter.</param>
    /// <param name="index">Number of the image, from 0.</param>
    public static (RgbImage Image, LabelMap Mask) Paint(PhantomOptions options, int index)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        return PhantomPainter.Paint(PhantomScene.Draw(options, index), options.Size);
    }

    private static ImageMaskPair Describe(string folder, PhantomOptions options, int index)
    {
        var scene = PhantomScene.Draw(options, index);
        var id = $"phantom-{index:D5}";
        return new ImageMaskPair
        {
            Id = id,
            ImagePath = Path.Combine(folder, "images", $"{id}.png"),
            MaskPath = Path.Combine(folder, "masks", $"{id}.png"),
            Prompt = $"a polyp in colonoscopy, device {scene.Device.Name}",
            Group = $"case-{scene.Case:D4}",
        };
    }

    // An older, larger phantom must not stay behind as stray files, nor real images be mixed with these.
    private static void RefuseOthers(string folder, List<ImageMaskPair> pairs)
    {
        var own = pairs.SelectMany(p => new[] { p.ImagePath, p.MaskPath }).ToHashSet(StringComparer.Ordinal);
        var other = PlainFolders.Own.Select(f => Path.Combine(folder, f)).Where(Directory.Exists)
            .SelectMany(Directory.EnumerateFiles).FirstOrDefault(f => !own.Contains(f));
        if (other is not null)
            throw new SiamorphException(
                $"{folder}: already holds other images, such as {Path.GetFileName(other)}. Give a new folder.");
    }
}
