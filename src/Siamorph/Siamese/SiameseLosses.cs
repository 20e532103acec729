using static TorchSharp.torch;

namespace Siamorph.Siamese;

/// <summary>The four losses of arXiv 2505.06068, each a mean over channels and pixels of one sample.</summary>
public static class SiameseLosses
{
    /// <summary>Squared error of a prediction, weighted by timestep.</summary>
    /// <param name="prediction">[B,C,H,W].</param>
    /// <param name="target">Same shape; ε or x0.</param>
    /// <param name="weights">[B].</param>
    /// <returns>[B].</returns>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    public static Tensor Denoising(Tensor prediction, Tensor target, Tensor weights)
    {
        CheckShapes(prediction, target);
        using var scope = NewDisposeScope();
        return ((prediction - target).square().mean([1, 2, 3]) * weights).MoveToOuterDisposeScope();
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
