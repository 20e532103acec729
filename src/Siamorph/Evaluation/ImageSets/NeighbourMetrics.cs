using TorchSharp;
using static TorchSharp.torch;

namespace Siamorph.Evaluation.ImageSets;

/// <summary>Shares of neighbours in feature space.</summary>
/// <param name="Precision">Share of the synthetic samples that lie within a real sample's ball.</param>
/// <param name="Recall">Share of the real samples that lie within a synthetic sample's ball.</param>
/// <param name="Density">Real balls around a synthetic sample, over k; may exceed 1. Not part of improved precision and
/// recall.</param>
/// <param name="Coverage">Share of the real samples with a synthetic one in their ball. Not part of improved precision and
/// recall.</param>
/// <param name="Neighbours">k: a ball reaches to the k-th nearest sample of the same set.</param>
internal sealed record NeighbourShares(double Precision, double Recall, double? Density, double? Coverage, int Neighbours)
{
    /// <summary>Harmonic mean of precision and recall; 0 where both are.</summary>
    public double FScore => Precision + Recall == 0 ? 0 : 2 * Precision * Recall / (Precision + Recall);
}

/// <summary>
/// Fidelity and diversity from nearest neighbours. Distances are summed directly, not through a matrix product, so equal
/// points are exactly as far apart in every comparison.
/// </summary>
internal static class NeighbourMetrics
{
    private const int Rows = 512, Large = 4_000;

    /// <summary>Precision, recall, density and coverage with strict comparisons (Naeem et al., ICML 2020).</summary>
    /// <param name="real">[N,D], N &gt; k.</param>
    /// <param name="synthetic">[M,D], M &gt; k.</param>
    /// <param name="neighbours">k.</param>
    /// <exception cref="ArgumentException">A set has no more than k samples.</exception>
    public static NeighbourShares Prdc(Tensor real, Tensor synthetic, int neighbours = 5) =>
        Of(real, synthetic, [neighbours], [false])[0];

    /// <summary>Improved precision and recall, where a ball holds its edge (Kynkäänniemi et al., NeurIPS 2019).</summary>
    /// <inheritdoc cref="Prdc"/>
    public static NeighbourShares Improved(Tensor real, Tensor synthetic, int neighbours = 3) =>
        Of(real, synthetic, [neighbours], [true])[0];

    /// <summary>Both from one pass over the distances, which are nearly all of the work.</summary>
    internal static (NeighbourShares Prdc, NeighbourShares Improved) Both(
        Tensor real, Tensor synthetic, int neighbours = 5, int improvedNeighbours = 3)
    {
        var shares = Of(real, synthetic, [neighbours, improvedNeighbours], [false, true]);
        return (shares[0], shares[1]);
    }

    private static Tally[] Tallies(Tensor x, Tensor y, int[] k, bool[] improved)
    {
        Tensor[] radiiX = Radii(x, k), radiiY = Radii(y, k);
        return [.. k.Select((_, i) => new Tally(k[i], improved[i], radiiX[i], radiiY[i]))];
    }

    private static NeighbourShares[] Of(Tensor real, Tensor synthetic, int[] k, bool[] improved)
    {
        ArgumentNullException.ThrowIfNull(real);
        ArgumentNullException.ThrowIfNull(synthetic);
        if (k.Min() < 1 || real.shape[0] <= k.Max() || synthetic.shape[0] <= k.Max())
            throw new ArgumentException($"Each set needs more than {k.Max()} samples.", nameof(real));
        using var scope = NewDisposeScope();
        Tensor x = real.to_type(ScalarType.Float64), y = synthetic.to_type(ScalarType.Float64);
        var tallies = Tallies(x, y, k, improved);
        var n = x.shape[0];
        for (long row = 0; row < n; row += Rows)
        {
            using var inner = NewDisposeScope();
            var (from, to) = ((int)row, (int)Math.Min(n, row + Rows));
            var distances = Distances(x[from..to], y);
            foreach (var tally in tallies) tally.Add(distances, from, to);
        }
        return [.. tallies.Select(t => t.Shares())];
    }

    // Distance of each sample to its k-th neighbour, itself not counted, for each k.
    private static Tensor[] Radii(Tensor x, int[] k)
    {
        using var scope = NewDisposeScope();
        // Made beforehand: small tensors kept from each round would keep the heap from joining what the large ones leave.
        var nearest = empty([x.shape[0], k.Max() + 1], x.dtype);
        for (long row = 0; row < x.shape[0]; row += Rows)
        {
            using var inner = NewDisposeScope();
            var (from, to) = ((int)row, (int)Math.Min(x.shape[0], row + Rows));
            var (values, _) = Distances(x[from..to], x).topk(k.Max() + 1, dim: 1, largest: false, sorted: true);
            nearest[from..to].copy_(values);
        }
        return Array.ConvertAll(k, number => nearest.select(1, number).contiguous().MoveToOuterDisposeScope());
    }

    // Counts while the distances of some real samples to all synthetic ones come by.
    private sealed class Tally(int k, bool improved, Tensor radiiX, Tensor radiiY)
    {
        private readonly Tensor _inReal = zeros(radiiY.shape[0], ScalarType.Int64); // real balls around each synthetic sample
        private long _recalled, _covered;

        public void Add(Tensor distances, int from, int to)
        {
            using var scope = NewDisposeScope();
            var own = radiiX[from..to];
            var within = improved ? distances <= own.unsqueeze(1) : distances < own.unsqueeze(1);
            _inReal.add_(within.sum(dim: 0));
            var reached = improved ? distances <= radiiY.unsqueeze(0) : distances < radiiY.unsqueeze(0);
            _recalled += reached.any(1).sum().item<long>();
            if (!improved) _covered += (distances.amin([1]) < own).sum().item<long>();
        }

        public NeighbourShares Shares()
        {
            double n = radiiX.shape[0], m = radiiY.shape[0];
            var precision = (_inReal > 0).sum().item<long>() / m;
            return new(precision, _recalled / n, improved ? null : _inReal.sum().item<long>() / (k * m), improved ? null
                : _covered / n, k);
        }
    }

    // Directly, so that equal samples have distance 0 exactly; of large sets by products, which is many times faster and off by
    // 1e-7 of a sample's length at most.
    private static Tensor Distances(Tensor a, Tensor b) =>
        cdist(a, b, 2, b.shape[0] > Large ? compute_mode.use_mm_for_euclid_dist : compute_mode.donot_use_mm_for_euclid_dist);
}
