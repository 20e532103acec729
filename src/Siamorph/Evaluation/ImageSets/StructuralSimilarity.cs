using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Siamorph.Evaluation.ImageSets;

/// <summary>
/// Multi-scale structural similarity (Wang, Simoncelli and Bovik 2003) of luma images: 11×11 Gaussian, σ 1.5, five scales with
/// the published exponents. Low values within one set mean variety.
/// </summary>
internal static class StructuralSimilarity
{
    private const int Window = 11;
    private static readonly double[] Exponents = [.0448, .2856, .3001, .2363, .1333];

    /// <summary>The least side of an image in pixels: the window must fit at the coarsest scale.</summary>
    public const int SmallestSide = Window << 4;

    /// <summary>Similarity of each pair, in [0,1] (negative contrasts count 0).</summary>
    /// <param name="first">[B,1,H,W], levels 0…255; sides of at least <see cref="SmallestSide"/>.</param>
    /// <param name="second">The same shape.</param>
    /// <returns>float64 [B].</returns>
    /// <exception cref="ArgumentException">The images are too small.</exception>
    public static Tensor MultiScale(Tensor first, Tensor second)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        if (Math.Min(first.shape[2], first.shape[3]) < SmallestSide)
            throw new ArgumentException($"Sides of at least {SmallestSide} pixels are needed.", nameof(first));
        using var scope = NewDisposeScope();
        Tensor x = first.to_type(ScalarType.Float64), y = second.to_type(ScalarType.Float64),
            result = ones(x.shape[0], ScalarType.Float64);
        for (var scale = 0; scale < Exponents.Length; scale++)
        {
            var (similarity, contrast) = Single(x, y);
            result = result * (scale == Exponents.Length - 1 ? similarity : contrast).clamp_min(0).pow(Exponents[scale]);
            (x, y) = (F.avg_pool2d(x, 2), F.avg_pool2d(y, 2));
        }
        return result.MoveToOuterDisposeScope();
    }

    private static (Tensor Similarity, Tensor Contrast) Single(Tensor x, Tensor y)
    {
        const double c1 = .01 * 255 * .01 * 255, c2 = .03 * 255 * .03 * 255;
        var kernel = exp(-(arange(Window, ScalarType.Float64) - Window / 2).square() / (2 * 1.5 * 1.5));
        kernel = kernel / kernel.sum();
        Tensor Mean(Tensor t) => F.conv2d(F.conv2d(t, kernel.reshape(1, 1, 1, -1)), kernel.reshape(1, 1, -1, 1));
        Tensor mx = Mean(x), my = Mean(y);
        Tensor vx = Mean(x * x) - mx * mx, vy = Mean(y * y) - my * my, xy = Mean(x * y) - mx * my;
        var contrast = (2 * xy + c2) / (vx + vy + c2);
        return (((2 * mx * my + c1) / (mx * mx + my * my + c1) * contrast).mean([1, 2, 3]), contrast.mean([1, 2, 3]));
    }
}
