namespace Siamorph.Models.Text;

/// <summary>
/// Sizes of CLIP's text model; the defaults are those of ViT-L/14, which Stable Diffusion 1.5 reads prompts with.
/// </summary>
public sealed record ClipTextConfig
{
    /// <summary>Tokens there are.</summary>
    public int VocabularySize { get; init; } = 49408;

    /// <summary>Tokens of a prompt, padding included.</summary>
    public int Length { get; init; } = 77;

    /// <summary>Channels of a token.</summary>
    public int Width { get; init; } = 768;

    /// <summary>Transformer layers.</summary>
    public int Layers { get; init; } = 12;

    /// <summary>Attention heads.</summary>
    public int Heads { get; init; } = 12;

    /// <summary>Width inside the feed-forward part.</summary>
    public int FeedForwardWidth { get; init; } = 3072;

    /// <summary>Every fault of the numbers, empty when they fit together.</summary>
    public IReadOnlyList<string> Validate()
    {
        var faults = new List<string>();
        if (VocabularySize < 1 || Length < 2 || Layers < 1 || FeedForwardWidth < 1)
            faults.Add("the text model's vocabularySize, length, layers and feedForwardWidth must be above 0.");
        if (Heads < 1 || Width % Heads != 0)
            faults.Add($"the text model's width {Width} must be divisible by its {Heads} heads.");
        return faults;
    }
}
