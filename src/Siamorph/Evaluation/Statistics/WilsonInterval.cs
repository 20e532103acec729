namespace Siamorph.Evaluation.Statistics;

/// <summary>
/// Wilson's score interval of a share (Wilson 1927): keeps its level for few trials and for shares near 0 and 1.
/// </summary>
internal static class WilsonInterval
{
    /// <summary>The interval.</summary>
    /// <param name="successes">In 0…<paramref name="trials"/>; need not be whole.</param>
    /// <param name="trials">Above 0.</param>
    /// <param name="level">Such as 0.95.</param>
    public static Interval Of(double successes, double trials, double level = 0.95)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(trials);
        var z = StudentT.Quantile((1 + level) / 2, double.PositiveInfinity);
        var (share, weight) = (successes / trials, z * z / trials);
        var middle = (share + weight / 2) / (1 + weight);
        var reach = z * Math.Sqrt(share * (1 - share) / trials + weight / (4 * trials)) / (1 + weight);
        return new Interval(successes == 0 ? 0 : middle - reach, successes == trials ? 1 : middle + reach).Within(0, 1);
    }
}
