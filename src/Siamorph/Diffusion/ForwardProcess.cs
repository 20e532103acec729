using static TorchSharp.torch;

namespace Siamorph.Diffusion;

/// <summary>What the network predicts.</summary>
public enum PredictionTarget
{
    /// <summary>The noise ε; preset official.</summary>
    Noise,

    /// <summary>The clean latent x0; the CPU presets (docs/decisions/0004-tiny-predicts-x0.md).</summary>
    CleanLatent,
}

/// <summary>
/// The forward process q(x_t | x0) and the ways between x0, ε and what the network predicts.
/// Latents are float [B,C,H,W]; timesteps are int64 [B] in 0 … <see cref="NoiseSchedule.Count"/> − 1.
/// </summary>
internal sealed class ForwardProcess(NoiseSchedule schedule, PredictionTarget target)
{
    /// <summary>The noise schedule.</summary>
    public NoiseSchedule Schedule { get; } = schedule;

    /// <summary>What the network predicts.</summary>
    public PredictionTarget Target { get; } = target;

    /// <summary>x_t = √ᾱ_t x0 + √(1 − ᾱ_t) ε.</summary>
    /// <returns>[B,C,H,W].</returns>
    public Tensor AddNoise(Tensor x0, Tensor timesteps, Tensor noise)
    {
        using var scope = NewDisposeScope();
        var x = At(Schedule.SqrtAlphaBar, timesteps) * x0 + At(Schedule.SqrtOneMinusAlphaBar, timesteps) * noise;
        return x.MoveToOuterDisposeScope();
    }

    /// <summary>What the network should have answered: ε or x0 (the very tensor that was passed).</summary>
    public Tensor TargetOf(Tensor x0, Tensor noise) => Target == PredictionTarget.Noise ? noise : x0;

    /// <summary>The clean latent that a prediction implies.</summary>
    /// <returns>[B,C,H,W].</returns>
    public Tensor CleanLatent(Tensor xt, Tensor timesteps, Tensor prediction)
    {
        if (Target == PredictionTarget.CleanLatent) return prediction.alias();
        using var scope = NewDisposeScope();
        var x0 = At(Schedule.SqrtRecipAlphaBar, timesteps) * xt - At(Schedule.SqrtRecipM1AlphaBar, timesteps) * prediction;
        return x0.MoveToOuterDisposeScope();
    }

    private static Tensor At(float[] table, Tensor timesteps)
    {
        var values = timesteps.cpu().data<long>().Select(t => table[t]).ToArray();
        return tensor(values, device: timesteps.device).view(-1, 1, 1, 1);
    }
}
