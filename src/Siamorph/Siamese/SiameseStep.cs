using Siamorph.Acceleration;
using Siamorph.Diffusion;
using Siamorph.Models;
using static TorchSharp.torch;

namespace Siamorph.Siamese;

/// <summary>Which losses count, and when online augmentation takes part.</summary>
public sealed record SiameseLossOptions
{
    /// <summary>Weight of ‖ε_m − ε‖².</summary>
    public double Mask { get; init; } = 1;

    /// <summary>Weight of ‖ε_mix − ε‖²; 0 switches the image branch's training off.</summary>
    public double Image { get; init; } = 1;

    /// <summary>Weight of the Noise Consistency Loss; 0 switches it off.</summary>
    public double Consistency { get; init; } = 1;

    /// <summary>Weight of the loss on online-augmented samples; 0 switches it off.</summary>
    public double Augmentation { get; init; } = 1;

    /// <summary>Online augmentation begins after this share of the steps (the reference: a third).</summary>
    public double AugmentationStart { get; init; } = 1.0 / 3;

    /// <summary>Online augmentation takes samples up to this timestep, included (the reference: 200).</summary>
    public int AugmentationMaxTimestep { get; init; } = 200;

    /// <summary>
    /// With soft labels: how much the mask's losses are reduced at pixels on which annotators disagree. 1 leaves out
    /// pixels at ½; 0 counts all alike.
    /// </summary>
    public double AgreementWeight { get; init; }

    /// <summary>How losses are weighted by timestep.</summary>
    public LossWeighting Weighting { get; init; } = LossWeighting.Uniform;

    /// <summary>The mask-only baseline: no image branch at all.</summary>
    public static SiameseLossOptions MaskOnly { get; } = new() { Image = 0, Consistency = 0, Augmentation = 0 };
}

/// <summary>All that one training step reads. The caller owns the tensors.</summary>
/// <param name="CleanLatent">x0, float [B,C,H,W].</param>
/// <param name="Noise">ε, same shape.</param>
/// <param name="Timesteps">int64 [B].</param>
/// <param name="Context">Prompt tokens [B,L,D].</param>
/// <param name="MaskHint">[B,3,f·H,f·W], 0 or 1; in [0,1] where labels are soft.</param>
/// <param name="ImageHint">[B,3,f·H,f·W] in [0,1].</param>
/// <param name="KeepControl">1 where the control counts, 0 where it is dropped (for mask guidance), [B]; null keeps all.</param>
/// <param name="PixelWeights">How much each place counts in the losses by the mask, [B,1,H,W], mean 1 in each sample; null counts
/// all alike.</param>
internal sealed record SiameseBatch(
    Tensor CleanLatent, Tensor Noise, Tensor Timesteps, Tensor Context, Tensor MaskHint, Tensor ImageHint,
    Tensor? KeepControl = null, Tensor? PixelWeights = null);

/// <summary>What one step found, before any gradient. Owned by the dispose scope it was made in.</summary>
internal sealed class SiameseStepResult
{
    private readonly double _lossScale;
    private readonly List<Tensor> _roots = [];
    private readonly List<Tensor> _rootGradients = [];

    internal SiameseStepResult(double lossScale = 1) => _lossScale = lossScale;

    /// <summary>
    /// Loss of each sample by term: "mask", "image", "consistency", "augmentation"; [B], weighted by timestep only.
    /// </summary>
    public Dictionary<string, Tensor> PerSample { get; } = [];

    /// <summary>x_t [B,C,H,W].</summary>
    public required Tensor NoisyLatent { get; init; }

    /// <summary>ε_m (or x0 by the mask), [B,C,H,W].</summary>
    public required Tensor MaskPrediction { get; init; }

    /// <summary>ε_mix, [B,C,H,W]; null without an image branch.</summary>
    public Tensor? ImagePrediction { get; set; }

    /// <summary>Which samples were augmented online, int64 [b]; null when none.</summary>
    public Tensor? AugmentedIndices { get; set; }

    /// <summary>x̂0 of those samples, [b,C,H,W].</summary>
    public Tensor? Restored { get; set; }

    /// <summary>x'_t of those samples, [b,C,H,W].</summary>
    public Tensor? Renoised { get; set; }

    /// <summary>Prediction for those samples, [b,C,H,W].</summary>
    public Tensor? AugmentedPrediction { get; set; }

    /// <summary>Batch means of the terms, and their weighted sum as "total".</summary>
    public IReadOnlyDictionary<string, double> ToScalars(SiameseLossOptions options)
    {
        using var scope = NewDisposeScope();
        var terms = PerSample.ToDictionary(p => p.Key, p => p.Value.mean().to(float64).item<double>());
        terms["total"] = terms.Sum(t => Weight(options, t.Key) * t.Value);
        return terms;
    }

