namespace Siamorph.Evaluation.Statistics;

/// <summary>
/// The area under the ROC curve as Mann and Whitney's statistic: how often a positive ranks above a negative, equal ones half.
/// </summary>
internal static class RankAuc
{
    /// <summary>The area.</summary>
    /// <param name="positives">Scores of positives; at least one.</param>
    /// <param name="negatives">Scores of negatives; at least one.</param>
    public static double Of(IReadOnlyList<double> positives, IReadOnlyList<double> negatives)
    {
        double[] sorted = [.. negatives.Order()];
        return positives.Sum(p => ShareBelow(sorted, p)) / positives.Count;
    }

    /// <summary>The mean area of readers who scored the same images, with readers and images as samples.</summary>
    /// <param name="scores">A row for each reader, a column for each image.</param>
    /// <param name="positive">Whether each image is a positive; both kinds occur.</param>
    public static CrossedEstimate Crossed(IReadOnlyList<IReadOnlyList<double>> scores, IReadOnlyList<bool> positive)
    {
        // DeLong's placements: each image's share of wins, whose variance within kinds is that of the area.
        var placements = scores.Select(row =>
        {
            double[] negatives = [.. row.Where((_, c) => !positive[c]).Order()],
                positives = [.. row.Where((_, c) => positive[c]).Order()];
            return (IReadOnlyList<double>)[.. row
                .Select((score, c) => positive[c] ? ShareBelow(negatives, score) : 1 - ShareBelow(positives, score))];
        }).ToList();
        var areas = placements.Select(row => row.Where((_, c) => positive[c]).Average()).ToList();
        return CrossedMean.Of(placements, [.. positive.Select(p => p ? 1 : 0)], [1, 1], areas);
    }

    // Share of sorted values below a value, equal ones half.
    private static double ShareBelow(double[] sorted, double value)
    {
        int below = Count(sorted, value, strictly: true), notAbove = Count(sorted, value, strictly: false);
        return (below + 0.5 * (notAbove - below)) / sorted.Length;
    }

    private static int Count(double[] sorted, double value, bool strictly)
    {
        int low = 0, high = sorted.Length;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (sorted[middle] < value || (!strictly && sorted[middle] == value)) low = middle + 1;
            else high = middle;
        }
        return low;
    }
}
