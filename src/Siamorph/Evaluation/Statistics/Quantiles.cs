namespace Siamorph.Evaluation.Statistics;

/// <summary>Quantiles by linear interpolation between the two nearest ranks.</summary>
internal static class Quantiles
{
    /// <summary>The quantile of values in any order.</summary>
    /// <param name="values">At least one.</param>
    /// <param name="share">In [0,1]; 0.5 is the median.</param>
    public static double Of(IEnumerable<double> values, double share) => OfSorted([.. values.Order()], share);

    /// <summary>The same of values in ascending order.</summary>
    public static double OfSorted(IReadOnlyList<double> sorted, double share)
    {
        var at = share * (sorted.Count - 1);
        var below = (int)at;
        var above = Math.Min(below + 1, sorted.Count - 1);
        return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
    }
}