    /// <summary>Adds the gradient of the weighted sum of all losses, times the loss scale, to the parameters.</summary>
    public void Backward()
    {
        if (_roots.Count > 0) autograd.backward(_roots, _rootGradients);
    }

    internal void AddTerm(string name, Tensor perSample, double weight)
    {
        PerSample[name] = perSample;
        if (weight > 0) AddRoot(perSample.mean(), tensor((float)(weight * _lossScale), device: perSample.device));
    }

    internal void AddRoot(Tensor root, Tensor gradient)
    {
        if (!root.requires_grad) return;
        _roots.Add(root);
        _rootGradients.Add(gradient);
    }

    private static double Weight(SiameseLossOptions options, string term) => term switch
    {
        "mask" => options.Mask,
        "image" => options.Image,
        "consistency" => options.Consistency,
        _ => options.Augmentation,
    };
}

/// <summary>
/// One training step of Siamese-Diffusion (arXiv 2505.06068): the reference's losses and gradients, with each shared value
/// computed once. The encoder serves both branches; the mask's residuals serve the mask branch with gradient and the mix
/// without; the mask's hint features serve online augmentation too; the image branch asks for the gradient with respect
/// to its residuals alone, so the decoder's weights stay constants there; online augmentation runs on its samples only.
/// </summary>
internal sealed class SiameseStep(SiameseModel model, ForwardProcess process, SiameseLossOptions options)
{
    /// <summary>What every gradient is multiplied by: for 16 bits, and to average over several batches.</summary>
    public double LossScale { get; set; } = 1;

    /// <summary>Computes the losses; call <see cref="SiameseStepResult.Backward"/> for their gradient.</summary>
    /// <param name="batch">Latents, noise and hints.</param>
    /// <param name="step">Number of this optimizer step, from 0.</param>
    /// <param name="maxSteps">Number of steps of the whole run; the ramp is step / maxSteps.</param>
    public SiameseStepResult Run(SiameseBatch batch, long step, long maxSteps)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var noisy = process.AddNoise(batch.CleanLatent, batch.Timesteps, batch.Noise);
        var encoded = EncodeWithoutGradient(noisy, batch.Timesteps, batch.Context);
        var ramp = step / (double)maxSteps;
        var augmented = Augmented(batch, step, maxSteps);
        var imageBranch = options.Image > 0 || options.Consistency > 0 || augmented.Length > 0;
        var control = Control(batch, noisy, imageBranch && ramp > 0);

        var target = process.TargetOf(batch.CleanLatent, batch.Noise, batch.Timesteps);
        var weights = LossWeights.Of(options.Weighting, process.Schedule, batch.Timesteps);
        var maskPrediction = Decode(encoded, batch.Context, control.Mask);
        var result = new SiameseStepResult(LossScale) { NoisyLatent = noisy, MaskPrediction = maskPrediction };
        result.AddTerm("mask", SiameseLosses.Denoising(maskPrediction, target, weights, batch.PixelWeights), options.Mask);
        if (!imageBranch) return result;

