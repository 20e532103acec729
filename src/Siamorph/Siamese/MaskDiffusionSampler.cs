using Siamorph.Diffusion;
using static TorchSharp.torch;

namespace Siamorph.Siamese;

/// <summary>Images that samples start from.</summary>
/// <param name="Images">float [B,3,H,W] in [-1,1].</param>
/// <param name="Strength">How far they are noised, in (0, 1]; 1 is pure noise.</param>
/// <param name="Region">float [B,1,H,W] in [0,1]: 1 where the image is drawn anew, 0 where it is kept; null draws all of
/// it.</param>
/// <param name="ImageWeight">How much the images count as a second hint; 0 for not at all.</param>
internal sealed record StartImages(
    TorchSharp.torch.Tensor Images, double Strength = 1, TorchSharp.torch.Tensor? Region = null, double ImageWeight = 0);

/// <summary>A sample under way.</summary>
/// <param name="Done">Steps taken so far.</param>
/// <param name="Steps">Steps of the whole walk.</param>
/// <param name="Estimate">
/// Decodes the clean images that the last step saw, float [B,3,H,W] in [-1,1]: what the sample would be if it ended now. To be
/// called while the step is told of, or not at all; the result is the caller's.
/// </param>
internal readonly record struct SampleProgress(int Done, int Steps, Func<Tensor> Estimate);

/// <summary>Draws images from masks: with Mask-Diffusion alone, or from an image.</summary>
internal sealed class MaskDiffusionSampler
{
    private readonly SiamesePipeline _pipeline;
    private readonly SamplingOptions _options;
    private readonly ILatentSampler _sampler;

    /// <summary>Prepares the walk.</summary>
    /// <exception cref="InvalidOptionsException">The numbers of steps or η lie outside their range.</exception>
    public MaskDiffusionSampler(SiamesePipeline pipeline, SamplingOptions options)
    {
        ArgumentNullException.ThrowIfNull(pipeline);
        ArgumentNullException.ThrowIfNull(options);
        (_pipeline, _options) = (pipeline, options);
        _sampler = options.SamplerOf(pipeline.Process);
    }

    /// <summary>Number of calls of the networks.</summary>
    public int Steps => _sampler.Timesteps.Count;

    /// <summary>One image for each mask. An image depends on its mask, prompt and seed alone, not on the batch.</summary>
    /// <param name="masks">float [B,1,H,W], 0 or 1, or [B,3,H,W], colours of classes in [0,1].</param>
    /// <param name="prompts">B prompts.</param>
    /// <param name="seeds">B seeds.</param>
    /// <param name="watch">Told of each step; watching changes no image.</param>
    /// <param name="start">Images to start from; null for pure noise.</param>
    /// <returns>float [B,3,H,W] in [-1,1].</returns>
    public Tensor Sample(
        Tensor masks, IReadOnlyList<string> prompts, IReadOnlyList<Seed> seeds, Action<SampleProgress>? watch = null,
        StartImages? start = null)
    {
        ArgumentNullException.ThrowIfNull(masks);
        ArgumentNullException.ThrowIfNull(prompts);
        ArgumentNullException.ThrowIfNull(seeds);
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var factor = _pipeline.Codec.Factor;
        long[] shape = [_pipeline.Codec.Channels, masks.shape[2] / factor, masks.shape[3] / factor];
        using var denoiser = new GuidedDenoiser(
            _pipeline.Model, _pipeline.Placement.Put(masks.expand(-1, 3, -1, -1).contiguous()), _pipeline.Encode(prompts),
            _pipeline.Encode([.. prompts.Select(_ => "")]), _options.Guidance, start is null ? null : HintOf(start));
        var noise = Noise(seeds, shape, "start");
        // A hint alone needs no latent
        var clean = start is { Strength: < 1 } or { Region: not null } ? Clean(start.Images) : null;
        var first = start is { Strength: < 1 } ? _sampler.FirstStep(start.Strength) : 0;
        var latent = _sampler.Sample(
            first == 0 ? noise : _sampler.NoisedTo(clean!, noise, first), denoiser.Predict, k => Noise(seeds, shape, $"step {k}"),
            Correction(start, clean), p =>
                watch?.Invoke(new(p.Index + 1 - first, Steps - first, () => Images(p.CleanLatent, start))), first);
        return Images(latent, start).MoveToOuterDisposeScope();
    }

    private Tensor Images(Tensor latent, StartImages? start)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var images = _pipeline.Decode(latent).clamp(-1, 1);
        return (start?.Region is { } region ? Joined(images, start.Images, region) : images).MoveToOuterDisposeScope();
    }

    private ImageHint HintOf(StartImages start) => new(_pipeline.Placement.Put((start.Images + 1) / 2), start.ImageWeight);

    private Tensor Clean(Tensor images) =>
        _pipeline.Codec.Latent(_pipeline.Moments(images)).to(float32, _pipeline.Placement.Device);

    // What is kept of an image is put back into every estimate of the clean latent: as pixels where the codec costs nothing.
    private Func<Tensor, Tensor>? Correction(StartImages? start, Tensor? clean)
    {
        if (start?.Region is not { } region) return _options.ClampPixels ? _pipeline.Codec.ClampPixels : null;
        if (!_pipeline.Codec.IsPretrained)
            return x0 =>
            {
                using var scope = NewDisposeScope();
                return Clean(Joined(_pipeline.Decode(x0).clamp(-1, 1), start.Images, region)).MoveToOuterDisposeScope();
            };
        var small = nn.functional.adaptive_avg_pool2d(region, [clean!.shape[2], clean.shape[3]]).to(clean.device);
        return x0 => Joined(x0, clean, small);
    }

    private static Tensor Joined(Tensor drawn, Tensor kept, Tensor region)
    {
        using var scope = NewDisposeScope();
        return (drawn * region + kept * (1 - region)).MoveToOuterDisposeScope();
    }

    // Drawn on the CPU and carried over: the same on every device.
    private Tensor Noise(IReadOnlyList<Seed> seeds, long[] shape, string purpose)
    {
        using var scope = NewDisposeScope();
        return stack([.. seeds.Select(s => Draw(s.Derive(purpose), shape))]).to(_pipeline.Placement.Device)
            .MoveToOuterDisposeScope();
    }

    private static Tensor Draw(Seed seed, long[] shape)
    {
        using var generator = seed.Generator();
        return randn(shape, generator: generator);
    }
}
