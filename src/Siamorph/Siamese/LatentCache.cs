using Siamorph.Models.Codecs;
using Siamorph.Training;
using static TorchSharp.torch;

namespace Siamorph.Siamese;

/// <summary>Latent moments of images, on disk by the images' content: each image goes through the frozen encoder once.</summary>
/// <param name="codec">Makes what is missing.</param>
/// <param name="fingerprint">Of the codec's weights.</param>
/// <param name="cache">On disk.</param>
internal sealed class LatentCache(ILatentCodec codec, string fingerprint, ContentCache cache)
{
    /// <summary>Moments of a batch.</summary>
    /// <param name="images">CPU float [B,3,H,W] in [-1,1].</param>
    /// <param name="encode">Encodes [1,3,H,W].</param>
    /// <returns>[B,K,H/f,W/f] on the CPU.</returns>
    public Tensor Moments(Tensor images, Func<Tensor, Tensor> encode)
    {
        using var scope = NewDisposeScope();
        var moments = Enumerable.Range(0, (int)images.shape[0]).Select(i =>
        {
            var image = images.narrow(0, i, 1);
            return cache.Get(ContentCache.KeyOf($"moments|{fingerprint}|{codec.Factor}", image), () => encode(image).cpu());
        });
        return cat([.. moments]).contiguous().MoveToOuterDisposeScope();
    }
}