        result.ImagePrediction = ImageBranch(result, batch, encoded, control, ramp, target, weights);
        if (options.Consistency > 0)
            result.AddTerm("consistency", SiameseLosses.NoiseConsistency(maskPrediction, result.ImagePrediction, weights),
                options.Consistency);
        if (augmented.Length > 0) OnlineAugmentation(result, batch, control.MaskFeatures, augmented, target, weights);
        return result;
    }

    private sealed record ControlOutputs(Tensor MaskFeatures, IReadOnlyList<Tensor> Mask, IReadOnlyList<Tensor>? Image);

    private EncodedLatent EncodeWithoutGradient(Tensor noisy, Tensor timesteps, Tensor context)
    {
        using var noGrad = no_grad();
        return model.UNet.Encode(Given(noisy), timesteps, context);
    }

    // Latents and losses are float32; the networks may not be.
    private Tensor Given(Tensor latent) => latent.dtype == model.Type ? latent : latent.to(model.Type);

    private Tensor Decode(EncodedLatent encoded, Tensor context, IReadOnlyList<Tensor> residuals)
    {
        var prediction = model.UNet.Decode(encoded, context, residuals);
        return prediction.dtype == ScalarType.Float32 ? prediction : prediction.to(float32);
    }

    // Both hints go through ControlNet in one call; without the image loss the image's half needs no gradient.
    private ControlOutputs Control(SiameseBatch batch, Tensor noisy, bool withImage)
    {
        if (!withImage || options.Image <= 0)
        {
            var features = model.ControlNet.HintFeatures(batch.MaskHint);
            var mask = Residuals(noisy, features, batch, 1);
            if (!withImage) return new(features, mask, null);
            using var noGrad = no_grad();
            return new(features, mask, Residuals(noisy, model.ControlNet.HintFeatures(batch.ImageHint), batch, 1));
        }
        var size = batch.MaskHint.shape[0];
        var both = model.ControlNet.HintFeatures(cat([batch.MaskHint, batch.ImageHint]));
        var residuals = Residuals(cat([noisy, noisy]), both, batch, 2);
        return new(both.narrow(0, 0, size), [.. residuals.Select(r => r.narrow(0, 0, size))],
            [.. residuals.Select(r => r.narrow(0, size, size))]);
    }

    private IReadOnlyList<Tensor> Residuals(Tensor noisy, Tensor features, SiameseBatch batch, int copies)
    {
        Tensor Repeat(Tensor t) => copies == 1 ? t : cat([.. Enumerable.Repeat(t, copies)]);
        var residuals = model.ControlNet.Residuals(Given(noisy), features, Repeat(batch.Timesteps), Repeat(batch.Context));
        return batch.KeepControl is null ? residuals : Keep(residuals, Repeat(batch.KeepControl));
    }

    private static IReadOnlyList<Tensor> Keep(IReadOnlyList<Tensor> residuals, Tensor keep) =>
        [.. residuals.Select(r => r * keep.view(-1, 1, 1, 1))];

    private Tensor ImageBranch(
        SiameseStepResult result, SiameseBatch batch, EncodedLatent encoded, ControlOutputs control, double ramp, Tensor target,
        Tensor weights)
    {
        if (control.Image is null) // the ramp is at 0: the mix is the mask's control
        {
            if (options.Image > 0) result.PerSample["image"] = result.PerSample["mask"].detach();
            return result.MaskPrediction.detach();
        }
        if (options.Image <= 0)
        {
            using var noGrad = no_grad();
            return Decode(encoded, batch.Context, Mix(control, control.Image, ramp));
        }
        using var constant = FastConvolution.ConstantWeights();
        var leaves = control.Image.Select(r => r.detach().requires_grad_()).ToList();
        var prediction = Decode(encoded, batch.Context, Mix(control, leaves, ramp));
        var perSample = SiameseLosses.Denoising(prediction, target, weights);
        var gradients = autograd.grad([perSample.mean() * (float)(options.Image * LossScale)], leaves);
        for (var i = 0; i < leaves.Count; i++) result.AddRoot(control.Image[i], gradients[i]);
        result.PerSample["image"] = perSample.detach();
        return prediction.detach();
    }

    private static List<Tensor> Mix(ControlOutputs control, IReadOnlyList<Tensor> image, double ramp) =>
        [.. control.Mask.Zip(image, (m, v) => m.detach() + v * (float)ramp)];

    private long[] Augmented(SiameseBatch batch, long step, long maxSteps)
    {
        if (options.Augmentation <= 0 || step <= maxSteps * options.AugmentationStart) return [];
        var timesteps = batch.Timesteps.cpu().data<long>().ToArray();
        return [.. Enumerable.Range(0, timesteps.Length).Where(i => timesteps[i] <= options.AugmentationMaxTimestep)
            .Select(i => (long)i)];
    }

    private void OnlineAugmentation(
        SiameseStepResult result, SiameseBatch batch, Tensor maskFeatures, long[] samples, Tensor target, Tensor weights)
    {
        var index = tensor(samples, device: batch.CleanLatent.device);
        Tensor Of(Tensor t) => t.index_select(0, index);
        var (timesteps, context, noise) = (Of(batch.Timesteps), Of(batch.Context), Of(batch.Noise));
        using (no_grad())
        {
            result.Restored = process.CleanLatent(Of(result.NoisyLatent), timesteps, Of(result.ImagePrediction!));
            result.Renoised = process.AddNoise(result.Restored, timesteps, noise);
        }
        var encoded = EncodeWithoutGradient(result.Renoised, timesteps, context);
        var residuals = model.ControlNet.Residuals(Given(result.Renoised), Of(maskFeatures), timesteps, context);
        if (batch.KeepControl is not null) residuals = Keep(residuals, Of(batch.KeepControl));
        result.AugmentedPrediction = Decode(encoded, context, residuals);
        result.AugmentedIndices = index;
        var losses = SiameseLosses.Denoising(result.AugmentedPrediction, Of(target), Of(weights), batch.PixelWeights is { } pixels
            ? Of(pixels) : null);
        // The others count 0, and the mean stays over the full batch.
        var all = zeros(batch.CleanLatent.shape[0], device: losses.device).index_add(0, index, losses, 1);
        result.AddTerm("augmentation", all, options.Augmentation);
    }
}
