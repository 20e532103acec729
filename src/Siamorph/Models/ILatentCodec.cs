using static TorchSharp.torch;

namespace Siamorph.Models;

/// <summary>Between images [B,3,H,W] in [-1,1] and latents [B,C,H/f,W/f]. No gradient passes.</summary>
public interface ILatentCodec
{
    /// <summary>Pixels of an image to one of the latent, along each side.</summary>
    int Factor { get; }

    /// <summary>Channels of the latent.</summary>
    int Channels { get; }

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
