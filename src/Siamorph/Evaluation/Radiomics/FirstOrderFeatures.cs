using Siamorph.Evaluation.Statistics;

namespace Siamorph.Evaluation.Radiomics;

/// <summary>Radiomic features of the values alone, without regard to where they lie (definitions of pyradiomics).</summary>
internal static class FirstOrderFeatures
{
    internal const double Epsilon = 2.220446049250313e-16;

    /// <summary>Features by pyradiomics' names.</summary>
    /// <param name="region">The values.</param>
    /// <param name="bins">The same discretised, for entropy and uniformity.</param>
    /// <param name="shift">Added to the values in energy and root mean square alone.</param>
    public static IReadOnlyDictionary<string, double> Of(RadiomicRegion region, int[] bins, double shift = 0)
    {
        ArgumentNullException.ThrowIfNull(region);
        ArgumentNullException.ThrowIfNull(bins);
        var x = region.Selected();
        Array.Sort(x);
        double n = x.Length, mean = x.Average();
        double m2 = Moment(x, mean, 2), m3 = Moment(x, mean, 3), m4 = Moment(x, mean, 4);
        double p10 = Quantiles.OfSorted(x, .1), p90 = Quantiles.OfSorted(x, .9);
        double[] robust = [.. x.Where(v => v >= p10 && v <= p90)];
        var robustMean = robust.Average();
        var energy = x.Sum(v => (v + shift) * (v + shift));
        var shares = bins.Where(b => b > 0).GroupBy(b => b).Select(g => g.Count() / n).ToList();
        return new Dictionary<string, double>
        {
            ["Mean"] = mean,
            ["Median"] = Quantiles.OfSorted(x, .5),
            ["10Percentile"] = p10,
            ["90Percentile"] = p90,
            ["InterquartileRange"] = Quantiles.OfSorted(x, .75) - Quantiles.OfSorted(x, .25),
            ["Minimum"] = x[0],
            ["Maximum"] = x[^1],
            ["Range"] = x[^1] - x[0],
            ["MeanAbsoluteDeviation"] = x.Average(v => Math.Abs(v - mean)),
            ["RobustMeanAbsoluteDeviation"] = robust.Average(v => Math.Abs(v - robustMean)),
            ["Variance"] = m2,
            ["Skewness"] = m2 == 0 ? 0 : m3 / Math.Pow(m2, 1.5),
            ["Kurtosis"] = m2 == 0 ? 0 : m4 / (m2 * m2),
            ["Energy"] = energy,
            ["TotalEnergy"] = energy,
            ["RootMeanSquared"] = Math.Sqrt(energy / n),
            ["Entropy"] = Entropy(shares),
            ["Uniformity"] = shares.Sum(p => p * p),
        };
    }

    internal static double Entropy(IEnumerable<double> shares) => -shares.Sum(p => p * Math.Log2(p + Epsilon));

    private static double Moment(double[] x, double mean, int power)
    {
        double sum = 0;
        foreach (var v in x)
        {
            var d = v - mean;
            sum += power switch { 2 => d * d, 3 => d * d * d, _ => d * d * d * d };
        }
        return sum / x.Length;
    }
}
