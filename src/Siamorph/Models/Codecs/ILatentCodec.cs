using static TorchSharp.torch;

namespace Siamorph.Models.Codecs;

/// <summary>Between images [B,3,H,W] in [-1,1] and latents [B,C,H/f,W/f]. No gradient passes.</summary>
internal interface ILatentCodec : IDisposable
{
    /// <summary>Pixels of an image to one of the latent, along each side.</summary>
    int Factor { get; }

    /// <summary>Channels of the latent.</summary>
    int Channels { get; }

    /// <summary>True where its weights come from the user's files and are never trained.</summary>
    bool IsPretrained { get; }

    /// <summary>Takes from the training images what the codec must know of them; nothing where it brings that along.</summary>
    /// <param name="images">uint8 [N,3,H,W]; H and W divisible by the factor.</param>
    void Fit(Tensor images);

    /// <summary>
    /// All that encoding finds out about images, to be kept from epoch to epoch: <see cref="Latent"/> makes latents of it.
    /// </summary>
    /// <param name="images">[B,3,H,W] in [-1,1].</param>
    /// <returns>[B,K,H/f,W/f].</returns>
    Tensor Moments(Tensor images);

    /// <summary>
    /// Latents drawn from moments; without noise their mean. A codec that draws nothing pays no heed to the noise.
    /// </summary>
    /// <param name="moments">What <see cref="Moments"/> gave, [B,K,h,w].</param>
    /// <param name="noise">Standard normal [B,C,h,w], or null.</param>
    /// <returns>[B,C,h,w].</returns>
    Tensor Latent(Tensor moments, Tensor? noise = null);

    /// <summary>Image to latent.</summary>
    Tensor Encode(Tensor images);

    /// <summary>Latent to image; values may lie outside [-1,1].</summary>
    Tensor Decode(Tensor latents);

    /// <summary>
    /// The latent whose image is clamped to [-1,1]: applied to every x0 estimate while sampling. A codec for which that
    /// would cost a network returns the latent unchanged (as a new handle).
    /// </summary>
    Tensor ClampPixels(Tensor latents);
}
