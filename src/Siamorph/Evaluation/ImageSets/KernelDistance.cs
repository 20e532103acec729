using static TorchSharp.torch;

namespace Siamorph.Evaluation.ImageSets;

/// <summary>A kernel distance over random subsets.</summary>
/// <param name="Mean">Mean over subsets.</param>
/// <param name="Deviation">Standard deviation over subsets (ddof 0).</param>
/// <param name="SubsetSize">Samples of each set in a subset.</param>
/// <param name="Subsets">How many subsets.</param>
internal sealed record SubsetDistance(double Mean, double Deviation, int SubsetSize, int Subsets);

/// <summary>
/// KID: the squared maximum mean discrepancy of features under the kernel (x·y/d + 1)³ (Bińkowski et al., ICLR 2018).
/// Unbiased, so it may be slightly negative, and fit for small sets.
/// </summary>
internal static class KernelDistance
{
    private const int Rows = 2048;

    /// <summary>The unbiased estimate over all samples; no chance in it.</summary>
    /// <param name="real">[N,D], N ≥ 2.</param>
    /// <param name="synthetic">[M,D], M ≥ 2.</param>
    /// <exception cref="ArgumentException">The numbers of features differ, or a set has fewer than two samples.</exception>
    public static double Unbiased(Tensor real, Tensor synthetic)
    {
        var (x, y, xy, n, m) = Sums(real, synthetic, withDiagonal: false);
        if (n < 2 || m < 2) throw new ArgumentException("Each set needs two samples.", nameof(real));
        return x / ((double)n * (n - 1)) + y / ((double)m * (m - 1)) - 2 * xy / ((double)n * m);
    }

    /// <summary>
    /// The one-sample U-statistic (Gretton et al. 2012, eq. 4) of sets of equal size: as <see cref="Unbiased"/>, but the i-th
    /// real is not compared with the i-th synthetic sample either. 0 where the sets are the same.
    /// </summary>
    /// <exception cref="ArgumentException">The shapes differ, or there are fewer than two samples.</exception>
    public static double UStatistic(Tensor real, Tensor synthetic)
    {
        ArgumentNullException.ThrowIfNull(real);
        ArgumentNullException.ThrowIfNull(synthetic);
        if (!real.shape.SequenceEqual(synthetic.shape) || real.shape[0] < 2)
            throw new ArgumentException("Two sets of equal size, two samples or more, are needed.", nameof(synthetic));
        double n = real.shape[0];
        return (Sum(real, real, true) + Sum(synthetic, synthetic, true) - 2 * Sum(real, synthetic, true)) / (n * (n - 1));
    }

    /// <summary>The biased estimate over all samples (never negative).</summary>
    /// <exception cref="ArgumentException">The numbers of features differ.</exception>
    public static double Biased(Tensor real, Tensor synthetic)
    {
        var (x, y, xy, n, m) = Sums(real, synthetic, withDiagonal: true);
        return x / ((double)n * n) + y / ((double)m * m) - 2 * xy / ((double)n * m);
    }

    /// <summary>The unbiased estimate over random subsets, drawn without repetition from seed and number of the subset.</summary>
    /// <param name="real">[N,D].</param>
    /// <param name="synthetic">[M,D].</param>
    /// <param name="size">Samples of a subset; at most those of the smaller set.</param>
    /// <param name="subsets">How many.</param>
    /// <param name="seed">Draws them.</param>
    public static SubsetDistance OverSubsets(Tensor real, Tensor synthetic, int size, int subsets, Seed seed)
    {
        ArgumentNullException.ThrowIfNull(real);
        ArgumentNullException.ThrowIfNull(synthetic);
        size = (int)Math.Min(size, Math.Min(real.shape[0], synthetic.shape[0]));
        int[] Draw(string set, int i, long count) => seed.Derive(set).Derive(i).Random().Permutation((int)count)[..size];
        return OverSubsets(real, synthetic,
            [.. Enumerable.Range(0, subsets)
                .Select(i => (Draw("real", i, real.shape[0]), Draw("synthetic", i, synthetic.shape[0])))]);
    }

    /// <summary>The same over given subsets.</summary>
    public static SubsetDistance OverSubsets(Tensor real, Tensor synthetic, IReadOnlyList<(int[] Real, int[] Synthetic)> subsets)
    {
        double[] values = [.. Values(real, synthetic, subsets)];
        var mean = values.Average();
        return new(mean, Math.Sqrt(values.Average(v => (v - mean) * (v - mean))), subsets[0].Real.Length, values.Length);
    }

    internal static IEnumerable<double> Values(
        Tensor real, Tensor synthetic, IReadOnlyList<(int[] Real, int[] Synthetic)> subsets)
    {
        foreach (var (r, s) in subsets)
        {
            using var scope = NewDisposeScope();
            yield return Unbiased(real[tensor(Array.ConvertAll(r, i => (long)i))],
                synthetic[tensor(Array.ConvertAll(s, i => (long)i))]);
        }
    }

    private static (double X, double Y, double Xy, long N, long M) Sums(Tensor real, Tensor synthetic, bool withDiagonal)
    {
        ArgumentNullException.ThrowIfNull(real);
        ArgumentNullException.ThrowIfNull(synthetic);
        if (real.shape[1] != synthetic.shape[1])
            throw new ArgumentException($"{real.shape[1]} features against {synthetic.shape[1]}.", nameof(synthetic));
        return (Sum(real, real, !withDiagonal), Sum(synthetic, synthetic, !withDiagonal), Sum(real, synthetic, false),
            real.shape[0], synthetic.shape[0]);
    }

    private static double Sum(Tensor a, Tensor b, bool withoutDiagonal)
    {
        double sum = 0, width = a.shape[1];
        for (long i = 0; i < a.shape[0]; i += Rows)
        {
            using var scope = NewDisposeScope();
            var left = Piece(a, i);
            var same = ReferenceEquals(a, b); // symmetric: a half is enough
            for (var j = same ? i : 0; j < b.shape[0]; j += Rows)
            {
                using var inner = NewDisposeScope();
                var kernel = left.mm(Piece(b, j).t()).div_(width).add_(1).pow_(3);
                sum += (same && j > i ? 2 : 1) * kernel.sum().item<double>();
                if (withoutDiagonal && i == j) sum -= kernel.trace().item<double>();
            }
        }
        return sum;
    }

    private static Tensor Piece(Tensor all, long row) =>
        all[(int)row..(int)Math.Min(all.shape[0], row + Rows)].to_type(ScalarType.Float64);
}
