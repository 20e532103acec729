using static TorchSharp.torch;

namespace Siamorph.Diffusion;

/// <summary>Ways to walk from noise to a clean latent.</summary>
public enum SamplerKind
{
    /// <summary>DDIM (arXiv 2010.02502), first order: the reference.</summary>
    Ddim,

    /// <summary>DPM-Solver++(2M) (arXiv 2211.01095), second order from two steps: fewer steps for the same image.</summary>
    DpmSolver,

    /// <summary>
    /// UniPC of order 2 with B(h) = e^h − 1 (arXiv 2302.04867): the same with a corrector that asks for no further prediction.
    /// </summary>
    UniPc,
}

/// <summary>Walks from noise to a clean latent, whatever network predicts.</summary>
internal interface ILatentSampler
{
    /// <summary>The timesteps visited, rising; sampling goes through them from the last to the first.</summary>
    IReadOnlyList<int> Timesteps { get; }

    /// <summary>
    /// The first step for a latent that is noised in part only: the noisiest one that is not above the strength.
    /// </summary>
    /// <param name="strength">Share of the schedule, in (0, 1]; 1 is pure noise. At least one step is left.</param>
    /// <returns>0 … <see cref="Timesteps"/>.Count − 1.</returns>
    int FirstStep(double strength);

    /// <summary>A clean latent as it looks before a step.</summary>
    /// <param name="clean">x0, float [B,C,H,W].</param>
    /// <param name="noise">Standard normal, the same shape.</param>
    /// <param name="index">Number of the step, 0 the noisiest.</param>
    /// <returns>√ᾱ·x0 + √(1 − ᾱ)·noise, [B,C,H,W].</returns>
    Tensor NoisedTo(Tensor clean, Tensor noise, int index);

    /// <summary>Walks from noise to a clean latent.</summary>
    /// <param name="x">Starting noise, float [B,C,H,W]; left as it is.</param>
    /// <param name="predict">(x_t, timestep) → prediction [B,C,H,W] in the process's target.</param>
    /// <param name="freshNoise">Noise [B,C,H,W] of step k (0 the noisiest); asked for only when η &gt; 0.</param>
    /// <param name="correct">Applied to each x0 estimate, such as a clamp in pixel space; null for none.</param>
    /// <param name="watch">Called after each step.</param>
    /// <param name="first">Number of the first step taken, 0 the noisiest: above 0, <paramref name="x"/> is a latent noised to
    /// that step.</param>
    /// <returns>[B,C,H,W].</returns>
    Tensor Sample(
        Tensor x, Func<Tensor, int, Tensor> predict, Func<int, Tensor>? freshNoise = null,
        Func<Tensor, Tensor>? correct = null, Action<SamplerProgress>? watch = null, int first = 0);
}
