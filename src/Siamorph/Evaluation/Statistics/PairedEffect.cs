namespace Siamorph.Evaluation.Statistics;

/// <summary>How large a paired difference is.</summary>
internal static class PairedEffect
{
    /// <summary>Mean of the differences in their own standard deviations (Cohen's d_z); 0 where all are equal to zero.</summary>
    public static double Standardised(IReadOnlyCollection<double> differences)
    {
        ArgumentNullException.ThrowIfNull(differences);
        if (differences.Count < 2) return 0;
        var mean = differences.Average();
        var deviation = Math.Sqrt(differences.Sum(d => (d - mean) * (d - mean)) / (differences.Count - 1));
        return deviation > 0 ? mean / deviation : mean == 0 ? 0 : Math.Sign(mean) * double.PositiveInfinity;
    }

    /// <summary>
    /// Probability of superiority: share of pairs in which the first is larger, equal ones half; 0.5 is no difference.
    /// </summary>
    public static double Superiority(IReadOnlyCollection<double> differences)
    {
        ArgumentNullException.ThrowIfNull(differences);
        return differences.Count == 0 ? 0.5
            : (differences.Count(d => d > 0) + 0.5 * differences.Count(d => d == 0)) / differences.Count;
    }
}
