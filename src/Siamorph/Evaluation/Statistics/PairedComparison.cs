namespace Siamorph.Evaluation.Statistics;

/// <summary>A mean difference and how sure it is.</summary>
/// <param name="Difference">The mean over seeds and images.</param>
/// <param name="Low">Lower end of the 95 % interval.</param>
/// <param name="High">Upper end.</param>
/// <param name="Units">Independent units among the images.</param>
/// <param name="StandardError">Of the mean, from seeds and units together.</param>
/// <param name="DegreesOfFreedom">Of the interval.</param>
/// <param name="MinimumDetectable">The smallest true difference that an experiment like this finds four times in five.</param>
internal sealed record DifferenceEstimate(
    double Difference, double Low, double High, int Units, double StandardError, double DegreesOfFreedom,
    double MinimumDetectable);

/// <summary>
/// A paired percentile bootstrap over both sources of chance: training seeds and test images. Each draw takes seeds with
/// replacement and test units with replacement (images of one patient or sequence together) and averages the differences
/// over all drawn combinations.
/// </summary>
internal static class PairedComparison
{
    /// <summary>The 95 % interval of the mean difference.</summary>
    /// <param name="differences">Arm minus baseline for each seed (rows) and test image (columns).</param>
    /// <param name="groups">Group of each test image; null where it stands alone.</param>
    /// <param name="draws">Number of draws.</param>
    /// <param name="seed">Seed of the draws.</param>
    /// <exception cref="ArgumentException">There is no row, no column, or a row of another length.</exception>
    public static (double Low, double High, int Units) Interval(
        IReadOnlyList<IReadOnlyList<double>> differences, IReadOnlyList<string?> groups, int draws, Seed seed)
    {
        ArgumentNullException.ThrowIfNull(differences);
        ArgumentNullException.ThrowIfNull(groups);
        if (differences.Count == 0 || groups.Count == 0 || differences.Any(row => row.Count != groups.Count))
            throw new ArgumentException("Every seed needs one difference for each test image.", nameof(differences));
        var units = groups.Select((group, i) => (Key: group is null ? $"#{i}" : $"g{group}", Index: i))
            .GroupBy(x => x.Key, x => x.Index).Select(g => g.ToArray()).ToArray();
        var sums = differences.Select(row => units.Select(u => u.Sum(i => row[i])).ToArray()).ToArray();
        var random = seed.Random();
        var means = new double[draws];
        var drawnSeeds = new int[differences.Count];
        for (var d = 0; d < draws; d++)
        {
            for (var s = 0; s < drawnSeeds.Length; s++) drawnSeeds[s] = random.Next(differences.Count);
            double sum = 0;
            long images = 0;
            for (var u = 0; u < units.Length; u++)
            {
                var unit = random.Next(units.Length);
                images += units[unit].Length;
                foreach (var s in drawnSeeds) sum += sums[s][unit];
            }
            means[d] = sum / (images * drawnSeeds.Length);
        }
        Array.Sort(means);
        return (Quantiles.OfSorted(means, 0.025), Quantiles.OfSorted(means, 0.975), units.Length);
    }

    /// <summary>
    /// The difference with an interval that holds its level with few seeds. The bootstrap's interval is widened about the mean:
    /// by Student's t in place of the normal, with degrees of freedom after Satterthwaite (1946) from the parts of seeds and of
    /// test units, and for the (n − 1) / n that drawing with replacement takes from each variance.
    /// </summary>
    /// <inheritdoc cref="Interval"/>
    public static DifferenceEstimate Estimate(
        IReadOnlyList<IReadOnlyList<double>> differences, IReadOnlyList<string?> groups, int draws, Seed seed)
    {
        var (low, high, units) = Interval(differences, groups, draws, seed);
        var mean = differences.Average(row => row.Average());
        var ofSeeds = VarianceOfMean([.. differences.Select(row => row.Average())]);
        var ofUnits = VarianceOfUnits(differences, groups, mean);
        int s = differences.Count, u = units;
        var variance = ofSeeds + ofUnits;
        if (variance == 0) return new(mean, low, high, u, 0, double.PositiveInfinity, 0);
        var df = variance * variance / ((s > 1 ? ofSeeds * ofSeeds / (s - 1) : 0) + (u > 1 ? ofUnits * ofUnits / (u - 1) : 0));
        var shrunk = ofSeeds * (s - 1) / s + ofUnits * (u - 1) / u;
        var factor = StudentT.Quantile(0.975, df) / StudentT.Quantile(0.975,
            double.PositiveInfinity) * Math.Sqrt(variance / shrunk);
        var error = Math.Sqrt(variance);
        return new(mean, mean + factor * (low - mean), mean + factor * (high - mean), u, error, df,
            (StudentT.Quantile(0.975, df) + StudentT.Quantile(0.8, df)) * error);
    }

    private static double VarianceOfMean(double[] values)
    {
        if (values.Length < 2) return 0;
        var mean = values.Average();
        return values.Sum(v => (v - mean) * (v - mean)) / (values.Length - 1) / values.Length;
    }

    // Of the mean over images as a ratio of unit sums to unit sizes (linearised), units being groups or single images.
    private static double VarianceOfUnits(
        IReadOnlyList<IReadOnlyList<double>> differences, IReadOnlyList<string?> groups, double mean)
    {
        var residuals = Enumerable.Range(0, groups.Count).GroupBy(i => groups[i] is { } g ? $"g{g}" : $"#{i}")
            .Select(unit => unit.Sum(i => differences.Average(row => row[i]) - mean)).ToArray();
        var n = residuals.Length;
        return n < 2 ? 0 : residuals.Sum(r => r * r) * n / (n - 1) / ((double)groups.Count * groups.Count);
    }
}
