using System.Globalization;
using System.Security.Cryptography;
using Siamorph.Data;
using Siamorph.Imaging;
using Siamorph.Siamese;
using static TorchSharp.torch;

namespace Siamorph.Synthesis;

/// <summary>
/// Masks and a trained model → a dataset folder of synthetic pairs: images/, masks/, manifest.jsonl. Each image has a seed
/// of its own, derived from the master seed, its mask and its number, so it does not depend on batch size or order; each
/// mask written is the mask used.
/// </summary>
public static class Synthesizer
{
    /// <summary>Draws the pairs. A folder begun with the same model, masks and options is completed.</summary>
    /// <param name="model">The run folder that `train` wrote, or weights of the whole model.</param>
    /// <param name="masks">Pairs whose masks (and prompts) are used; their images are not read.</param>
    /// <param name="options">How many, and how.</param>
    /// <param name="outFolder">New, empty, or begun by the same call.</param>
    /// <param name="monitor">Watches; counts finished images.</param>
    /// <exception cref="SiamorphException">Model, masks, options or folder can't be used.</exception>
    public static Dataset Run(
        string model, IReadOnlyList<ImageMaskPair> masks, SynthesisOptions options, string outFolder, IMonitor monitor)
    {
        ArgumentNullException.ThrowIfNull(masks);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(monitor);
        options.Validate();
        if (masks.Count == 0) throw new InvalidDatasetException("There is no mask to draw from.");
        EmptyMasks.Refuse(masks);
        var place = Placement.Of(options.Device, options.Precision);
        var classes = masks[0].Classes;
        using var pipeline = SiamesePipeline.Open(model, options.Tokenizer);
        var plan = Plan(masks, options, pipeline, ModelHash(model, pipeline));
        pipeline.MoveTo(place);
        using var alone = FolderLock.Take(outFolder);
        Claim(outFolder, plan);
        var sampler = new MaskDiffusionSampler(pipeline, options.Resolve(pipeline.Options.Sampling));
        var source = new MaskSource(masks, new ImageSize(pipeline.Options.ImageSize, pipeline.Options.ImageSize), options.Deformation with { Mirrors = (pipeline.Options.HorizontalFlip, pipeline.Options.VerticalFlip) }, pipeline.Options.LabelReading);
        if (options.Deformation.Flip && !pipeline.Options.HorizontalFlip && !pipeline.Options.VerticalFlip)
            monitor.Note("deformation.flip: this model was trained without mirrored pairs, so no mask is mirrored.");
        using var stage = monitor.Begin("drawing images", plan.Count);
        var missing = plan.Where(p => !IsDrawn(outFolder, p)).ToList();
        var done = plan.Count - missing.Count;
        using var heap = QuietHeap.Enter();
        foreach (var batch in missing.Chunk(options.BatchSize))
        {
            monitor.Cancellation.ThrowIfCancellationRequested();
            Draw(batch, source, sampler, outFolder, classes);
            stage.Report(done += batch.Length);
            heap.StepDone();
        }
        var pairs = plan.Select(p => p.Pair(outFolder, source) with { Classes = classes }).ToList();
        if (classes is not null) AtomicFile.WriteText(Path.Combine(outFolder, ClassTable.FileName), classes.ToJson() + "\n");
        DatasetFolder.WriteManifest(outFolder, pairs);
        return new Dataset(Path.GetFullPath(outFolder), pairs);
    }

    private sealed record Planned(string Id, int Mask, int Number, Seed Seed, string Prompt, SyntheticOrigin Origin)
    {
        public string ImagePath(string folder) => Path.Combine(Path.GetFullPath(folder), "images", $"{Id}.png");

        public string MaskPath(string folder) => Path.Combine(Path.GetFullPath(folder), "masks", $"{Id}.png");

        public ImageMaskPair Pair(string folder, MaskSource source) => new()
        {
            Id = Id,
            ImagePath = ImagePath(folder),
            MaskPath = MaskPath(folder),
            Prompt = Prompt,
            Source = PairSource.Synthetic,
            Split = "train",
            Origin = Origin with { Deformation = source.Deforms ? source.Of(Mask, Seed).Description : null },
        };
    }

    private static List<Planned> Plan(IReadOnlyList<ImageMaskPair> masks, SynthesisOptions options, SiamesePipeline pipeline, string modelHash)
    {
        var sampling = options.Resolve(pipeline.Options.Sampling);
        var count = options.Count ?? masks.Count * options.ImagesPerMask;
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            var (mask, number) = (i % masks.Count, i / masks.Count);
            var seed = new Seed(options.Seed).Derive(masks[mask].Id).Derive(number);
            var id = string.Create(CultureInfo.InvariantCulture, $"{masks[mask].Id}-s{number:000}");
            return new Planned(id, mask, number, seed, options.Prompt ?? masks[mask].Prompt,
                new SyntheticOrigin(modelHash, seed.Value, "ddim", sampling.Steps, sampling.GuidanceScale, masks[mask].Id));
        })];
    }

    private static void Draw(Planned[] batch, MaskSource source, MaskDiffusionSampler sampler, string folder, ClassTable? classes)
    {
        using var scope = NewDisposeScope();
        var maps = batch.Select(p => source.Of(p.Mask, p.Seed).Mask).ToList();
        var images = sampler.Sample(stack([.. maps.Select(m => source.IsSoft ? SoftHint(m) : MaskHint.Of(m, classes))]), [.. batch.Select(p => p.Prompt)], [.. batch.Select(p => p.Seed)]);
        for (var i = 0; i < batch.Length; i++)
        {
            if (source.IsSoft) ImageFile.WriteGreyPng(batch[i].MaskPath(folder), new GreyImage(maps[i].Size, maps[i].Labels, Lossless: true));
            else if (classes is null) ImageFile.WriteMaskPng(batch[i].MaskPath(folder), maps[i]);
            else ImageFile.WriteGreyPng(batch[i].MaskPath(folder), classes.Levels(maps[i]));
            ImageFile.WritePng(batch[i].ImagePath(folder), ImageTensor.ToRgb(images[i])); // last: its presence means the pair is whole
        }
    }

    private static Tensor SoftHint(LabelMap levels) => tensor(Array.ConvertAll(levels.Labels, l => l / 255f), [1, levels.Size.Height, levels.Size.Width]);

    private static bool IsDrawn(string folder, Planned planned) => File.Exists(planned.ImagePath(folder)) && File.Exists(planned.MaskPath(folder));

    // plan.json names model, masks and options: a folder of another call is refused, the same call is completed.
    private static void Claim(string folder, List<Planned> plan)
    {
        var path = Path.Combine(folder, "plan.json");
        var hash = Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(string.Join('\n', plan))));
        var text = $"{{ \"plan\": \"{hash}\" }}\n";
        if (File.Exists(path) && File.ReadAllText(path) == text) return;
        if (!FolderLock.IsEmpty(folder))
            throw new SiamorphException($"{folder}: holds other files already. Name a new folder for the synthetic pairs.");
        AtomicFile.WriteText(path, text);
    }

    private static string ModelHash(string model, SiamesePipeline pipeline)
    {
        if (RunCheckpoint.At(model) is not { } run) return pipeline.Fingerprint();
        using var file = File.OpenRead(Path.Combine(run.Folder, "manifest.json"));
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }
}
