using Siamorph.Imaging;

namespace Siamorph.Synthesis;

/// <summary>What one synthetic image starts from, at the model's size.</summary>
/// <param name="Mask">The mask to draw under, and to write: class numbers, or levels where labels are soft.</param>
/// <param name="Deformation">What was done to the mask, or "none".</param>
internal sealed record StartImage(LabelMap Mask, string Deformation)
{
    /// <summary>The image that is noised, inpainted or read as second hint; null for a start from noise alone.</summary>
    public RgbImage? Image { get; init; }

    /// <summary>How much of each pixel is drawn anew, in [0,1]; null draws all.</summary>
    public float[]? Region { get; init; }

    /// <summary>Id of the pair whose image lies beneath.</summary>
    public string? Host { get; init; }

    /// <summary>Id of the pair whose lesion was pasted.</summary>
    public string? Donor { get; init; }
}
