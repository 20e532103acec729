using Siamorph.Experiment;
using Siamorph.Experiment.Results;

namespace Siamorph.Reports.Sections;

/// <summary>Says in plain sentences what an experiment showed, and no more than that.</summary>
internal static class ExperimentSentences
{
    public static string Title(ExperimentResult result, string arm) => result.Arms.First(a => a.Name == arm).Title;

    public static int Colour(ExperimentResult result, string arm) => result.Arms.Select(a => a.Name).ToList().IndexOf(arm) % 8;

    public static IReadOnlyList<string> Answer(ExperimentResult result)
    {
        if (result.Comparisons.Count == 0)
            return [$"Test Dice of {Title(result, result.Arms[0].Name)}: "
                + $"{Format.Score(result.Cells.Average(c => c.Outcome.Dice))}. There is no second arm to compare with."];
        if (result.Declared is { } primary)
            return AnswerSentences.Answer(result, primary);
        if (result.Undertrained is { } alarm) return [alarm, Caution(result)];
        if (result.Comparisons.Count == 1)
            return [Sentence(result, result.Comparisons[0]), Difference(result.Comparisons[0]), Caution(result)];
        return [Summary(result), .. result.Comparisons.Select(c => $"{Sentence(result, c)} {Difference(c)}"), Caution(result)];
    }

    private static string Sentence(ExperimentResult result, Comparison c)
    {
        var (arm, baseline) = (Title(result, c.Arm), Title(result, c.Baseline));
        var scores = $"test Dice {Format.Score(c.ArmDice)} against {Format.Score(c.BaselineDice)}";
        return c.Verdict == Verdict.NoEvidence
            ? $"With {c.RealCount} real training pairs there is no evidence that {arm} differs from {baseline}: {scores}."
            : $"With {c.RealCount} real training pairs, {arm} scored {(c.Verdict == Verdict.Higher ? "higher" : "lower")} than "
            + $"{baseline}: {scores}.";
    }

    private static string Difference(Comparison c)
    {
        if (c is { Difference: 0, Low: 0, High: 0 })
            return "Both scored the same on every test image and with every seed, so nothing can be said about the difference.";
        if (!double.IsFinite(c.Low) || !double.IsFinite(c.High))
            return $"The difference is {Format.Signed(c.Difference)}; there are too few scores for an interval.";
        var lies = c.Verdict switch { Verdict.Higher => "lies above zero", Verdict.Lower => "lies below zero",
            _ => "includes zero" };
        return $"The difference is {Format.Signed(c.Difference)}; its 95\u00A0% interval, {Format.Signed(c.Low)} to "
            + $"{Format.Signed(c.High)}, {lies}.";
    }

    private static string Summary(ExperimentResult result)
    {
        var parts = new[] { Verdict.Higher, Verdict.Lower, Verdict.NoEvidence }
            .Select(v => (Verdict: v, Cases: result.Comparisons.Where(c => c.Verdict == v).ToList()))
            .Where(x => x.Cases.Count > 0).ToList();
        var sentences = parts.Select((x, i) => SummaryPart(result, x.Verdict, x.Cases, i == 0));
        return $"{string.Join("; ", sentences)}.";
    }

    private static string SummaryPart(ExperimentResult result, Verdict verdict, List<Comparison> cases, bool first)
    {
        var several = result.Arms.Count > 2;
        string Where(Comparison c) => several ? $"{c.RealCount} ({Title(result, c.Arm)})" : Format.Integer(c.RealCount);
        var where = Joined([.. cases.Select(Where)]);
        var subject = several ? "other arms" : result.Arms[1].Title;
        var pairs = first ? " real training pairs" : "";
        var text = verdict switch
        {
            Verdict.NoEvidence => $"with {where}{pairs} there is no evidence of a difference",
            _ =>
                $"{(first ? $"{subject} " : "it ")}scored {(verdict == Verdict.Higher ? "higher" : "lower")} than "
                + $"{result.Arms[0].Title} with {where}{pairs}",
        };
        if (verdict == Verdict.NoEvidence && first) text += $" between {subject} and {result.Arms[0].Title}";
        return first ? char.ToUpperInvariant(text[0]) + text[1..] : text;
    }

    public static string Measure(Comparison c) => PrimaryEndPoint.Measure(c.Set);

    public static string Caution(ExperimentResult result)
    {
        var c = result.Declared ?? result.Comparisons[0];
        var units = c.Units < c.Images ? $" of {Format.Count(c.Units, "patient or sequence", "patients or sequences")}" : "";
        var data = c.Set switch
        {
            null => "one dataset",
            PrimaryEndPoint.AllSets => "the external test sets together",
            var set => $"external test set {set}",
        };
        var scope = result.Options.SeedScope switch
        {
            SeedScope.Everything => "each seed has its own real pairs and its own generator",
            SeedScope.Synthesis =>
                "all seeds share one choice of real pairs and one generator, so the interval does not include their random "
                + "variation",
            _ =>
                "all seeds share one choice of real pairs, one generator and one synthetic set, so the interval does not include "
                + "their random variation",
        };
        return $"{Format.Count(result.Options.Seeds.Count, "seed")}, {Format.Count(c.Images, "test image")}{units}, {data}; "
            + $"{scope}.";
    }

    public static string Joined(IReadOnlyList<string> items) => items.Count switch
    {
        0 => "",
        1 => items[0],
        _ => $"{string.Join(", ", items.SkipLast(1))} and {items[^1]}",
    };
}
