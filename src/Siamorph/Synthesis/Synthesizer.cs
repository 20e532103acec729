using System.Security.Cryptography;
using Siamorph.Data;
using Siamorph.Data.Checks;
using Siamorph.Data.Folders;
using Siamorph.Imaging;
using Siamorph.Siamese;
using Siamorph.Siamese.WeightFiles;
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
    /// <param name="masks">Pairs whose masks (and prompts) are used; their images are read only where the start needs
    /// them.</param>
    /// <param name="options">How many, and how.</param>
    /// <param name="outFolder">New, empty, or begun by the same call.</param>
    /// <param name="monitor">Watches; counts finished images.</param>
    /// <exception cref="SiamorphException">Model, masks, options or folder can't be used.</exception>
    public static Dataset Run(
        string model, IReadOnlyList<ImageMaskPair> masks, SynthesisOptions options, string outFolder, IMonitor monitor)
    {
        Check(masks, options, monitor);
        var place = Placement.Of(options.Device, options.Precision);
        using var pipeline = SiamesePipeline.Open(model, options.Tokenizer);
        if (!options.NeedsModel) return Edit(masks, options, pipeline.Options, outFolder, monitor);
        var sampling = options.Resolve(pipeline.Options.Sampling);
        var shapes = NewShapes.Draw(masks, options, pipeline.Options);
        masks = shapes?.Pairs ?? masks;
        var plan = PlannedPair.All(masks, options,
            (ModelHash(model, pipeline), sampling.SamplerName, sampling.Steps, sampling.GuidanceScale));
        pipeline.MoveTo(place);
        var sampler = new MaskDiffusionSampler(pipeline, sampling);
        var source = Source(masks, options, pipeline.Options, monitor, shapes?.Masks);
        return Complete(plan, source, masks[0].Classes, options, outFolder, monitor, (hints, starts, batch) =>
            sampler.Sample(hints, [.. batch.Select(p => p.Prompt)], [.. batch.Select(p => p.Seed)],
            start: StartImages(starts, options)));
    }

    /// <summary>Pairs that no model draws: real ones, deformed or with a pasted lesion (strength 0).</summary>
    /// <param name="masks">Pairs whose images and masks are used.</param>
    /// <param name="options">With <see cref="SampleStart.Real"/> or <see cref="SampleStart.Paste"/> at strength 0.</param>
    /// <param name="like">The model that rivals these pairs: its image size, its mirroring, its labels.</param>
    /// <param name="outFolder">New, empty, or begun by the same call.</param>
    /// <param name="monitor">Watches; counts finished images.</param>
    /// <exception cref="SiamorphException">Pairs, options or folder can't be used.</exception>
    public static Dataset Edit(
        IReadOnlyList<ImageMaskPair> masks, SynthesisOptions options, TrainOptions like, string outFolder, IMonitor monitor)
    {
        Check(masks, options, monitor);
        ArgumentNullException.ThrowIfNull(like);
        if (options.NeedsModel) throw new ArgumentException("Only pairs of strength 0 are made without a model.",
            nameof(options));
        var plan = PlannedPair.All(masks, options, ("none", "none", 0, 1));
        return Complete(plan, Source(masks, options, like, monitor), masks[0].Classes, options, outFolder, monitor,
            (_, starts, _) => stack([.. starts.Select(s => ImageTensor.FromRgb(s.Image!))]));
    }

    private delegate Tensor Drawing(Tensor hints, IReadOnlyList<StartImage> starts, IReadOnlyList<PlannedPair> batch);

    private static void Check(IReadOnlyList<ImageMaskPair> masks, SynthesisOptions options, IMonitor monitor)
    {
        ArgumentNullException.ThrowIfNull(masks);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(monitor);
        options.Validate();
        if (masks.Count == 0) throw new InvalidDatasetException("There is no mask to generate from.");
        EmptyMasks.Refuse(masks);
    }

    private static Dataset Complete(
        List<PlannedPair> plan, StartSource source, ClassTable? classes, SynthesisOptions options, string outFolder,
        IMonitor monitor, Drawing draw)
    {
        using var alone = FolderLock.Take(outFolder);
        Claim(outFolder, plan);
        using var stage = monitor.Begin("Generating images", plan.Count);
        var missing = plan.Where(p => !p.IsDrawn(outFolder)).ToList();
        var done = plan.Count - missing.Count;
        using var heap = NoCollectionRegion.Enter();
        foreach (var batch in missing.Chunk(options.BatchSize))
        {
            monitor.Cancellation.ThrowIfCancellationRequested();
            Draw(batch, source, draw, outFolder, classes);
            stage.Report(done += batch.Length);
            heap.StepDone();
        }
        var deforms = !options.Deformation.IsOff || options.Start == SampleStart.Paste;
        var pairs = plan.Select(p => p.Pair(outFolder, source.Of(p.Mask, p.Seed), deforms) with { Classes = classes }).ToList();
        if (classes is not null) AtomicFile.WriteText(Path.Combine(outFolder, ClassTable.FileName), classes.ToJson() + "\n");
        DatasetFolder.WriteManifest(outFolder, pairs);
        return new Dataset(Path.GetFullPath(outFolder), pairs);
    }

    private static StartSource Source(
        IReadOnlyList<ImageMaskPair> masks, SynthesisOptions options, TrainOptions trained, IMonitor monitor,
        IReadOnlyList<LabelMap>? drawn = null)
    {
        if (options.Deformation.Flip && !trained.HorizontalFlip && !trained.VerticalFlip)
            monitor.Note("deformation.flip: this model was trained without mirrored pairs, so no masks are mirrored.");
        var deformation = options.Deformation with { Mirrors = (trained.HorizontalFlip, trained.VerticalFlip) };
        return new(masks, new ImageSize(trained.ImageSize, trained.ImageSize), options with
        {
            Deformation = deformation,
        }, trained.LabelReading, drawn);
    }

    private static void Draw(PlannedPair[] batch, StartSource source, Drawing draw, string folder, ClassTable? classes)
    {
        using var scope = NewDisposeScope();
        var starts = batch.Select(p => source.Of(p.Mask, p.Seed)).ToList();
        var hints = stack([.. starts.Select(s => Hint(s.Mask, source.IsSoft, classes))]);
        var images = draw(hints, starts, batch);
        for (var i = 0; i < batch.Length; i++)
        {
            var mask = EncodeMask(starts[i].Mask, source.IsSoft, classes);
            AtomicFile.Write(batch[i].MaskPath(folder), s => s.Write(mask));
            // Last: its presence means the pair is whole
            ImageFile.WritePng(batch[i].ImagePath(folder), ImageTensor.ToRgb(images[i]));
        }
    }

    /// <summary>The images that samples start from, where the options want any.</summary>
    internal static StartImages? StartImages(IReadOnlyList<StartImage> starts, SynthesisOptions options)
    {
        if (!options.NeedsImages) return null;
        var images = stack([.. starts.Select(s => ImageTensor.FromRgb(s.Image!))]);
        var region = starts[0].Region is null ? null
            : stack([.. starts.Select(s => tensor(s.Region!, [1, s.Mask.Size.Height, s.Mask.Size.Width]))]);
        return new(images, options.ResolvedStrength, region, options.ImageWeight);
    }

    /// <summary>A mask as the model was shown masks: class numbers, or levels of 255 · probability.</summary>
    internal static Tensor Hint(LabelMap mask, bool isSoft, ClassTable? classes) =>
        isSoft ? tensor(Array.ConvertAll(mask.Labels, l => l / 255f), [1, mask.Size.Height, mask.Size.Width])
        : MaskHint.Of(mask, classes);

    /// <summary>A mask as the bytes of its file.</summary>
    internal static byte[] EncodeMask(LabelMap mask, bool isSoft, ClassTable? classes) =>
        isSoft ? ImageFile.EncodeGreyPng(new GreyImage(mask.Size, mask.Labels, Lossless: true))
        : classes is null ? ImageFile.EncodeMaskPng(mask)
        : ImageFile.EncodeGreyPng(classes.Levels(mask));

    // plan.json names model, masks and options: a folder of another call is refused, the same call is completed.
    private static void Claim(string folder, List<PlannedPair> plan)
    {
        var path = Path.Combine(folder, "plan.json");
        var hash = Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(string.Join('\n', plan))));
        var text = $"{{ \"plan\": \"{hash}\" }}\n";
        if (File.Exists(path) && File.ReadAllText(path) == text) return;
        if (!FolderLock.IsEmpty(folder))
            throw new SiamorphException($"{folder}: holds other files already. Name a new folder for the synthetic pairs.");
        AtomicFile.WriteText(path, text);
    }

    /// <summary>What manifests call a model by.</summary>
    internal static string ModelHash(string model, SiamesePipeline pipeline)
    {
        if (RunCheckpoint.At(model) is not { } run) return pipeline.Fingerprint();
        using var file = File.OpenRead(Path.Combine(run.Folder, "manifest.json"));
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }
}
