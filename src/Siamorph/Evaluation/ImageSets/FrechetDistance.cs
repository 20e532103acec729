using static TorchSharp.torch;

namespace Siamorph.Evaluation.ImageSets;

/// <summary>Mean and covariance of features, in double precision.</summary>
/// <param name="Count">Samples.</param>
/// <param name="Mean">float64 [D].</param>
/// <param name="Covariance">float64 [D,D], divided by n − 1.</param>
internal sealed record FeatureMoments(long Count, Tensor Mean, Tensor Covariance)
{
    private const int Rows = 4096;

    /// <summary>Moments of features, taken in pieces so that many fit.</summary>
    /// <param name="features">[N,D] of any floating type, N ≥ 2.</param>
    /// <exception cref="ArgumentException">There are fewer than two samples.</exception>
    public static FeatureMoments Of(Tensor features)
    {
        ArgumentNullException.ThrowIfNull(features);
        if (features.dim() != 2 || features.shape[0] < 2)
            throw new ArgumentException("[N,D] with N ≥ 2 expected.", nameof(features));
        using var scope = NewDisposeScope();
        var (n, d) = (features.shape[0], features.shape[1]);
        var sum = zeros(d, ScalarType.Float64);
        for (long row = 0; row < n; row += Rows)
            sum.add_(features[(int)row..(int)Math.Min(n, row + Rows)].to_type(ScalarType.Float64).sum(dim: 0));
        var mean = sum / n;
        var covariance = zeros(d, d, ScalarType.Float64);
        for (long row = 0; row < n; row += Rows)
        {
            using var inner = NewDisposeScope();
            var centred = features[(int)row..(int)Math.Min(n, row + Rows)].to_type(ScalarType.Float64) - mean;
            covariance.add_(centred.t().mm(centred));
        }
        covariance.div_(n - 1);
        return new(n, mean.MoveToOuterDisposeScope(), covariance.MoveToOuterDisposeScope());
    }

    /// <summary>The same with the covariance drawn towards its diagonal: (1 − share) · S + share · diag(S).</summary>
    public FeatureMoments Shrunk(double share)
    {
        using var scope = NewDisposeScope();
        return this with
        {
            Covariance = (Covariance * (1 - share) + Covariance.diagonal().diag() * share).MoveToOuterDisposeScope(),
        };
    }
}

/// <summary>
/// Squared Fréchet distance of two Gaussians fitted to features: |m₁ − m₂|² + tr(S₁ + S₂ − 2 (S₁S₂)^½). On Inception features
/// it is the FID (Heusel et al., NeurIPS 2017). With fewer samples than features it is biased upward: look at KID as well.
/// </summary>
internal static class FrechetDistance
{
    /// <summary>The distance of two sets of features.</summary>
    /// <param name="real">[N,D].</param>
    /// <param name="synthetic">[M,D].</param>
    /// <exception cref="ArgumentException">The numbers of features differ, or a set has fewer than two samples.</exception>
    public static double Between(Tensor real, Tensor synthetic)
    {
        using var scope = NewDisposeScope();
        return Between(FeatureMoments.Of(real), FeatureMoments.Of(synthetic));
    }

    /// <summary>The distance of two sets of moments.</summary>
    /// <exception cref="ArgumentException">The numbers of features differ.</exception>
    public static double Between(FeatureMoments real, FeatureMoments synthetic)
    {
        ArgumentNullException.ThrowIfNull(real);
        ArgumentNullException.ThrowIfNull(synthetic);
        if (real.Mean.shape[0] != synthetic.Mean.shape[0])
            throw new ArgumentException($"{real.Mean.shape[0]} features against {synthetic.Mean.shape[0]}.", nameof(synthetic));
        using var scope = NewDisposeScope();
        var (values, vectors) = linalg.eigh(real.Covariance);
        var root = (vectors * values.clamp_min(0).sqrt()).mm(vectors.t());
        var product = root.mm(synthetic.Covariance).mm(root);
        var traceRoot = linalg.eigvalsh((product + product.t()) / 2).clamp_min(0).sqrt().sum().item<double>();
        return MeansOnly(real, synthetic) + real.Covariance.trace().item<double>()
            + synthetic.Covariance.trace().item<double>() - 2 * traceRoot;
    }

    /// <summary>|m₁ − m₂|² alone, for sets too small for a covariance.</summary>
    public static double MeansOnly(FeatureMoments real, FeatureMoments synthetic)
    {
        ArgumentNullException.ThrowIfNull(real);
        ArgumentNullException.ThrowIfNull(synthetic);
        using var scope = NewDisposeScope();
        return (real.Mean - synthetic.Mean).square().sum().item<double>();
    }
}
