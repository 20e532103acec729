namespace Siamorph.Evaluation.Statistics;

/// <summary>What Wilcoxon's signed-rank test gave.</summary>
/// <param name="Statistic">Sum of the ranks of positive differences.</param>
/// <param name="N">Differences that are not zero.</param>
/// <param name="P">Two-sided probability of sums as far from the middle, if the differences were symmetric about zero.</param>
/// <param name="Exact">Whether every assignment of signs was counted, or the normal approximation taken.</param>
internal sealed record SignedRank(double Statistic, int N, double P, bool Exact)
{
    /// <summary>
    /// Matched-pairs rank-biserial correlation in [-1,1]: share of rank sum that is positive minus that negative (Kerby 2014).
    /// </summary>
    public double RankBiserial => N == 0 ? 0 : 4 * Statistic / ((double)N * (N + 1)) - 1;
}

/// <summary>
/// Wilcoxon's signed-rank test for paired differences (Wilcoxon 1945). Zeros are left out; equal sizes share the mean of their
/// ranks. Up to 50 differences the distribution is counted exactly, ties included; beyond, the normal approximation with
/// correction for ties and continuity is taken.
/// </summary>
internal static class SignedRankTest
{
    private const int MostExact = 50;

    /// <summary>The two-sided test.</summary>
    public static SignedRank Run(IEnumerable<double> differences)
    {
        ArgumentNullException.ThrowIfNull(differences);
        var kept = differences.Where(d => d != 0).OrderBy(Math.Abs).ToArray();
        if (kept.Length == 0) return new SignedRank(0, 0, 1, true);
        var doubled = DoubledRanks(kept); // twice the ranks are whole numbers, shared ranks too
        var positive = kept.Zip(doubled).Where(x => x.First > 0).Sum(x => (long)x.Second);
        var exact = kept.Length <= MostExact;
        return new SignedRank(positive / 2.0, kept.Length, exact ? ExactP(doubled, positive) : NormalP(doubled, positive), exact);
    }

    private static int[] DoubledRanks(double[] sorted)
    {
        var ranks = new int[sorted.Length];
        for (var first = 0; first < sorted.Length;)
        {
            var last = first;
            while (last + 1 < sorted.Length
                && Math.Abs(sorted[last + 1]) - Math.Abs(sorted[first]) <= 1e-12 * Math.Abs(sorted[first])) last++;
            for (var i = first; i <= last; i++) ranks[i] = first + last + 2;
            first = last + 1;
        }
        return ranks;
    }

    // ways[s]: share of all assignments of signs whose positive (doubled) ranks sum to s.
    private static double ExactP(int[] doubled, long positive)
    {
        var total = doubled.Sum();
        var ways = new double[total + 1];
        ways[0] = 1;
        var reach = 0;
        foreach (var rank in doubled)
        {
            reach += rank;
            for (var s = reach; s >= 0; s--) ways[s] = (ways[s] + (s >= rank ? ways[s - rank] : 0)) / 2;
        }
        double below = 0, above = 0;
        for (var s = 0; s <= total; s++)
        {
            if (s <= positive) below += ways[s];
            if (s >= positive) above += ways[s];
        }
        return Math.Min(1, 2 * Math.Min(below, above));
    }

    private static double NormalP(int[] doubled, long positive)
    {
        double n = doubled.Length;
        var variance = doubled.Sum(r => r / 2.0 * (r / 2.0)) / 4;
        var from = Math.Abs(positive / 2.0 - n * (n + 1) / 4);
        return Math.Min(1, 2 * (1 - StudentT.Cdf(Math.Max(0, from - 0.5) / Math.Sqrt(variance), double.PositiveInfinity)));
    }
}
