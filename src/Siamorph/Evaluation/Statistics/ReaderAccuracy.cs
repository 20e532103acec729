namespace Siamorph.Evaluation.Statistics;

/// <summary>What a reader study may say about telling synthetic from real images.</summary>
internal enum Discrimination
{
    /// <summary>Neither can be said: too few readers or images.</summary>
    Undecided,

    /// <summary>The 95 % interval of the accuracy leaves out one half.</summary>
    ToldApart,

    /// <summary>The 90 % interval lies within the margin about one half: two one-sided tests at 5 %.</summary>
    NoBetterThanChance,

    /// <summary>Both: surely not one half, and surely within the margin of it.</summary>
    Both,
}

/// <summary>The accuracy of readers as a crossed mean, with the verdict.</summary>
/// <param name="Estimate">Mean of the shares of real and of synthetic images that were named right: one half is chance.</param>
/// <param name="Interval95">For "told apart".</param>
/// <param name="Interval90">For "no better than chance".</param>
/// <param name="Margin">About one half, such as 0.1.</param>
internal sealed record ReaderAccuracy(CrossedEstimate Estimate, Interval Interval95, Interval Interval90, double Margin)
{
    private const double Chance = 0.5;

    /// <summary>What may be said.</summary>
    public Discrimination Verdict =>
        (Interval95.Excludes(Chance), Interval90.Low >= Chance - Margin && Interval90.High <= Chance + Margin) switch
    {
        (true, true) => Discrimination.Both,
        (true, false) => Discrimination.ToldApart,
        (false, true) => Discrimination.NoBetterThanChance,
        _ => Discrimination.Undecided,
    };

    /// <summary>The accuracy of a table of answers.</summary>
    /// <param name="right">A row for each reader, a column for each image: whether the answer was right.</param>
    /// <param name="synthetic">Whether each image is synthetic; both kinds occur.</param>
    /// <param name="margin">Half the width of what counts as chance.</param>
    public static ReaderAccuracy Of(IReadOnlyList<IReadOnlyList<bool>> right, IReadOnlyList<bool> synthetic, double margin)
    {
        var scores = right.Select(row => (IReadOnlyList<double>)[.. row.Select(r => r ? 1.0 : 0)]).ToList();
        var estimate = CrossedMean.Of(scores, [.. synthetic.Select(s => s ? 1 : 0)], [0.5, 0.5]);
        return new(estimate, At(0.95), At(0.90), margin);

        // Where all answer alike nothing varies, and still the images are only so many.
        Interval At(double level) => estimate.StandardError > 0
            ? estimate.At(level).Within(0, 1)
            : WilsonInterval.Of(estimate.Value * estimate.Images, estimate.Images, level);
    }
}
