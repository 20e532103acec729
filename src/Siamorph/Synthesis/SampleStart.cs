namespace Siamorph.Synthesis;

/// <summary>What an image is drawn from.</summary>
public enum SampleStart
{
    /// <summary>Pure noise: Mask-Diffusion as in the paper.</summary>
    Noise,

    /// <summary>
    /// A real image and its mask, deformed alike, noised in part and denoised under the mask (SDEdit, arXiv 2108.01073).
    /// </summary>
    Real,

    /// <summary>
    /// A real image with a lesion of another pair pasted in, noised lightly and denoised under the joined mask.
    /// </summary>
    Paste,

    /// <summary>
    /// A real image in which a lesion is drawn from noise; all else of it is put back at every step (RePaint, arXiv 2201.09865).
    /// </summary>
    Inpaint,
}
