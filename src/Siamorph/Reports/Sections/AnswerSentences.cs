using System.Globalization;
using Siamorph.Experiment.Results;

namespace Siamorph.Reports.Sections;

/// <summary>
/// The answer of an experiment with a declared end-point: sentences that a reader without statistics can rely on.
/// </summary>
internal static class AnswerSentences
{
    public static IReadOnlyList<string> Answer(ExperimentResult result, Comparison primary)
    {
        var control = result.Controls.FirstOrDefault(c => c.RealCount == primary.RealCount);
        var lines = new List<string>();
        var harm = control is null ? null : Harm(result, control);
        if (control is { Hurts: false } && harm is null) lines.Add(Blind(control));
        lines.Add(result.Undertrained ?? Main(result, primary));
        if (ResourceSection.Answer(result, primary.RealCount) is { } ladder) lines.Add(ladder);
        if (control is { Hurts: true }) lines.Add(Sees(result, control));
        if (harm is not null) lines.Add(Undecided(result, control!, harm));
        if (Detection(primary) is { } detection) lines.Add(detection);
        if (Losers(primary) is { } losers) lines.Add(losers);
        if (Others(result, primary) is { } others) lines.Add(others);
        if (Networks(result, primary) is { } networks) lines.Add(networks);
        lines.Add(ExperimentSentences.Caution(result));
        return lines;
    }

    /// <summary>"+3.1", in hundredths of Dice.</summary>
    public static string Points(double difference)
    {
        if (!double.IsFinite(difference)) return "–";
        var rounded = Math.Round(100 * difference, 1);
        return rounded == 0 ? "0.0" : (rounded > 0 ? "+" : "−") + Math.Abs(rounded).ToString("0.0", CultureInfo.InvariantCulture);
    }

    public static string Interval(double low, double high) => !double.IsFinite(low)
        || !double.IsFinite(high) ? "too few scores for an interval" : $"95\u00A0% interval {Points(low)} to {Points(high)}";

    /// <summary>
    /// Where wrong masks do not hurt for certain against right ones: the comparison that shows them to harm against real pairs
    /// alone, if there is one.
    /// </summary>
    public static Comparison? Harm(ExperimentResult result, MaskControl c)
        => c.Hurts ? null : result.Comparisons.FirstOrDefault(x => x.Arm == c.Arm && x.RealCount == c.RealCount
        && x.Baseline != c.Against && x.Verdict == Verdict.Lower);

    private static string Main(ExperimentResult result, Comparison c)
    {
        var (arm, baseline) = (ExperimentSentences.Title(result, c.Arm), ExperimentSentences.Title(result, c.Baseline));
        var interval = Interval(c.Low, c.High);
        return c.Verdict switch
        {
            Verdict.NoEvidence when AllAlike(c) =>
                $"With {c.RealCount} real images, {arm} and {baseline} scored the same on every test image and with every seed "
                + $"({ExperimentSentences.Measure(c)} {Format.Score(c.ArmDice)}): nothing varies, so nothing can be concluded. "
                + $"Look at the predictions: "
                + $"networks that find nothing, or everything, all score the same.",
            Verdict.NoEvidence =>
                $"With {c.RealCount} real images there is no evidence that {arm} changes "
                + $"{ExperimentSentences.Measure(c)} against {baseline}: {Points(c.Difference)} points "
                + $"({interval}). {Unseen(result, c)}",
            var v =>
                $"With {c.RealCount} real images, {arm} {(v == Verdict.Higher ? "raises" : "lowers")} "
                + $"{ExperimentSentences.Measure(c)} by {Unsigned(c.Difference)} points against {baseline} "
                + $"({interval}; {Format.Score(c.BaselineDice)} to {Format.Score(c.ArmDice)}).",
        };
    }

    // No difference anywhere: an interval of no width says nothing about certainty.
    private static bool AllAlike(Comparison c) => c.Low == 0 && c.High == 0 && c.Difference == 0;

    private static string Unseen(ExperimentResult result, Comparison c)
    {
        var least = c.Statistics!.MinimumDetectable;
        if (double.IsFinite(least) && Math.Round(100 * least, 1) > 0)
            return $"An effect below {Unsigned(least)} points could easily have been missed.";
        return result.Options.Seeds.Count < 2 || c.Units < 2
            ? "With only one seed or one test image, it is unknown how large an effect could have been missed."
            : "The scores vary too little to tell how large an effect could have been missed.";
    }

