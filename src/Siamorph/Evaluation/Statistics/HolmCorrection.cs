namespace Siamorph.Evaluation.Statistics;

/// <summary>
/// Holm's step-down correction for several tests (Holm 1979): keeps the chance of any false finding at the level of one test.
/// </summary>
internal static class HolmCorrection
{
    /// <summary>The adjusted probabilities, in the order given.</summary>
    public static IReadOnlyList<double> Adjust(IReadOnlyList<double> probabilities)
    {
        ArgumentNullException.ThrowIfNull(probabilities);
        var adjusted = new double[probabilities.Count];
        var order = Enumerable.Range(0, adjusted.Length).OrderBy(i => probabilities[i]).ToArray();
        double largest = 0;
        for (var k = 0; k < order.Length; k++)
        {
            largest = Math.Max(largest, Math.Min(1, (order.Length - k) * probabilities[order[k]]));
            adjusted[order[k]] = largest;
        }
        return adjusted;
    }
}
