using Siamorph.Data;
using static TorchSharp.torch;

namespace Siamorph.Siamese;

/// <summary>Everything random that a step of one stage reads, as a function of the seed and the step alone.</summary>
internal sealed class GeneratorBatches(
    SiamesePipeline pipeline, PairedDataset data, StageOptions stage, Seed seed, LatentCache? latents = null)
{
    private readonly BatchLoader _loader = new(
        data,
        new BatchOptions
        {
            BatchSize = stage.BatchSize,
            HorizontalFlip = pipeline.Options.HorizontalFlip,
            VerticalFlip = pipeline.Options.VerticalFlip,
            EmptyPromptProbability = pipeline.Options.EmptyPromptProbability,
        },
        seed.Derive("pairs"));

    /// <summary>Latents, noise, timesteps, prompts and hints of a batch; owned by the current dispose scope.</summary>
    /// <param name="number">From 0; the step, where every step takes one batch.</param>
    /// <param name="encodePrompts">Prompts → tokens.</param>
    public (SiameseBatch Batch, IReadOnlyList<string> Prompts) At(long number, Func<IReadOnlyList<string>, Tensor> encodePrompts)
    {
        var (pairs, place) = (_loader.Batch(number), pipeline.Placement);
        var moments = latents is null ? pipeline.Moments(pairs.Images) : latents.Moments(pairs.Images, pipeline.Moments);
        var x0 = pipeline.Codec.Latent(moments, Posterior(moments, number)).to(place.Device);
        var batch = new SiameseBatch(
            x0, Noise("noise", x0.shape, number).to(place.Device), Timesteps(number).to(place.Device),
            encodePrompts(pairs.Prompts),
            place.Put(pairs.Masks.expand(-1, 3, -1, -1).contiguous()), place.Put((pairs.Images + 1) / 2), Keep(number) is { } keep
                ? place.Put(keep) : null,
            PixelWeights(pairs.Masks) is { } weights ? weights.to(place.Device) : null); // losses are float32
        return (Part is { Count: > 1 } part ? Slice(batch, part) : batch, pairs.Prompts);
    }

    /// <summary>Which part of every batch is taken, and how many parts there are; null takes all of it.</summary>
    public (int Number, int Count)? Part { get; set; }

    // All that is random was drawn for the whole batch: a sample sees the same draws on whatever rank.
    private static SiameseBatch Slice(SiameseBatch b, (int Number, int Count) part)
    {
        var size = b.CleanLatent.shape[0] / part.Count;
        Tensor Of(Tensor t) => t.narrow(0, size * part.Number, size).clone();
        return new(Of(b.CleanLatent), Of(b.Noise), Of(b.Timesteps), Of(b.Context), Of(b.MaskHint), Of(b.ImageHint),
            b.KeepControl is { } keep ? Of(keep) : null, b.PixelWeights is { } weights ? Of(weights) : null);
    }

    private Tensor? PixelWeights(Tensor masks) => pipeline.Options.Losses.AgreementWeight is > 0 and var weight
        && data.SoftMasks is not null
        ? SiameseLosses.AgreementWeights(masks, pipeline.Codec.Factor, weight)
        : null;

    // Only moments with variances among them are drawn from.
    private Tensor? Posterior(Tensor moments, long number)
    {
        var (batch, channels) = (moments.shape[0], pipeline.Codec.Channels);
        return moments.shape[1] == channels ? null
            : Noise("posterior", [batch, channels, .. moments.shape[2..]], number).to(moments.device);
    }

    private Tensor Noise(string purpose, long[] shape, long step)
    {
        using var generator = seed.Derive(purpose).Derive(step).Generator();
        return randn(shape, generator: generator);
    }

    private Tensor Timesteps(long step)
    {
        var random = seed.Derive("timesteps").Derive(step).Random();
        return tensor(Enumerable.Range(0, stage.BatchSize).Select(_ => (long)random.Next(pipeline.Process.Schedule.Count))
            .ToArray());
    }

    private Tensor? Keep(long step)
    {
        if (pipeline.Options.CfgDropout == 0) return null;
        var random = seed.Derive("control").Derive(step).Random();
        return tensor(Enumerable.Range(0, stage.BatchSize).Select(_ => random.Chance(pipeline.Options.CfgDropout) ? 0f : 1f)
            .ToArray());
    }
}
