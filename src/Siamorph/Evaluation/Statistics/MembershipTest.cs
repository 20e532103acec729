namespace Siamorph.Evaluation.Statistics;

/// <summary>How well a score tells members from non-members.</summary>
/// <param name="Auc">Chance that a member's score is higher than a non-member's, equal ones half; 0.5 tells nothing.</param>
/// <param name="Low">Lower end of its 95 % interval.</param>
/// <param name="High">Upper end.</param>
/// <param name="TruePositiveRate">Share of members found where one non-member in a hundred is taken for one.</param>
/// <param name="Members">Number of members.</param>
/// <param name="NonMembers">Number of non-members; below 100 the rate above rests on no false positive at all.</param>
internal sealed record Membership(double Auc, double Low, double High, double TruePositiveRate, int Members, int NonMembers);

/// <summary>A membership test: can a score tell which images a model was trained on?</summary>
internal static class MembershipTest
{
    private const double FalsePositiveRate = 0.01;

    /// <summary>
    /// The area under the curve with a bootstrap interval, and the rate of members found at 1 % false positives.
    /// </summary>
    /// <param name="members">Scores of training images; higher means more likely a member.</param>
    /// <param name="others">Scores of images that were never trained on.</param>
    /// <param name="seed">Seed of the bootstrap.</param>
    /// <param name="draws">Its draws.</param>
    /// <exception cref="ArgumentException">A list is empty.</exception>
    public static Membership Run(IReadOnlyList<double> members, IReadOnlyList<double> others, Seed seed, int draws = 1000)
    {
        ArgumentNullException.ThrowIfNull(members);
        ArgumentNullException.ThrowIfNull(others);
        if (members.Count == 0 || others.Count == 0)
            throw new ArgumentException("Both kinds of images are needed.", nameof(members));
        var random = seed.Random();
        var drawn = new double[draws];
        for (var d = 0; d < draws; d++) drawn[d] = RankAuc.Of(Draw(members, random), Draw(others, random));
        Array.Sort(drawn);
        var allowed = (int)(FalsePositiveRate * others.Count);
        var threshold = others.OrderDescending().ElementAt(allowed);
        return new(RankAuc.Of(members, others), drawn[(int)(0.025 * draws)], drawn[Math.Min(draws - 1, (int)(0.975 * draws))],
            (double)members.Count(m => m > threshold) / members.Count, members.Count, others.Count);
    }

    private static double[] Draw(IReadOnlyList<double> values, SeededRandom random)
    {
        var drawn = new double[values.Count];
        for (var i = 0; i < drawn.Length; i++) drawn[i] = values[random.Next(values.Count)];
        return drawn;
    }
}