    private static string Blind(MaskControl c)
        => AllScoresAlike(c)
        ? "The control is uninformative: with wrong masks the networks scored exactly as with the right ones."
        : $"The experiment is blind: wrong masks did not lower the score ({Points(c.Difference)} points, "
        + $"{Interval(c.Low, c.High)}), so this experiment can't tell good synthetic pairs from bad ones.";

    private static bool AllScoresAlike(MaskControl c) => c.Difference == 0 && c.Low == 0 && c.High == 0;

    private static string Undecided(ExperimentResult result, MaskControl c, Comparison harm)
        => $"The control is undecided: wrong masks lower the score against {ExperimentSentences.Title(result, harm.Baseline)} ("
        + $"{Points(harm.Difference)} points, {Interval(harm.Low, harm.High)}), "
            + $"but the difference between wrong and right masks on the same images, {Points(c.Difference)} points ("
            + $"{Interval(c.Low, c.High)}), is not significant. Use more seeds to decide.";

    private static string Sees(ExperimentResult result, MaskControl c)
        => $"The control holds: wrong masks cost {Unsigned(c.Difference)} points against "
        + $"{ExperimentSentences.Title(result, c.Against)} ({Interval(c.Low, c.High)}).";

    private static string? Detection(Comparison c)
    {
        if (c.Statistics is not { Missed: { } missed, FalseAlarms: { } alarms }) return null;
        return $"Per 100 test images, missed lesions went from {Tenths(missed.Baseline)} to {Tenths(missed.Arm)}, false alarms "
            + $"from {Tenths(alarms.Baseline)} to {Tenths(alarms.Arm)}.";
    }

    private static string? Losers(Comparison c)
    {
        var losers = c.Statistics!.Subgroups.Where(s => s.High < 0).ToList();
        if (losers.Count == 0) return null;
        var named = ExperimentSentences.Joined(
            [.. losers.Select(s => $"{s.Kind} {s.Name} ({Points(s.Difference)} points, {Interval(s.Low, s.High)})")]);
        return $"Not all images gain. The score falls for: {named}.";
    }

    private static string? Others(ExperimentResult result, Comparison primary)
    {
        List<Comparison> others = [.. result.Comparisons.Where(c => c != primary)];
        if (others.Count == 0) return null;
        var parts = new[] { (Verdict.Higher, "higher"), (Verdict.Lower, "lower"),
            (Verdict.NoEvidence, "no evidence of a difference") }
            .Select(x => (Word: x.Item2, Cases: others.Where(c => c.Verdict == x.Item1).ToList())).Where(x => x.Cases.Count > 0)
            .Select(x => $"{x.Word} with {Cases(result, x.Cases)}");
        var where = primary.Set is null ? "" : " on the data's own test images";
        return $"Secondary comparisons with {ExperimentSentences.Title(result, primary.Baseline)}{where}, corrected for their "
            + $"number: {string.Join("; ", parts)}.";
    }

    // The declared comparison, repeated with other networks.
    private static string? Networks(ExperimentResult result, Comparison primary)
    {
        if (result.OtherNetworks.Count == 0 || primary.Set is not null) return null;
        var said = result.OtherNetworks.Select(n =>
            (n.Name, Same: n.Comparisons.First(c => c.Arm == primary.Arm && c.RealCount == primary.RealCount)))
            .Select(n => $"{n.Name} {Points(n.Same.Difference)} points ({Interval(n.Same.Low, n.Same.High)}; "
            + $"{NetworkSection.Word(n.Same.Verdict)})");
        return $"With other networks the same comparison gives: {string.Join("; ", said)}.";
    }

    private static string Cases(ExperimentResult result, List<Comparison> cases)
        => ExperimentSentences.Joined(
            [.. cases.GroupBy(c => c.Arm).Select(g =>
                $"{ExperimentSentences.Title(result, g.Key)} ({string.Join(", ", g.Select(c => c.RealCount))})")]);

    private static string Unsigned(double difference) => Math.Abs(100 * difference).ToString("0.0", CultureInfo.InvariantCulture);

    private static string Tenths(double number) => number.ToString("0.0", CultureInfo.InvariantCulture);
}
