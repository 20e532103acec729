using System.Globalization;
using Siamorph.Experiment.Results;
using Siamorph.Reports.Charts;

namespace Siamorph.Reports.Sections;

/// <summary>
/// What speaks for and against: every comparison with its statistics, the control, learning curves, sub-groups.
/// </summary>
internal static class EvidenceSection
{
    public static readonly string[] CsvHeadings =
    [
        "network", "arm", "baseline", "real_pairs", "primary", "dice_baseline", "dice_arm", "difference", "low_95", "high_95",
        "standard_error", "least_detectable",
        "wilcoxon_p", "holm_p", "effect_dz", "superiority", "missed_per_100_baseline", "missed_per_100_arm",
        "false_alarms_per_100_baseline", "false_alarms_per_100_arm", "verdict",
    ];

    public static Section? Evidence(ExperimentResult result)
    {
        var comparisons = result.Comparisons.Where(c => c.Statistics is not null).ToList();
        if (comparisons.Count == 0) return null;
        var blocks = new List<Block>();
        blocks.AddRange(result.Controls.Select(c => Control(result, c)));
        if (result.Cells.Select(c => c.RealCount).Distinct().Count() > 1) blocks.Add(LearningCurves(result));
        if (Parts(result, comparisons) is { } parts) blocks.Add(parts);
        blocks.AddRange([Differences(result, comparisons), Details(result, comparisons)]);
        return new Section("Evidence", blocks);
    }

    public static IEnumerable<IReadOnlyList<string>> CsvRows(string network, ExperimentResult result) =>
        result.Comparisons.Select(c =>
    {
        var s = c.Statistics;
        string Number(double? value) => value?.ToString("R", CultureInfo.InvariantCulture) ?? "";
        return (IReadOnlyList<string>)
        [
            network, c.Arm, c.Baseline, Format.Integer(c.RealCount), s?.Primary == true ? "yes"
                : "no", Number(c.BaselineDice), Number(c.ArmDice), Number(c.Difference),
            Number(c.Low), Number(c.High), Number(s?.StandardError), Number(s?.MinimumDetectable), Number(s?.WilcoxonP),
            Number(s?.AdjustedP), Number(s?.Effect),
            Number(s?.Superiority), Number(s?.Missed?.Baseline), Number(s?.Missed?.Arm), Number(s?.FalseAlarms?.Baseline),
            Number(s?.FalseAlarms?.Arm), c.Verdict.ToString(),
        ];
    });

    public static Paragraph Control(ExperimentResult result, MaskControl c)
    {
        var numbers = $"{AnswerSentences.Points(c.Difference)} points against {ExperimentSentences.Title(result, c.Against)}, "
            + $"{AnswerSentences.Interval(c.Low, c.High)}";
        if (c.Hurts) return new Paragraph(
            $"{c.RealCount} real pairs: wrong masks lower the score, as they must ({numbers}). The experiment can tell good "
                + $"pairs from bad ones.", Tone.Good);
        return AnswerSentences.Harm(result, c) is { } harm
            ? new Paragraph($"{c.RealCount} real pairs: undecided. Wrong masks lower the score against "
            + $"{ExperimentSentences.Title(result, harm.Baseline)} ({AnswerSentences.Points(harm.Difference)} points, "
                + $"{AnswerSentences.Interval(harm.Low, harm.High)}), but not significantly against the same images with right "
                + $"masks ({numbers}). Use more seeds to decide.", Tone.Bad)
            : new Paragraph($"{c.RealCount} real pairs: the experiment is blind: wrong masks did not lower the score ("
            + $"{numbers}). More seeds, more test images or longer training are needed before any conclusion.", Tone.Bad);
    }

    private static Figure LearningCurves(ExperimentResult result) => new(new LineChart
    {
        Label = "Mean test Dice over the number of real training pairs, a line for each arm.",
        XTitle = "real training pairs",
        YTitle = "test Dice",
        Series = [.. result.Arms.Select(a => new LineSeries(a.Title, ExperimentSentences.Colour(result, a.Name),
            [.. result.Cells.Where(c => c.Arm == a.Name).GroupBy(c => c.RealCount).OrderBy(g => g.Key)
                .Select(g => ((double)g.Key, g.Average(c => c.Outcome.Dice)))]))],
    }, "Learning curves",
    "Mean over seeds. Where a line lies to the left of the baseline at the same height, it saves real pairs.");

    private static Figure? Parts(ExperimentResult result, List<Comparison> comparisons)
    {
        var shown = result.Shown!;
        var parts = shown.Statistics!.Subgroups;
        if (parts.Count == 0) return null;
        return new Figure(new StripPlot
        {
            Label = "Difference in Dice in subgroups of the test images.",
            XTitle = "difference in mean Dice",
            Differences = true,
            Rows = [.. parts.Select(p => new StripRow($"{p.Name}, "
                + $"{Format.Count(p.Images, "image")}", p.High < 0 ? 5
                : 1, [p.Difference], ["mean"], p.Kind) { Interval = (p.Low, p.High) })],
        }, $"Subgroups: {ExperimentSentences.Title(result, shown.Arm)}, {shown.RealCount} real pairs",
        "Mean and 95\u00A0% interval in subgroups of the test images. Subgroups whose interval lies below zero get worse.");
    }

    public static Table Differences(ExperimentResult result, IReadOnlyList<Comparison> comparisons) => new(
        ["arm", "real pairs", "difference", "95 % interval", "p (Holm)", "least detectable", "verdict"],
        [.. comparisons.Select(c => (IReadOnlyList<string>)
        [
            ExperimentSentences.Title(result, c.Arm) + (c.Statistics!.Primary ? " (primary)" : ""), Format.Integer(c.RealCount),
            Format.Signed(c.Difference),
            $"{Format.Signed(c.Low)} to {Format.Signed(c.High)}", Probability(c.Statistics.AdjustedP ?? c.Statistics.WilcoxonP),
            Format.Score(c.Statistics.MinimumDetectable), NetworkSection.Word(c.Verdict),
        ])])
    {
        Note = "Differences in Dice from the baseline. p: Wilcoxon signed-rank test over test images, with Holm's correction for "
            + "the secondary comparisons.",
    };

    private static Table Details(ExperimentResult result, List<Comparison> comparisons) => new(
        ["arm", "real pairs", "effect d", "better in", "missed lesions", "false alarms"],
        [.. comparisons.Select(c => (IReadOnlyList<string>)
        [
            ExperimentSentences.Title(result, c.Arm), Format.Integer(c.RealCount), Format.Signed(c.Statistics!.Effect),
            Format.Percent(c.Statistics.Superiority),
            Change(c.Statistics.Missed), Change(c.Statistics.FalseAlarms),
        ])])
    {
        Note = "Effect d: mean difference over the images divided by its standard deviation. Better in: share of images and "
            + "seeds that improve. Missed lesions and false alarms: baseline → arm, per 100 test images.",
    };

    private static string Probability(double p) => p < 0.001 ? "< 0.001" : Format.Score(p);

    private static string Change(RatePerHundred? counts)
        => counts is null ? "–" : string.Create(CultureInfo.InvariantCulture, $"{counts.Baseline:0.0} → {counts.Arm:0.0}");
}
