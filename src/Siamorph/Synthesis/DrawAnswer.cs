using System.Text.Json.Nodes;
using Siamorph.Data;
using Siamorph.Diffusion;

namespace Siamorph.Synthesis;

/// <summary>
/// A line of `synthesize --serve`: first <see cref="Model"/>, then for each request any number of previews, and at its end an
/// image or an error.
/// </summary>
internal sealed record DrawAnswer
{
    /// <summary>What the request said.</summary>
    public JsonNode? Request { get; init; }

    /// <summary>What is loaded; in the first line alone.</summary>
    public DrawingModel? Model { get; init; }

    /// <summary>Why there is no image, one line.</summary>
    public string? Error { get; init; }

    /// <summary>PNG of the image as it is expected to become.</summary>
    public byte[]? Preview { get; init; }

    /// <summary>Of a preview: steps taken.</summary>
    public int? Done { get; init; }

    /// <summary>Of a preview: steps altogether.</summary>
    public int? Steps { get; init; }

    /// <summary>PNG, as `synthesize` writes it.</summary>
    public byte[]? Image { get; init; }

    /// <summary>PNG of the mask it was drawn from, at the model's size, as `synthesize` writes it.</summary>
    public byte[]? Mask { get; init; }

    /// <summary>Id of the pair, as `synthesize` names it.</summary>
    public string? Pair { get; init; }

    /// <summary>What the model was told.</summary>
    public string? Prompt { get; init; }

    /// <summary>All that is needed to make the image again, as the manifest has it.</summary>
    public SyntheticOrigin? Origin { get; init; }

    /// <summary>How long it took.</summary>
    public double? Seconds { get; init; }
}

/// <summary>A model that is loaded for drawing, and how it draws where a request doesn't say.</summary>
/// <param name="Hash">What manifests call it by.</param>
/// <param name="ImageSize">Width and height of its images in pixels.</param>
/// <param name="Prompts">Those it learned; none where it reads any text.</param>
/// <param name="Sampler">How the walk from noise is computed.</param>
/// <param name="Steps">Denoising steps.</param>
/// <param name="Guidance">Guidance scale.</param>
internal sealed record DrawingModel(
    string Hash, int ImageSize, IReadOnlyList<string> Prompts, SamplerKind Sampler, int Steps, double Guidance);
