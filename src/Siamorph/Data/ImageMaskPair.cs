using Siamorph.Imaging;

namespace Siamorph.Data;

/// <summary>Where a pair comes from.</summary>
public enum PairSource
{
    /// <summary>Photographed and labelled.</summary>
    Real,

    /// <summary>Made by a generator.</summary>
    Synthetic,
}

/// <summary>One image with its mask, as files.</summary>
public sealed record ImageMaskPair
{
    /// <summary>Names the pair within its folder; unique there.</summary>
    public required string Id { get; init; }

    /// <summary>Full path of the image.</summary>
    public required string ImagePath { get; init; }

    /// <summary>Full path of the mask; empty for an unlabelled image.</summary>
    public required string MaskPath { get; init; }

    /// <summary>Whether it is an image alone.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool IsUnlabelled => MaskPath.Length == 0;

    /// <summary>
    /// Full paths of further masks of the same annotator, one a lesion (X_mask_1.png beside X_mask.png); the mask is the union.
    /// </summary>
    public IReadOnlyList<string> MoreMaskPaths { get; init; } = [];

    /// <summary>
    /// Full paths of the same image's masks by other annotators; <see cref="MaskPath"/> is the reference, on which scores are
    /// taken.
    /// </summary>
    public IReadOnlyList<string> OtherMaskPaths { get; init; } = [];

    /// <summary>What a text-conditioned generator is told; may be empty.</summary>
    public string Prompt { get; init; } = "";

    /// <summary>Real or synthetic.</summary>
    public PairSource Source { get; init; }

    /// <summary>"train", "val", "test", or null where the folder is not split.</summary>
    public string? Split { get; init; }

    /// <summary>Patient, sequence or other unit that must stay on one side of a split; null where unknown.</summary>
    public string? Group { get; init; }

    /// <summary>Device or centre the image comes from; null where unknown. It only names sub-groups.</summary>
    public string? Centre { get; init; }

    /// <summary>
    /// Further files where each colour channel has its own, and <see cref="ImagePath"/> is the red one; else null.
    /// </summary>
    public ChannelFiles? Channels { get; init; }

    /// <summary>
    /// How levels of more than 8 bits become an image, the same for all of a set; null where the image has 8 bits.
    /// </summary>
    public IntensityRange? Range { get; init; }

    /// <summary>The classes of the mask; null where it is lesion against background.</summary>
    public ClassTable? Classes { get; init; }

    /// <summary>How a synthetic pair was made; null for real ones.</summary>
    public SyntheticOrigin? Origin { get; init; }
}

/// <summary>The green and the blue channel of an image that is stored as three grey files.</summary>
/// <param name="GreenPath">Full path.</param>
/// <param name="BluePath">Full path.</param>
public sealed record ChannelFiles(string GreenPath, string BluePath);

/// <summary>All that is needed to make a synthetic image again.</summary>
/// <param name="ModelHash">SHA-256 of the weights, hexadecimal.</param>
/// <param name="Seed">Seed of this image's noise.</param>
/// <param name="Sampler">Name of the sampler, such as "ddim".</param>
/// <param name="Steps">Denoising steps.</param>
/// <param name="Guidance">Guidance scale.</param>
/// <param name="SourceMask">Id of the mask it was made from.</param>
/// <param name="Deformation">How that mask was deformed, or null where it was used as it is.</param>
/// <param name="GateVerdict">What the quality gate said, or null where none ran.</param>
public sealed record SyntheticOrigin(
    string ModelHash, Seed Seed, string Sampler, int Steps, double Guidance, string SourceMask,
    string? Deformation = null, string? GateVerdict = null)
{
    /// <summary>What it was drawn from: "real", "paste" or "inpaint"; null for noise.</summary>
    public string? Start { get; init; }

    /// <summary>How far the image was noised, 0 to 1; null for noise.</summary>
    public double? Strength { get; init; }

    /// <summary>How much the image counted as a second hint; null for not at all.</summary>
    public double? ImageWeight { get; init; }

    /// <summary>Id of the pair whose image it was made of; null for noise.</summary>
    public string? Host { get; init; }

    /// <summary>Id of the pair whose lesion was pasted; null where none was.</summary>
    public string? Donor { get; init; }

    /// <summary>Whether a real image went into it: such an image is a version of that image, not a new one.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool IsEditedReal => Host is not null;
}
