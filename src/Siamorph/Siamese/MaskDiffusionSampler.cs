using Siamorph.Diffusion;
using static TorchSharp.torch;

namespace Siamorph.Siamese;

/// <summary>Draws images from masks with Mask-Diffusion alone.</summary>
public sealed class MaskDiffusionSampler
{
    private readonly SiamesePipeline _pipeline;
    private readonly SamplingOptions _options;
    private readonly DdimSampler _sampler;

    /// <summary>Prepares the walk.</summary>
    /// <exception cref="InvalidOptionsException">The numbers of steps or η lie outside their range.</exception>
    public MaskDiffusionSampler(SiamesePipeline pipeline, SamplingOptions options)
    {
        ArgumentNullException.ThrowIfNull(pipeline);
        ArgumentNullException.ThrowIfNull(options);
        (_pipeline, _options) = (pipeline, options);
        _sampler = new DdimSampler(pipeline.Process, options.Ddim);
    }

    /// <summary>Number of calls of the networks.</summary>
    public int Steps => _sampler.Timesteps.Count;

    /// <summary>One image for each mask. An image depends on its mask, prompt and seed alone, not on the batch.</summary>
    /// <param name="masks">float [B,1,H,W], 0 or 1, or [B,3,H,W], colours of classes in [0,1].</param>
    /// <param name="prompts">B prompts.</param>
    /// <param name="seeds">B seeds.</param>
    /// <param name="watch">Told the number of finished steps.</param>
    /// <returns>float [B,3,H,W] in [-1,1].</returns>
    public Tensor Sample(Tensor masks, IReadOnlyList<string> prompts, IReadOnlyList<Seed> seeds, Action<int>? watch = null)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        ArgumentNullException.ThrowIfNull(seeds);
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var factor = _pipeline.Codec.Factor;
        long[] shape = [_pipeline.Codec.Channels, masks.shape[2] / factor, masks.shape[3] / factor];
        using var denoiser = new GuidedDenoiser(
            _pipeline.Model, _pipeline.Placement.Put(masks.expand(-1, 3, -1, -1).contiguous()), _pipeline.Encode(prompts),
            _pipeline.Encode([.. prompts.Select(_ => "")]), _options.Guidance);
        var latent = _sampler.Sample(
            Noise(seeds, shape, "start"), denoiser.Predict, k => Noise(seeds, shape, $"step {k}"),
            _options.ClampPixels ? _pipeline.Codec.ClampPixels : null, p => watch?.Invoke(p.Index + 1));
        return _pipeline.Decode(latent).clamp(-1, 1).MoveToOuterDisposeScope();
    }

    // Drawn on the CPU and carried over: the same on every device.
    private Tensor Noise(IReadOnlyList<Seed> seeds, long[] shape, string purpose)
    {
        using var scope = NewDisposeScope();
        return stack([.. seeds.Select(s => Draw(s.Derive(purpose), shape))]).to(_pipeline.Placement.Device).MoveToOuterDisposeScope();
    }

    private static Tensor Draw(Seed seed, long[] shape)
    {
        using var generator = seed.Generator();
        return randn(shape, generator: generator);
    }
}
