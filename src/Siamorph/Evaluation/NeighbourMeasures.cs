using TorchSharp;
using static TorchSharp.torch;

namespace Siamorph.Evaluation;

/// <summary>Shares of neighbours in feature space.</summary>
/// <param name="Precision">Share of the synthetic samples that lie within a real sample's ball.</param>
/// <param name="Recall">Share of the real samples that lie within a synthetic sample's ball.</param>
/// <param name="Density">Real balls around a synthetic sample, over k; may exceed 1. Not part of improved precision and recall.</param>
/// <param name="Coverage">Share of the real samples with a synthetic one in their ball. Not part of improved precision and recall.</param>
/// <param name="Neighbours">k: a ball reaches to the k-th nearest sample of the same set.</param>
public sealed record NeighbourShares(double Precision, double Recall, double? Density, double? Coverage, int Neighbours)
{
    /// <summary>Harmonic mean of precision and recall; 0 where both are.</summary>
    public double FScore => Precision + Recall == 0 ? 0 : 2 * Precision * Recall / (Precision + Recall);
}

/// <summary>
/// Fidelity and diversity from nearest neighbours. Distances are summed directly, not through a matrix product, so equal
/// points are exactly as far apart in every comparison.
/// </summary>
public static class NeighbourMeasures
{
    private const int Rows = 512, Large = 4_000;

    /// <summary>Precision, recall, density and coverage with strict comparisons (Naeem et al., ICML 2020).</summary>
    /// <param name="real">[N,D], N &gt; k.</param>
    /// <param name="synthetic">[M,D], M &gt; k.</param>
    /// <param name="neighbours">k.</param>
    /// <exception cref="ArgumentException">A set has no more than k samples.</exception>
    public static NeighbourShares Prdc(Tensor real, Tensor synthetic, int neighbours = 5) => Of(real, synthetic, neighbours, improved: false);

    /// <summary>Improved precision and recall, where a ball holds its edge (Kynkäänniemi et al., NeurIPS 2019).</summary>
    /// <inheritdoc cref="Prdc"/>
    public static NeighbourShares Improved(Tensor real, Tensor synthetic, int neighbours = 3) => Of(real, synthetic, neighbours, improved: true);

    private static NeighbourShares Of(Tensor real, Tensor synthetic, int k, bool improved)
    {
        ArgumentNullException.ThrowIfNull(real);
        ArgumentNullException.ThrowIfNull(synthetic);
        if (k < 1 || real.shape[0] <= k || synthetic.shape[0] <= k) throw new ArgumentException($"Each set needs more than {k} samples.", nameof(real));
        using var scope = NewDisposeScope();
        Tensor x = real.to_type(ScalarType.Float64), y = synthetic.to_type(ScalarType.Float64);
        Tensor radiiX = Radii(x, k), radiiY = Radii(y, k);
        var (n, m) = (x.shape[0], y.shape[0]);
        var inReal = zeros(m, ScalarType.Int64);           // real balls around each synthetic sample
        long recalled = 0, covered = 0;
        for (long row = 0; row < n; row += Rows)
        {
            using var inner = NewDisposeScope();
            var (from, to) = ((int)row, (int)Math.Min(n, row + Rows));
            var distances = Distances(x[from..to], y);
            var within = improved ? distances <= radiiX[from..to].unsqueeze(1) : distances < radiiX[from..to].unsqueeze(1);
            inReal.add_(within.sum(dim: 0));
            var reached = improved ? distances <= radiiY.unsqueeze(0) : distances < radiiY.unsqueeze(0);
            recalled += reached.any(1).sum().item<long>();
            covered += (distances.amin([1]) < radiiX[from..to]).sum().item<long>();
        }
        var precision = (double)(inReal > 0).sum().item<long>() / m;
        return new(precision, (double)recalled / n,
            improved ? null : inReal.sum().item<long>() / ((double)k * m), improved ? null : (double)covered / n, k);
    }

    // Distance of each sample to its k-th neighbour, itself not counted.
    private static Tensor Radii(Tensor x, int k)
    {
        using var scope = NewDisposeScope();
        var pieces = new List<Tensor>();
        for (long row = 0; row < x.shape[0]; row += Rows)
        {
            using var inner = NewDisposeScope();
            var distances = Distances(x[(int)row..(int)Math.Min(x.shape[0], row + Rows)], x);
            var (values, _) = distances.topk(k + 1, dim: 1, largest: false, sorted: true);
            pieces.Add(values.select(1, k).contiguous().MoveToOuterDisposeScope());
        }
        return cat(pieces).MoveToOuterDisposeScope();
    }

    // Directly, so that equal samples have distance 0 exactly; of large sets by products, which is many times faster and off by
    // 1e-7 of a sample's length at most.
    private static Tensor Distances(Tensor a, Tensor b) =>
        cdist(a, b, 2, b.shape[0] > Large ? compute_mode.use_mm_for_euclid_dist : compute_mode.donot_use_mm_for_euclid_dist);
}
