using Siamorph.Evaluation.Statistics;

namespace Siamorph.Evaluation.ImageSets;

/// <summary>How the distributions of one number differ between two sets.</summary>
/// <param name="Name">What is measured.</param>
/// <param name="RealMedian">Median of the real values.</param>
/// <param name="SyntheticMedian">Median of the synthetic values.</param>
/// <param name="Wasserstein">Mean distance between quantiles, in units of the real standard deviation.</param>
/// <param name="KolmogorovSmirnov">Largest difference of the cumulative shares, in [0,1].</param>
public sealed record ValueDistance(
    string Name, double RealMedian, double SyntheticMedian, double Wasserstein, double KolmogorovSmirnov)
{
    /// <summary>Compares two sets of values.</summary>
    /// <exception cref="ArgumentException">A set is empty.</exception>
    public static ValueDistance Between(string name, IEnumerable<double> real, IEnumerable<double> synthetic)
    {
        double[] x = [.. real.Order()], y = [.. synthetic.Order()];
        if (x.Length == 0 || y.Length == 0) throw new ArgumentException("Each set needs a value.", nameof(real));
        double[] all = [.. x.Concat(y).Order()];
        double area = 0, largest = 0;
        for (int k = 0, i = 0, j = 0; k < all.Length; k++)
        {
            while (i < x.Length && x[i] <= all[k]) i++;
            while (j < y.Length && y[j] <= all[k]) j++;
            var gap = Math.Abs((double)i / x.Length - (double)j / y.Length);
            largest = Math.Max(largest, gap);
            if (k + 1 < all.Length) area += gap * (all[k + 1] - all[k]);
        }
        var mean = x.Average();
        var deviation = Math.Sqrt(x.Average(v => (v - mean) * (v - mean)));
        return new(name, Quantiles.OfSorted(x, .5), Quantiles.OfSorted(y, .5), area / (deviation > 0 ? deviation : 1), largest);
    }
}
