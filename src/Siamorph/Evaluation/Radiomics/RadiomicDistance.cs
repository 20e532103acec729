using Siamorph.Evaluation.ImageSets;
using static TorchSharp.torch;

namespace Siamorph.Evaluation.Radiomics;

/// <summary>A Fréchet distance of radiomic features, in its published forms.</summary>
/// <param name="Squared">d², features in units of the real set's deviation (FRD version 1).</param>
/// <param name="Log">ln d², as version 1 prints it; the paper's ln d is half of it.</param>
/// <param name="MeansOnly">|m₁ − m₂|² of the same features.</param>
/// <param name="MinMaxSquared">d² of features rescaled jointly to [0, 7.4567] (version 0).</param>
/// <param name="Features">Features that took part.</param>
/// <param name="Dropped">Columns left out, since they don't vary or aren't numbers.</param>
/// <param name="Real">Real samples without undefined features.</param>
/// <param name="Synthetic">Synthetic ones.</param>
internal sealed record RadiomicDistanceResult(
    double Squared, double Log, double MeansOnly, double MinMaxSquared, int Features, IReadOnlyList<int> Dropped, int Real,
    int Synthetic);

/// <summary>Fréchet distance of hand-made features (FRD, Konz et al. 2024), which needs no weights.</summary>
internal static class RadiomicDistance
{
    private const double MinMaxTop = 7.45670747756958;

    /// <summary>The distance of two sets of feature rows.</summary>
    /// <param name="real">Rows of equal length; those with an undefined feature are left out.</param>
    /// <param name="synthetic">Rows of the same length.</param>
    /// <param name="shrinkage">Share by which covariances are drawn to their diagonal, in [0,1]: for few samples.</param>
    /// <exception cref="ArgumentException">A set has fewer than two complete rows.</exception>
    public static RadiomicDistanceResult Between(
        IEnumerable<double[]> real, IEnumerable<double[]> synthetic, double shrinkage = 0)
    {
        double[][] x = [.. real.Where(r => r.All(double.IsFinite))], y = [.. synthetic.Where(r => r.All(double.IsFinite))];
        if (x.Length < 2 || y.Length < 2) throw new ArgumentException("Each set needs two complete rows.", nameof(real));
        using var scope = NewDisposeScope();
        var width = x[0].Length;
        var (kept, dropped) = (new List<int>(), new List<int>());
        for (var c = 0; c < width; c++) (x.All(r => r[c] == x[0][c]) ? dropped : kept).Add(c);
        Tensor a = Matrix(x, kept), b = Matrix(y, kept);
        Tensor mean = a.mean([0]), deviation = (a - mean).square().mean([0]).sqrt();
        var (p, q) = (FeatureMoments.Of((a - mean) / deviation), FeatureMoments.Of((b - mean) / deviation));
        if (shrinkage > 0) (p, q) = (p.Shrunk(shrinkage), q.Shrunk(shrinkage));
        var squared = FrechetDistance.Between(p, q);
        var minMax = MinMax(x, y);
        return new(squared, Math.Log(squared), FrechetDistance.MeansOnly(p, q), minMax, kept.Count, dropped, x.Length, y.Length);
    }

    /// <summary>
    /// Rows in units of the real set's deviation, for neighbour measures; columns that don't vary are left out.
    /// </summary>
    internal static (Tensor Real, Tensor Synthetic) Standardised(IEnumerable<double[]> real, IEnumerable<double[]> synthetic)
    {
        double[][] x = [.. real.Where(r => r.All(double.IsFinite))], y = [.. synthetic.Where(r => r.All(double.IsFinite))];
        using var scope = NewDisposeScope();
        List<int> kept = [.. Enumerable.Range(0, x[0].Length).Where(c => x.Any(r => r[c] != x[0][c]))];
        Tensor a = Matrix(x, kept), b = Matrix(y, kept);
        Tensor mean = a.mean([0]), deviation = (a - mean).square().mean([0]).sqrt();
        return (((a - mean) / deviation).MoveToOuterDisposeScope(), ((b - mean) / deviation).MoveToOuterDisposeScope());
    }

    // Version 0 keeps a column that varies in either set.
    private static double MinMax(double[][] x, double[][] y)
    {
        using var scope = NewDisposeScope();
        List<int> kept = [.. Enumerable.Range(0, x[0].Length).Where(c => x.Concat(y).Any(r => r[c] != x[0][c]))];
        Tensor a = Matrix(x, kept), b = Matrix(y, kept), low = minimum(a.amin([0]), b.amin([0])),
            high = maximum(a.amax([0]), b.amax([0]));
        Tensor Rescaled(Tensor t) => (t - low) / (high - low) * MinMaxTop;
        return FrechetDistance.Between(FeatureMoments.Of(Rescaled(a)), FeatureMoments.Of(Rescaled(b)));
    }

    private static Tensor Matrix(double[][] rows, List<int> columns) =>
        tensor(rows.SelectMany(r => columns.Select(c => r[c])).ToArray(), [rows.Length, columns.Count]);
}
