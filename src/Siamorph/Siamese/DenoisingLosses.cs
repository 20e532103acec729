using Siamorph.Data;
using static TorchSharp.torch;

namespace Siamorph.Siamese;

/// <summary>
/// How well a trained model restores given images from noise: training images that it remembers, it restores better.
/// </summary>
internal static class DenoisingLosses
{
    private const int Batch = 16;

    /// <summary>Mean loss of Mask-Diffusion for each image, with the same noise and timesteps for all.</summary>
    /// <param name="pipeline">The model.</param>
    /// <param name="data">Pairs loaded at the model's size.</param>
    /// <param name="draws">Noises for each image; their timesteps are spread evenly.</param>
    /// <param name="seed">Of the noises.</param>
    /// <param name="monitor">Watches.</param>
    /// <returns>One loss for each image.</returns>
    public static IReadOnlyList<double> Of(SiamesePipeline pipeline, PairedDataset data, int draws, Seed seed, IMonitor monitor)
    {
        ArgumentNullException.ThrowIfNull(pipeline);
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(monitor);
        var step = new SiameseStep(pipeline.Model, pipeline.Process, SiameseLossOptions.MaskOnly);
        var losses = new double[data.Count];
        using var stage = monitor.Begin("Measuring losses", data.Count);
        using var noGrad = no_grad();
        using var heap = NoCollectionRegion.Enter();
        for (var first = 0; first < data.Count; first += Batch)
        {
            monitor.Cancellation.ThrowIfCancellationRequested();
            var last = Math.Min(first + Batch, data.Count);
            for (var draw = 0; draw < draws; draw++) AddLosses(pipeline, step, data, first, last, draw, draws, seed, losses);
            stage.Report(last);
            heap.StepDone();
        }
        return losses;
    }

    private static void AddLosses(
        SiamesePipeline pipeline, SiameseStep step, PairedDataset data, int first, int last, int draw, int draws, Seed seed,
        double[] losses)
    {
        using var scope = NewDisposeScope();
        var images = data.Images[first..last].to_type(ScalarType.Float32).div_(127.5).sub_(1);
        var place = pipeline.Placement;
        var x0 = pipeline.Codec.Encode(pipeline.Codec.IsPretrained ? images.to(place.Device) : images).to(place.Device);
        using var generator = seed.Derive(draw).Generator();
        var noise = randn([1, x0.shape[1], x0.shape[2], x0.shape[3]],
            generator: generator).expand(x0.shape).contiguous().to(place.Device);
        var timestep = (long)((draw + 0.5) / draws * pipeline.Process.Schedule.Count);
        // As training shows them: grey, in the colours of several classes, or as probabilities.
        var masks = stack([.. Enumerable.Range(first, last - first).Select(data.Hint)]).expand(-1, 3, -1, -1).contiguous();
        var prompts = Enumerable.Range(first, last - first).Select(i => Known(pipeline, data.Pairs[i].Prompt)).ToList();
        var batch = new SiameseBatch(x0, noise, full([last - first], timestep, ScalarType.Int64, device: place.Device),
            pipeline.Encode(prompts), place.Put(masks), place.Put((images + 1) / 2));
        var values = step.Run(batch, 0, 1).PerSample["mask"].to_type(ScalarType.Float64).data<double>().ToArray();
        for (var i = 0; i < values.Length; i++) losses[first + i] += values[i] / draws;
    }

    // Images from elsewhere may have prompts that the model never learnt; the empty one is known to all.
    private static string Known(SiamesePipeline pipeline, string prompt) =>
        pipeline.Prompts.Prompts.Contains(prompt) ? prompt : "";
}
