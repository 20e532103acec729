using Siamorph.Diffusion;
using Siamorph.Training;

namespace Siamorph.Siamese;

/// <summary>How images are sampled from a trained model.</summary>
public sealed record SamplingOptions
{
    /// <summary>Sampler.</summary>
    public SamplerKind Sampler { get; init; }

    /// <summary>Denoising steps.</summary>
    public int Steps { get; init; } = 50;

    /// <summary>Eta of DDIM: 0 is deterministic, 1 adds as much noise as ancestral sampling.</summary>
    public double Eta { get; init; }

    /// <summary>How timesteps are spaced.</summary>
    public TimestepSpacing Spacing { get; init; } = TimestepSpacing.Leading;

    /// <summary>
    /// Whether the last step ends at the clean latent (alpha-bar 1); otherwise at timestep 0 as in the reference, where a trace
    /// of noise remains.
    /// </summary>
    [FormerName("finalStep", "firstAlphaBar", "false", "cleanLatent", "true")]
    public bool SetAlphaToOne { get; init; }

    /// <summary>Which condition the unconditional prediction of guidance leaves out.</summary>
    public GuidanceKind GuidanceKind { get; init; } = GuidanceKind.Prompt;

    /// <summary>Guidance scale; 1 for none.</summary>
    public double GuidanceScale { get; init; } = 9;

    /// <summary>Clamps every x0 estimate to [-1,1] in pixels.</summary>
    public bool ClampPixels { get; init; }

    internal DdimOptions Ddim => new() { Steps = Steps, Eta = Eta, Spacing = Spacing, SetAlphaToOne = SetAlphaToOne };

    /// <summary>The name of the sampler, for manifests.</summary>
    internal string SamplerName =>
        Sampler switch { SamplerKind.DpmSolver => "dpm-solver++(2m)", SamplerKind.UniPc => "unipc-2", _ => "ddim" };

    internal ILatentSampler SamplerOf(ForwardProcess process) =>
        Sampler == SamplerKind.Ddim ? new DdimSampler(process, Ddim) : new MultistepSampler(process, Ddim, Sampler);

    internal GuidanceOptions Guidance => new() { Kind = GuidanceKind, Scale = GuidanceScale };
}
