using static TorchSharp.torch;

namespace Siamorph.Siamese;

/// <summary>The four losses of arXiv 2505.06068, each a mean over channels and pixels of one sample.</summary>
internal static class SiameseLosses
{
    /// <summary>Squared error of a prediction, weighted by timestep.</summary>
    /// <param name="prediction">[B,C,H,W].</param>
    /// <param name="target">Same shape; ε or x0.</param>
    /// <param name="weights">[B].</param>
    /// <param name="pixelWeights">[B,1,H,W] with mean 1 in each sample, see <see cref="AgreementWeights"/>; null counts all
    /// places alike.</param>
    /// <returns>[B].</returns>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    public static Tensor Denoising(Tensor prediction, Tensor target, Tensor weights, Tensor? pixelWeights = null)
    {
        CheckShapes(prediction, target);
        using var scope = NewDisposeScope();
        var squares = (prediction - target).square();
        if (pixelWeights is not null) squares *= pixelWeights;
        return (squares.mean([1, 2, 3]) * weights).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// How much each place of the latent counts: 1 − a · (1 − |2p − 1|) for a label p, averaged over the pixels of the place and
    /// scaled to mean 1. Where annotators are evenly split (p = ½) a mask says nothing, and a place counts 1 − a.
    /// </summary>
    /// <param name="labels">Soft masks [B,1,f·H,f·W] in [0,1].</param>
    /// <param name="factor">f, pixels along a place's side.</param>
    /// <param name="weight">a, 0 to 1.</param>
    /// <returns>[B,1,H,W].</returns>
    public static Tensor AgreementWeights(Tensor labels, int factor, double weight)
    {
        using var scope = NewDisposeScope();
        var pixels = 1 - weight * (1 - (2 * labels - 1).abs());
        var places = nn.functional.avg_pool2d(pixels, factor, factor);
        var mean = places.mean([1, 2, 3], keepdim: true);
        return (places + 1e-6).div(mean + 1e-6).MoveToOuterDisposeScope();
    }

    /// <summary>Noise Consistency Loss: draws Mask-Diffusion towards Image-Diffusion.</summary>
    /// <param name="maskPrediction">Predicted from the mask, [B,C,H,W]; receives the gradient.</param>
    /// <param name="imagePrediction">Predicted from mask and image, same shape; detached here.</param>
    /// <param name="weights">[B].</param>
    /// <returns>[B].</returns>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    public static Tensor NoiseConsistency(Tensor maskPrediction, Tensor imagePrediction, Tensor weights) =>
        Denoising(maskPrediction, imagePrediction.detach(), weights);

    private static void CheckShapes(Tensor a, Tensor b)
    {
        if (!a.shape.SequenceEqual(b.shape))
            throw new ArgumentException($"Shapes differ: [{string.Join(",", a.shape)}] and [{string.Join(",", b.shape)}].");
    }
}
