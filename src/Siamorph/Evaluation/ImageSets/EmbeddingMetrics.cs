using static TorchSharp.torch;

namespace Siamorph.Evaluation.ImageSets;

/// <summary>Distances between CLIP embeddings: CMMD (Jayasumana et al., CVPR 2024) and the mean cosine (CLIP-I).</summary>
internal static class EmbeddingMetrics
{
    /// <summary>Width (σ) of CMMD's Gaussian kernel.</summary>
    public const double CmmdWidth = 10;

    /// <summary>What CMMD is multiplied by to be readable.</summary>
    public const double CmmdScale = 1000;

    private const int Rows = 2048;

    /// <summary>
    /// 1000 · the squared maximum mean discrepancy under a Gaussian kernel of width 10, diagonal included (biased). Its
    /// embeddings have length 1; they are taken as they come.
    /// </summary>
    /// <param name="real">[N,D].</param>
    /// <param name="synthetic">[M,D].</param>
    public static double Cmmd(Tensor real, Tensor synthetic) =>
        CmmdScale * (MeanKernel(real, real) + MeanKernel(synthetic, synthetic) - 2 * MeanKernel(real, synthetic));

    /// <summary>Mean cosine of the i-th real and the i-th synthetic embedding, in [-1,1].</summary>
    /// <param name="real">[N,D].</param>
    /// <param name="synthetic">[N,D]: the counterparts.</param>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    public static double PairedCosine(Tensor real, Tensor synthetic)
    {
        ArgumentNullException.ThrowIfNull(real);
        ArgumentNullException.ThrowIfNull(synthetic);
        if (!real.shape.SequenceEqual(synthetic.shape))
            throw new ArgumentException("Pairs need as many real as synthetic samples.", nameof(synthetic));
        using var scope = NewDisposeScope();
        return (Unit(real) * Unit(synthetic)).sum(1).mean().item<double>();
    }

    /// <summary>Mean over all pairs of a real and a synthetic embedding, in [-1,1].</summary>
    public static double AllPairsCosine(Tensor real, Tensor synthetic)
    {
        using var scope = NewDisposeScope();
        return (Unit(real).mean([0]) * Unit(synthetic).mean([0])).sum().item<double>();
    }

    /// <summary>Mean over synthetic embeddings of the cosine to the nearest real one, in [-1,1].</summary>
    public static double NearestCosine(Tensor real, Tensor synthetic)
    {
        using var scope = NewDisposeScope();
        Tensor x = Unit(real), y = Unit(synthetic);
        double sum = 0;
        for (long row = 0; row < y.shape[0]; row += Rows)
        {
            using var inner = NewDisposeScope();
            sum += y[(int)row..(int)Math.Min(y.shape[0], row + Rows)].mm(x.t()).amax([1]).sum().item<double>();
        }
        return sum / y.shape[0];
    }

    private static Tensor Unit(Tensor embeddings)
    {
        ArgumentNullException.ThrowIfNull(embeddings);
        var x = embeddings.to_type(ScalarType.Float64);
        return x / x.square().sum(1, keepdim: true).sqrt().clamp_min(1e-12);
    }

    private static double MeanKernel(Tensor a, Tensor b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        using var scope = NewDisposeScope();
        Tensor x = a.to_type(ScalarType.Float64), y = b.to_type(ScalarType.Float64), squares = y.square().sum(1);
        double sum = 0;
        for (long row = 0; row < x.shape[0]; row += Rows)
        {
            using var inner = NewDisposeScope();
            var piece = x[(int)row..(int)Math.Min(x.shape[0], row + Rows)];
            var distances = piece.square().sum(1, keepdim: true) + squares - 2 * piece.mm(y.t());
            sum += (distances / (-2 * CmmdWidth * CmmdWidth)).exp().sum().item<double>();
        }
        return sum / ((double)a.shape[0] * b.shape[0]);
    }
}
