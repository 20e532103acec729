using Siamorph.Siamese;

namespace Siamorph.Synthesis;

/// <summary>Everything `synthesize` can be told.</summary>
public sealed record SynthesisOptions
{
    /// <summary>Images drawn from each mask.</summary>
    public int ImagesPerMask { get; init; } = 1;

    /// <summary>Number of pairs altogether, going round the masks; null for <see cref="ImagesPerMask"/> of each.</summary>
    public int? Count { get; init; }

    /// <summary>Images drawn at once; it changes the speed, not the images.</summary>
    public int BatchSize { get; init; } = 16;

    /// <summary>Decides every image's own seed.</summary>
    public ulong Seed { get; init; }

    /// <summary>Prompt for all images; null takes each mask's own.</summary>
    public string? Prompt { get; init; }

    /// <summary>Tokenizer of a model that is no run of `train`; null for the tokenizer folder beside it.</summary>
    public string? Tokenizer { get; init; }

    /// <summary>How images are drawn; null takes what the model was trained with.</summary>
    public SamplingOptions? Sampling { get; init; }

    /// <summary>Denoising steps, instead of those of the sampling options.</summary>
    public int? Steps { get; init; }

    /// <summary>Guidance scale, instead of that of the sampling options.</summary>
    public double? Guidance { get; init; }

    /// <summary>Where the networks run.</summary>
    public ComputeDevice Device { get; init; }

    /// <summary>Type of the networks' weights and activations.</summary>
    public Precision Precision { get; init; }

    /// <summary>How masks are varied before they are used.</summary>
    public MaskDeformationOptions Deformation { get; init; } = new();

    /// <summary>Checks all options.</summary>
    /// <exception cref="InvalidOptionsException">Lists every fault.</exception>
    public void Validate()
    {
        var faults = new List<string>(Deformation.Faults());
        if (ImagesPerMask < 1) faults.Add($"imagesPerMask is {ImagesPerMask}; at least 1 is needed.");
        if (Count < 1) faults.Add($"count is {Count}; at least 1 is needed.");
        if (BatchSize < 1) faults.Add($"batchSize is {BatchSize}; at least 1 is needed.");
        if (Steps < 1) faults.Add($"steps is {Steps}; at least 1 is needed.");
        if (faults.Count > 0) throw new InvalidOptionsException(faults);
    }

    internal SamplingOptions Resolve(SamplingOptions trained)
    {
        var sampling = Sampling ?? trained;
        return sampling with { Steps = Steps ?? sampling.Steps, GuidanceScale = Guidance ?? sampling.GuidanceScale };
    }
}
