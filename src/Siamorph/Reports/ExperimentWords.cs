using Siamorph.Experiment;

namespace Siamorph.Reports;

/// <summary>Says in plain sentences what an experiment showed, and no more than that.</summary>
internal static class ExperimentWords
{
    public static string Title(ExperimentResult result, string arm) => result.Arms.First(a => a.Name == arm).Title;

    public static int Colour(ExperimentResult result, string arm) => result.Arms.Select(a => a.Name).ToList().IndexOf(arm) % 6;

    public static IReadOnlyList<string> Answer(ExperimentResult result)
    {
        if (result.Comparisons.Count == 0)
            return [$"Test Dice of {Title(result, result.Arms[0].Name)}: {Format.Score(result.Cells.Average(c => c.Outcome.Dice))}. There is no second arm to compare with."];
        var sentences = result.Comparisons.Select(c => Sentence(result, c)).ToList();
        if (sentences.Count > 1) sentences.Insert(0, Summary(result));
        sentences.Add(Caution(result));
        return sentences;
    }

    private static string Sentence(ExperimentResult result, Comparison c)
    {
        var (arm, baseline) = (Title(result, c.Arm), Title(result, c.Baseline));
        var interval = $"95 % interval {Format.Signed(c.Low)} to {Format.Signed(c.High)}";
        var scores = $"{Format.Score(c.BaselineDice)} for {baseline}, {Format.Score(c.ArmDice)} for {arm}";
        return c.Verdict switch
        {
            Verdict.NoEvidence => $"With {c.RealCount} real training pairs there is no evidence that {arm} differs from {baseline}: "
                + $"test Dice {scores} ({Format.Signed(c.Difference)}; {interval}, which includes zero).",
            Verdict.Higher => $"With {c.RealCount} real training pairs, {arm} scored higher: test Dice {scores} ({Format.Signed(c.Difference)}; {interval}).",
            _ => $"With {c.RealCount} real training pairs, {arm} scored lower: test Dice {scores} ({Format.Signed(c.Difference)}; {interval}).",
        };
    }

    private static string Summary(ExperimentResult result)
    {
        var parts = new[] { Verdict.Higher, Verdict.Lower, Verdict.NoEvidence }
            .Select(v => (Verdict: v, Cases: result.Comparisons.Where(c => c.Verdict == v).ToList())).Where(x => x.Cases.Count > 0).ToList();
        var sentences = parts.Select((x, i) => SummaryPart(result, x.Verdict, x.Cases, i == 0));
        return $"{string.Join("; ", sentences)}.";
    }

    private static string SummaryPart(ExperimentResult result, Verdict verdict, List<Comparison> cases, bool first)
    {
        var several = result.Arms.Count > 2;
        var where = Joined([.. cases.Select(c => several ? $"{c.RealCount} ({Title(result, c.Arm)})" : Format.Integer(c.RealCount))]);
        var subject = several ? "other arms" : result.Arms[1].Title;
        var pairs = first ? " real training pairs" : "";
        var text = verdict switch
        {
            Verdict.NoEvidence => $"with {where}{pairs} there is no evidence of a difference",
            _ => $"{(first ? $"{subject} " : "it ")}scored {(verdict == Verdict.Higher ? "higher" : "lower")} than {result.Arms[0].Title} with {where}{pairs}",
        };
        if (verdict == Verdict.NoEvidence && first) text += $" between {subject} and {result.Arms[0].Title}";
        return first ? char.ToUpperInvariant(text[0]) + text[1..] : text;
    }

    private static string Caution(ExperimentResult result)
    {
        var c = result.Comparisons[0];
        var units = c.Units < c.Images ? $" of {Format.Count(c.Units, "patient or sequence", "patients or sequences")}" : "";
        var scope = result.Options.SeedScope switch
        {
            SeedScope.Everything => "each seed has its own real pairs and its own generator",
            SeedScope.Synthesis => "all seeds share one choice of real pairs and one generator, so the interval leaves out their part in chance",
            _ => "all seeds share one choice of real pairs, one generator and one synthetic set, so the interval leaves out their part in chance",
        };
        return $"{Format.Count(result.Options.Seeds.Count, "seed")}, {Format.Count(c.Images, "test image")}{units}, one data set; {scope}.";
    }

    public static string Joined(IReadOnlyList<string> items) => items.Count switch
    {
        0 => "",
        1 => items[0],
        _ => $"{string.Join(", ", items.SkipLast(1))} and {items[^1]}",
    };
}
