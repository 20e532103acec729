namespace Siamorph.Evaluation.Statistics;

/// <summary>Agreement beyond chance: 1 is full, 0 is what chance would give.</summary>
internal static class Kappa
{
    /// <summary>Fleiss' kappa of several raters who each put every subject into one category (Fleiss 1971).</summary>
    /// <param name="counts">A row for each subject: how many raters chose each category; equal sums of at least 2.</param>
    /// <returns>Not a number where all chose one and the same category throughout.</returns>
    public static double Fleiss(IReadOnlyList<IReadOnlyList<int>> counts)
    {
        double raters = counts[0].Sum();
        if (raters < 2 || counts.Any(row => row.Sum() != raters))
            throw new ArgumentException("Every subject needs as many raters, at least 2.", nameof(counts));
        var observed = counts.Average(row => row.Sum(n => n * (n - 1.0)) / (raters * (raters - 1)));
        var expected = Enumerable.Range(0, counts[0].Count).Sum(k => Math.Pow(counts.Average(row => row[k]) / raters, 2));
        return Beyond(observed, expected);
    }

    /// <summary>
    /// Cohen's kappa of pairs of ratings on an ordered scale, disagreements weighted by their squared distance (Cohen 1968).
    /// </summary>
    /// <param name="pairs">First and second rating of each subject, from 1; at least one pair.</param>
    /// <param name="categories">The highest rating.</param>
    /// <returns>Not a number where all ratings are one and the same.</returns>
    public static double Weighted(IReadOnlyList<(int First, int Second)> pairs, int categories)
    {
        double[] first = new double[categories], second = new double[categories];
        foreach (var (a, b) in pairs)
        {
            first[a - 1] += 1.0 / pairs.Count;
            second[b - 1] += 1.0 / pairs.Count;
        }
        var observed = pairs.Average(p => Math.Pow(p.First - p.Second, 2));
        double expected = 0;
        for (var a = 0; a < categories; a++)
            for (var b = 0; b < categories; b++) expected += first[a] * second[b] * (a - b) * (a - b);
        return Beyond(1 - observed, 1 - expected);
    }

    private static double Beyond(double observed, double expected) =>
        expected == 1 ? double.NaN : (observed - expected) / (1 - expected);
}
