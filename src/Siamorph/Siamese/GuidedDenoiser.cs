using Siamorph.Acceleration;
using Siamorph.Models;
using static TorchSharp.torch;

namespace Siamorph.Siamese;

/// <summary>What the unconditional half of a guided prediction leaves out.</summary>
public enum GuidanceKind
{
    /// <summary>The prompt; the mask stays (the reference).</summary>
    Prompt,

    /// <summary>The control: the UNet without residuals, for models that were trained with dropped control.</summary>
    Mask,
}

/// <summary>How strongly a sample is drawn to its condition.</summary>
internal sealed record GuidanceOptions
{
    /// <summary>Which condition the unconditional prediction of guidance leaves out.</summary>
    public GuidanceKind Kind { get; init; } = GuidanceKind.Prompt;

    /// <summary>s in u + s (c − u); 1 means none, and no second half is computed.</summary>
    public double Scale { get; init; } = 9;
}

/// <summary>An image as a hint beside the mask: the dial from diversity (0) to fidelity (1).</summary>
/// <param name="Hint">[B,3,f·H,f·W] in [0,1].</param>
/// <param name="Weight">w in r_m + w·r_v, how much Image-Diffusion's residuals count.</param>
internal sealed record ImageHint(TorchSharp.torch.Tensor Hint, double Weight);

/// <summary>
/// Mask-Diffusion as a sampler sees it: (x_t, timestep) → guided prediction. What doesn't change from step to step, the
/// hint features, is computed once; both guidance halves and all masks go through the networks in one call.
/// </summary>
internal sealed class GuidedDenoiser : IDisposable
{
    private readonly FrozenWeights _weights = new();
    private readonly SiameseModel _model;
    private readonly GuidanceOptions _guidance;
    private readonly Tensor _features;
    private readonly Tensor _context;
    private readonly bool _bothPrompts;
    private readonly Tensor? _imageFeatures;
    private readonly double _imageWeight;

    /// <summary>Prepares a batch of masks. Its tensors belong to the caller's dispose scope.</summary>
    /// <param name="model">The networks.</param>
    /// <param name="maskHint">[B,3,f·H,f·W], 0 or 1.</param>
    /// <param name="context">Prompt tokens [B,L,D].</param>
    /// <param name="emptyContext">Tokens of the empty prompt [B,L,D]; read for prompt guidance only.</param>
    /// <param name="guidance">Kind and scale.</param>
    /// <param name="image">A second hint, read as Image-Diffusion reads it; null for Mask-Diffusion alone.</param>
    public GuidedDenoiser(
        SiameseModel model, Tensor maskHint, Tensor context, Tensor emptyContext, GuidanceOptions guidance,
        ImageHint? image = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(guidance);
        (_model, _guidance) = (model, guidance);
        _bothPrompts = guidance.Kind == GuidanceKind.Prompt && guidance.Scale != 1;
        _features = model.ControlNet.HintFeatures(maskHint);
        if (image is { Weight: > 0 }) (_imageFeatures, _imageWeight) = (model.ControlNet.HintFeatures(image.Hint), image.Weight);
        _context = _bothPrompts ? cat([emptyContext, context]) : context;
    }

    /// <summary>Forgets the weights' working copies.</summary>
    public void Dispose() => _weights.Dispose();

    /// <summary>The guided prediction.</summary>
    /// <param name="x">Noisy latent [B,C,H,W].</param>
    /// <param name="timestep">One timestep for the whole batch.</param>
    /// <returns>[B,C,H,W] in the model's prediction target.</returns>
    public Tensor Predict(Tensor x, int timestep)
    {
        using var noGrad = no_grad();
        if (_guidance is { Kind: GuidanceKind.Mask, Scale: not 1 } && x.dtype == _features.dtype && SideBySide.Pays(x))
            return OfOne(x, timestep);
        using var frozen = _weights.Use();
        using var scope = NewDisposeScope();
        var given = x;
        x = x.to(_features.dtype);
        var timesteps = full([x.shape[0]], timestep, dtype: int64, device: x.device);
        // With two prompts the networks answer twice about each latent.
        var encoded = _model.UNet.Encode(x, timesteps, _context);
        var residuals = Residuals(x, timesteps);
        var conditional = _model.UNet.Decode(encoded, _context, residuals).to(given.dtype);
        if (_guidance.Scale == 1) return conditional.MoveToOuterDisposeScope();
        var unconditional = _bothPrompts ? conditional.narrow(0, 0, x.shape[0])
            : _model.UNet.Decode(encoded, _context).to(given.dtype);
        if (_bothPrompts) conditional = conditional.narrow(0, x.shape[0], x.shape[0]);
        return Guided(unconditional, conditional).MoveToOuterDisposeScope();
    }

    // Encoder beside control, then the decoder with control beside that without.
    private Tensor OfOne(Tensor x, int timestep)
    {
        using var scope = NewDisposeScope();
        var timesteps = full([1], timestep, dtype: int64, device: x.device);
        var network = _model.UNet;
        Func<IReadOnlyList<Tensor>> Frozen(Func<IReadOnlyList<Tensor>> part) => () =>
        {
            using var frozen = _weights.Use();
            return part();
        };

        EncodedLatent encoded = null!;
        var (_, residuals) = SideBySide.Run(scope, Frozen(() =>
        {
            encoded = network.Encode(x, timesteps, _context);
            return [encoded.Embedding, .. encoded.Skips, encoded.Middle];
        }), Frozen(() => Residuals(x, timesteps)));
        var (conditional, unconditional) = SideBySide.Run(scope,
            Frozen(() => [network.Decode(encoded, _context, residuals)]), Frozen(() => [network.Decode(encoded, _context)]));
        return Guided(unconditional[0], conditional[0]).MoveToOuterDisposeScope();
    }

    private Tensor Guided(Tensor unconditional, Tensor conditional) =>
        unconditional + (conditional - unconditional) * (float)_guidance.Scale;

    // r_m + w·r_v, which at w = 1 is the mix at training's end.
    private IReadOnlyList<Tensor> Residuals(Tensor x, Tensor timesteps)
    {
        var mask = _model.ControlNet.Residuals(x, _features, timesteps, _context);
        if (_imageFeatures is null) return mask;
        var image = _model.ControlNet.Residuals(x, _imageFeatures, timesteps, _context);
        return [.. mask.Zip(image, (m, v) => m + v * (float)_imageWeight)];
    }
}
