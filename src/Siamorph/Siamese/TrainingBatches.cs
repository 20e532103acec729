using Siamorph.Data;
using static TorchSharp.torch;

namespace Siamorph.Siamese;

/// <summary>Everything random that a step of one stage reads, as a function of the seed and the step alone.</summary>
internal sealed class TrainingBatches(SiamesePipeline pipeline, PairedDataset data, StageOptions stage, Seed seed)
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

    /// <summary>Latents, noise, timesteps, prompts and hints of a step; owned by the current dispose scope.</summary>
    public (SiameseBatch Batch, IReadOnlyList<string> Prompts) At(long step, Func<IReadOnlyList<string>, Tensor> encodePrompts)
    {
        var pairs = _loader.Batch(step);
        var x0 = pipeline.Codec.Encode(pairs.Images);
        var batch = new SiameseBatch(
            x0, Noise(x0.shape, step), Timesteps(step), encodePrompts(pairs.Prompts),
            pairs.Masks.expand(-1, 3, -1, -1).contiguous(), (pairs.Images + 1) / 2, Keep(step));
        return (batch, pairs.Prompts);
    }

    private Tensor Noise(long[] shape, long step)
    {
        using var generator = seed.Derive("noise").Derive(step).Generator();
        return randn(shape, generator: generator);
    }

    private Tensor Timesteps(long step)
    {
        var random = seed.Derive("timesteps").Derive(step).Random();
        return tensor(Enumerable.Range(0, stage.BatchSize).Select(_ => (long)random.Next(pipeline.Process.Schedule.Count)).ToArray());
    }

    private Tensor? Keep(long step)
    {
        if (pipeline.Options.ControlDropout == 0) return null;
        var random = seed.Derive("control").Derive(step).Random();
        return tensor(Enumerable.Range(0, stage.BatchSize).Select(_ => random.Chance(pipeline.Options.ControlDropout) ? 0f : 1f).ToArray());
    }
}
