using System.Globalization;
using Siamorph.Diffusion;
using Siamorph.Siamese;

namespace Siamorph.Synthesis;

/// <summary>All options of `synthesize`.</summary>
public sealed record SynthesisOptions
{
    /// <summary>Images to generate from each mask.</summary>
    public int ImagesPerMask { get; init; } = 1;

    /// <summary>
    /// Number of pairs in all, taking the masks in turn; by default every mask is used the same number of times.
    /// </summary>
    public int? Count { get; init; }

    /// <summary>
    /// New masks to generate from in place of the given ones, from a statistical model of their shapes, positions and sizes. 0
    /// draws from the given ones.
    /// </summary>
    public int Shapes { get; init; }

    /// <summary>Images generated at once; changes the speed, not the images.</summary>
    public int BatchSize { get; init; } = 16;

    /// <summary>Seed from which every image's own seed is derived.</summary>
    public Seed Seed { get; init; }

    /// <summary>Prompt for all images; by default each image has its own pair's prompt.</summary>
    public string? Prompt { get; init; }

    /// <summary>Tokenizer of a model that is not a run of `train`; by default the tokenizer folder beside it.</summary>
    public string? Tokenizer { get; init; }

    /// <summary>How images are sampled; by default as the model's own options say.</summary>
    public SamplingOptions? Sampling { get; init; }

    /// <summary>Sampler, in place of the one in the model's sampling options.</summary>
    public SamplerKind? Sampler { get; init; }

    /// <summary>Denoising steps, in place of those in the model's sampling options.</summary>
    public int? Steps { get; init; }

    /// <summary>Guidance scale, in place of the one in the model's sampling options.</summary>
    public double? Guidance { get; init; }

    /// <summary>Where the networks run.</summary>
    public ComputeDevice Device { get; init; }

    /// <summary>Type of the networks' weights and activations.</summary>
    public Precision Precision { get; init; }

    /// <summary>
    /// What generation starts from: noise, a real image, an image with a pasted lesion, or an image in which a lesion is
    /// inpainted.
    /// </summary>
    public SampleStart Start { get; init; }

    /// <summary>
    /// How much noise is added to the starting image before denoising, 0 to 1; 0 keeps the deformed or pasted image as it is.
    /// Null takes
    /// 0.5 for real, 0.35 for paste, and 1, pure noise, for noise and inpaint.
    /// </summary>
    public double? Strength { get; init; }

    /// <summary>
    /// Weight of the image as a second hint: w in r_m + w·r_v. 0 is Mask-Diffusion alone (diverse), 1 the mix that training
    /// ended with (faithful). With start noise, the image is that of the mask's own pair.
    /// </summary>
    public double ImageWeight { get; init; }

    /// <summary>How masks are varied before they are used.</summary>
    public MaskDeformationOptions Deformation { get; init; } = new();

    /// <summary>Checks all options.</summary>
    /// <exception cref="InvalidOptionsException">Lists every fault.</exception>
    public void Validate()
    {
        var faults = new List<string>(Deformation.Faults());
        if (ImagesPerMask < 1) faults.Add($"imagesPerMask is {ImagesPerMask}; at least 1 is needed.");
        if (Count < 1) faults.Add($"count is {Count}; at least 1 is needed.");
        if (Shapes < 0) faults.Add($"shapes is {Shapes}; it can't be negative (0 is none).");
        if (Shapes > 0 && NeedsImages)
            faults.Add($"shapes: a new shape has no image, which {WhyImages} needs. Use start noise with imageWeight 0, or set "
                + $"shapes to 0.");
        if (BatchSize < 1) faults.Add($"batchSize is {BatchSize}; at least 1 is needed.");
        if (Steps < 1) faults.Add($"steps is {Steps}; at least 1 is needed.");
        if (Strength is not (null or (>= 0 and <= 1)))
            faults.Add(FormattableString.Invariant($"strength is {Strength}; give 0 to 1."));
        if (Start is SampleStart.Noise or SampleStart.Inpaint && Strength is not (null or 1))
            faults.Add(string.Create(CultureInfo.InvariantCulture,
                $"strength is {Strength}; with start {Start.ToString().ToLowerInvariant()} it is always 1. Choose start real or "
                    + $"paste, or leave it out."));
        if (ImageWeight is not (>= 0 and <= 2))
            faults.Add(FormattableString.Invariant($"imageWeight is {ImageWeight}; give 0 to 2."));
        if (Deformation.Recombination > 0
            && (Start is SampleStart.Real or SampleStart.Paste || (Start == SampleStart.Noise && ImageWeight > 0)))
            faults.Add("deformation.recombination: a recombined mask has a second lesion that the image lacks. Set it to 0, or "
            + "use start paste, which pastes a lesion into the image.");
        if (faults.Count > 0) throw new InvalidOptionsException(faults);
    }

    /// <summary>Whether the images of the pairs are read too.</summary>
    internal bool NeedsImages => Start != SampleStart.Noise || ImageWeight > 0;

    internal string WhyImages => Start != SampleStart.Noise ? $"start {Start.ToString().ToLowerInvariant()}"
        : "imageWeight above 0";

    /// <summary>The strength, its default filled in.</summary>
    internal double ResolvedStrength => Strength ?? Start switch { SampleStart.Real => 0.5, SampleStart.Paste => 0.35, _ => 1 };

    /// <summary>Whether a model is needed at all; with strength 0 images are only deformed or pasted.</summary>
    internal bool NeedsModel => ResolvedStrength > 0;

    internal SamplingOptions Resolve(SamplingOptions trained)
    {
        var sampling = Sampling ?? trained;
        return sampling with
        {
            Sampler = Sampler ?? sampling.Sampler, Steps = Steps ?? sampling.Steps, GuidanceScale = Guidance
                ?? sampling.GuidanceScale,
        };
    }
}
