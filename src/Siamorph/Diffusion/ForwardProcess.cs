using static TorchSharp.torch;

namespace Siamorph.Diffusion;

/// <summary>What the network predicts.</summary>
public enum PredictionType
{
    /// <summary>The noise ε; the paper's model.</summary>
    Epsilon,

    /// <summary>The clean latent x0; the CPU presets (docs/decisions/0004-tiny-predicts-x0.md).</summary>
    Sample,

    /// <summary>
    /// v = √ᾱ ε − √(1 − ᾱ) x0 (arXiv 2202.00512). Its error is that of x0 times 1 + SNR, so it is weighted uniformly.
    /// </summary>
    V,
}

/// <summary>
/// The forward process q(x_t | x0) and the ways between x0, ε and what the network predicts.
/// Latents are float [B,C,H,W]; timesteps are int64 [B] in 0 … <see cref="NoiseSchedule.Count"/> − 1.
/// </summary>
internal sealed class ForwardProcess(NoiseSchedule schedule, PredictionType type)
{
    /// <summary>The noise schedule.</summary>
    public NoiseSchedule Schedule { get; } = schedule;

    /// <summary>What the network predicts.</summary>
    public PredictionType PredictionType { get; } = type;

    /// <summary>x_t = √ᾱ_t x0 + √(1 − ᾱ_t) ε.</summary>
    /// <returns>[B,C,H,W].</returns>
    public Tensor AddNoise(Tensor x0, Tensor timesteps, Tensor noise)
    {
        using var scope = NewDisposeScope();
        var x = At(Schedule.SqrtAlphaBar, timesteps) * x0 + At(Schedule.SqrtOneMinusAlphaBar, timesteps) * noise;
        return x.MoveToOuterDisposeScope();
    }

    /// <summary>What the network should have answered: ε or x0 (the very tensor that was passed), or v.</summary>
    public Tensor TargetOf(Tensor x0, Tensor noise, Tensor timesteps) => PredictionType switch
    {
        PredictionType.Epsilon => noise,
        PredictionType.Sample => x0,
        _ => Velocity(x0, noise, timesteps),
    };

    private Tensor Velocity(Tensor x0, Tensor noise, Tensor timesteps)
    {
        using var scope = NewDisposeScope();
        var v = At(Schedule.SqrtAlphaBar, timesteps) * noise - At(Schedule.SqrtOneMinusAlphaBar, timesteps) * x0;
        return v.MoveToOuterDisposeScope();
    }

    /// <summary>The clean latent that a prediction implies.</summary>
    /// <returns>[B,C,H,W].</returns>
    public Tensor CleanLatent(Tensor xt, Tensor timesteps, Tensor prediction)
    {
        if (PredictionType == PredictionType.Sample) return prediction.alias();
        using var scope = NewDisposeScope();
        var x0 = PredictionType == PredictionType.V
            ? At(Schedule.SqrtAlphaBar, timesteps) * xt - At(Schedule.SqrtOneMinusAlphaBar, timesteps) * prediction
            : At(Schedule.SqrtRecipAlphaBar, timesteps) * xt - At(Schedule.SqrtRecipM1AlphaBar, timesteps) * prediction;
        return x0.MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The same for samplers, where all samples stand at one ᾱ. Where the network predicts x0, the very tensor that was passed.
    /// </summary>
    public Tensor CleanLatent(Tensor x, Tensor prediction, double alphaBar)
    {
        var (signal, noise) = ((float)Math.Sqrt(alphaBar), (float)Math.Sqrt(1 - alphaBar));
        return PredictionType switch
        {
            PredictionType.Sample => prediction,
            PredictionType.V => x * signal - prediction * noise,
            _ => (x - prediction * noise) / signal,
        };
    }

    private static Tensor At(float[] table, Tensor timesteps)
    {
        var values = timesteps.cpu().data<long>().Select(t => table[t]).ToArray();
        return tensor(values, device: timesteps.device).view(-1, 1, 1, 1);
    }
}
