using System.Diagnostics;
using System.Security.Cryptography;
using Siamorph.Evaluation.Masks;
using Siamorph.Evaluation.Radiomics;
using static TorchSharp.torch;

namespace Siamorph.Evaluation.ImageSets;

/// <summary>A vector for each image of a set.</summary>
/// <param name="Rows">In the set's order.</param>
/// <param name="Computed">How many were computed now; the others were known.</param>
/// <param name="Seconds">Time taken, reading and decoding included.</param>
internal sealed record FeatureTable<T>(IReadOnlyList<T[]> Rows, int Computed, double Seconds);

/// <summary>
/// Computes vectors of images, each once: they are kept by the content of the files. Images are decoded in parallel, a
/// batch ahead of the network, so that the number of images is limited by their vectors alone.
/// </summary>
internal static class FeatureExtractor
{
    private const int Batch = 32;

    /// <summary>Vectors of a feature network.</summary>
    /// <param name="set">The images.</param>
    /// <param name="network">The network.</param>
    /// <param name="cacheFolder">Where vectors are kept; null keeps none.</param>
    /// <param name="monitor">Sees each batch and may stop.</param>
    /// <exception cref="InvalidDatasetException">Files can't be used: one line each.</exception>
    /// <exception cref="OperationCanceledException">The monitor asked to stop.</exception>
    public static FeatureTable<float> Network(ImageSet set, FeatureNetwork network, string? cacheFolder, IMonitor monitor)
    {
        ArgumentNullException.ThrowIfNull(network);
        var name = $"{Slug(network.Name)}-{network.Weights.Hash[..Math.Min(12, network.Weights.Hash.Length)]}-"
            + $"{Slug(network.Preparation)}";
        return Run<Tensor, float>(set, $"{network.Name} features", name, withMasks: false, cacheFolder, monitor,
            image => network.Prepare(image.Read()),
            prepared =>
            {
                using var scope = NewDisposeScope();
                var features = network.Features(network.Place.Put(stack(prepared, 0))).to(ScalarType.Float32, CPU).contiguous();
                foreach (var tensor in prepared) tensor.Dispose();
                return [.. features.data<float>().ToArray().Chunk((int)features.shape[1])];
            });
    }

    /// <summary>
    /// Radiomic vectors: 26 of the whole image, then with masks 26 of the lesion, 10 of shape and boundary and the compactness.
    /// </summary>
    /// <param name="set">The images; masks are used where every image has one.</param>
    /// <param name="side">Images are resized to that square first, since texture depends on resolution.</param>
    /// <param name="cacheFolder">Where vectors are kept; null keeps none.</param>
    /// <param name="monitor">Sees each batch and may stop.</param>
    /// <exception cref="InvalidDatasetException">Files can't be used: one line each.</exception>
    /// <exception cref="OperationCanceledException">The monitor asked to stop.</exception>
    public static FeatureTable<double> Radiomic(ImageSet set, int side, string? cacheFolder, IMonitor monitor)
    {
        ArgumentNullException.ThrowIfNull(set);
        var withMasks = set.HasMasks;
        return Run<double[], double>(set, "Radiomic features", $"radiomic-1-{side}{(withMasks ? "-masks" : "")}", withMasks,
            cacheFolder, monitor,
            image => RadiomicTable.Row(image, side, withMasks), rows => rows);
    }

    private static FeatureTable<T> Run<TPrepared, T>(
        ImageSet set, string title, string name, bool withMasks, string? cacheFolder, IMonitor monitor,
        Func<SetImage, TPrepared> prepare, Func<TPrepared[], T[][]> compute) where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(set);
        ArgumentNullException.ThrowIfNull(monitor);
        var watch = Stopwatch.StartNew();
        using var store = new RowStore<T>(cacheFolder, name);
        var (rows, faults, computed) = (new List<T[]>(set.Images.Count), new List<string>(), 0);
        using var stage = monitor.Begin($"{title} of {Path.GetFileName(Path.TrimEndingDirectorySeparator(set.Folder))}",
            set.Images.Count);
        var chunks = set.Images.Chunk(Batch).ToList();
        // While one batch is computed, the next is already read and decoded.
        var next = Begin(0);
        for (var i = 0; i < chunks.Count; i++)
        {
            monitor.Cancellation.ThrowIfCancellationRequested();
            var batch = next.GetAwaiter().GetResult();
            if (i + 1 < chunks.Count) next = Begin(i + 1);
            faults.AddRange(batch.Wrong.OfType<string>());
            int[] open = [.. Enumerable.Range(0, chunks[i].Length).Where(k => batch.Found[k] is null && batch.Wrong[k] is null)];
            if (open.Length > 0)
            {
                var own = compute([.. open.Select(k => batch.Prepared[k])]);
                lock (store) for (var k = 0; k < open.Length; k++) store.Add(batch.Hashes[open[k]],
                    batch.Found[open[k]] = own[k]);
                computed += open.Length;
            }
            rows.AddRange(batch.Found.OfType<T[]>());
            stage.Report(rows.Count + faults.Count);
        }
        MaskEvaluator.Demand(faults);
        return new(rows, computed, watch.Elapsed.TotalSeconds);

        Task<Prefetched<TPrepared, T>> Begin(int chunk) => Task.Run(() => Prefetch(chunks[chunk], store, withMasks, prepare));
    }

    // Looks rows up by content and prepares the images of those that are not known, several at a time.
    private static Prefetched<TPrepared, T> Prefetch<TPrepared, T>(
        SetImage[] images, RowStore<T> store, bool withMasks, Func<SetImage, TPrepared> prepare) where T : unmanaged
    {
        var batch = new Prefetched<TPrepared, T>(new string[images.Length], new TPrepared[images.Length], new T[images.Length][],
            new string?[images.Length]);
        Parallel.For(0, images.Length, i =>
        {
            try
            {
                batch.Hashes[i] = Hash(images[i], withMasks);
                lock (store) batch.Found[i] = store.Find(batch.Hashes[i]);
                if (batch.Found[i] is null) batch.Prepared[i] = prepare(images[i]);
            }
            catch (SiamorphException e)
            {
                batch.Wrong[i] = e.Message;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                batch.Wrong[i] = $"{images[i].ImagePath}: can't be read ({e.Message.TrimEnd('.')}). Check the file's rights.";
            }
        });
        return batch;
    }

    // A batch of images: the hash of each, and the row that is known, or what is needed to compute it, or what is wrong with it.
    private sealed record Prefetched<TPrepared, T>(string[] Hashes, TPrepared[] Prepared, T[]?[] Found, string?[] Wrong);

    // Of the bytes of the image, and of its mask where that takes part.
    private static string Hash(SetImage image, bool withMask)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var path in withMask ? new[] { image.ImagePath, image.MaskPath! } : [image.ImagePath])
            if (File.Exists(path)) hash.AppendData(SHA256.HashData(File.ReadAllBytes(path)));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static string Slug(string text) =>
        string.Join('-', string.Concat(text.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : ' '))
        .Split(' ', StringSplitOptions.RemoveEmptyEntries));
}
