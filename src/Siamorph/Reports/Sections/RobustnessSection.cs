using System.Globalization;
using Siamorph.Experiment.Results;
using Siamorph.Imaging;
using Siamorph.Reports.Charts;

namespace Siamorph.Reports.Sections;

/// <summary>How the arms do on corrupted test images.</summary>
internal static class RobustnessSection
{
    public static readonly string[] CsvHeadings =
        ["network", "arm", "real_pairs", "corruption", "strength", "dice", "dice_clean", "loss", "difference",
        "low_95", "high_95"];

    public static IEnumerable<IReadOnlyList<string>> CsvRows(string network, ExperimentResult result) =>
        result.Robustness.Select(r =>
    {
        static string Number(double? value) => value?.ToString("R", CultureInfo.InvariantCulture) ?? "";
        return (IReadOnlyList<string>)
        [
            network, r.Arm, Format.Integer(r.RealCount), r.Corruption is { } kind ? kind.ToString()
                : "all", r.Corruption is null ? "" : Format.Integer(r.Strength),
            Number(r.Dice), Number(r.CleanDice), Number(Math.Round(r.CleanDice - r.Dice, 6)), Number(r.Difference?.Mean),
            Number(r.Difference?.Low), Number(r.Difference?.High),
        ];
    });

    public static Section Robustness(ExperimentResult result, string folder)
    {
        var main = result.Shown;
        var count = main?.RealCount ?? result.Robustness[0].RealCount;
        var blocks = new List<Block>();
        if (main is not null) blocks.Add(Sentence(result, main));
        blocks.AddRange(ImageSection.Sheets(result, folder, SheetKind.Corrupted));
        blocks.AddRange(Curves(result, count));
        if (Together(result) is { } together) blocks.Add(together);
        if (main is not null) blocks.Add(Conditions(result, main.Arm, count));
        foreach (var other in result.Robustness.Select(r => r.RealCount).Distinct().Where(n => n != count))
            blocks.Add(new CollapsedSection($"The same with {other} real pairs",
                [.. Curves(result, other), .. main is null ? [] : new[] { Conditions(result, main.Arm, other) }]));
        blocks.Add(new CollapsedSection("Every corruption in numbers", [Numbers(result)]));
        blocks.Add(new CollapsedSection("How the images were corrupted", [
            new BulletList(
                [.. result.Options.Corruptions.Select(k => $"{Name(k)}: {Corruption.Describe(k)} (strengths 1, 2, 3).")]),
            new Paragraph("After ImageNet-C (Hendrycks and Dietterich 2019). Images were corrupted at the size the networks see; "
                + "the masks are unchanged. "
                + "Every network saw the same corrupted images; for each image the same random pattern is used at every "
                + "strength. Corrupted images were not used for training or model selection."),
        ]));
        return new Section("Robustness", blocks);
    }

    internal static string Name(CorruptionKind kind) => kind switch
    {
        CorruptionKind.ColourCast => "colour cast",
        CorruptionKind.Jpeg => "JPEG",
        CorruptionKind.Illumination => "uneven light",
        _ => kind.ToString().ToLowerInvariant(),
    };

    private static Paragraph Sentence(ExperimentResult result, Comparison c)
    {
        var (arm, baseline) = (All(result, c.Arm, c.RealCount), All(result, c.Baseline, c.RealCount));
        var d = arm.Difference!;
        var worst = result.Robustness.Where(r => r.Corruption is not null && r.RealCount == c.RealCount && r.Arm == c.Baseline)
            .MinBy(r => r.Dice)!;
        var verdict = d.Low > 0 ? "the advantage holds under corruption" : d.High < 0 ? "it is worse under corruption"
            : "there is no evidence of a difference under corruption";
        return new Paragraph(
            $"{c.RealCount} real pairs: over all corruptions test Dice falls from {Format.Score(baseline.CleanDice)} to "
                + $"{Format.Score(baseline.Dice)} with {ExperimentSentences.Title(result, c.Baseline)} "
            + $"and from {Format.Score(arm.CleanDice)} to {Format.Score(arm.Dice)} with "
            + $"{ExperimentSentences.Title(result, c.Arm)}. The difference of the two is {AnswerSentences.Points(d.Mean)} points "
            + $"({AnswerSentences.Interval(d.Low, d.High)}): {verdict}. The largest loss is with {Name(worst.Corruption!.Value)} "
            + $"at strength {worst.Strength} (Dice {Format.Score(worst.Dice)}).",
            d.Low > 0 ? Tone.Good : d.High < 0 ? Tone.Bad : Tone.Neutral);
    }

    private static RobustnessResult All(ExperimentResult result, string arm, int count)
        => result.Robustness.Single(r => r.Corruption is null && r.Arm == arm && r.RealCount == count);

    private static IEnumerable<Figure> Curves(ExperimentResult result, int count) =>
        result.Options.Corruptions.Select(kind => new Figure(new LineChart
    {
        Label = $"Mean test Dice over the strength of {Name(kind)}, a line for each arm, {count} real pairs.",
        XTitle = "strength (0: clean image)",
        YTitle = "test Dice",
        // One scale for all kinds
        YRange = (result.Robustness.Min(r => r.Dice), result.Robustness.Max(r => Math.Max(r.Dice, r.CleanDice))),
        Series = [.. result.Arms.Select(a =>
            new LineSeries(a.Title, ExperimentSentences.Colour(result, a.Name), Curve(result, a.Name, count, kind)))],
    }, Capital(Name(kind)), $"Mean over test images and seeds, {count} real pairs."));

    private static (double X, double Y)[] Curve(ExperimentResult result, string arm, int count, CorruptionKind kind) =>
    [
        (0, All(result, arm, count).CleanDice),
        .. result.Robustness.Where(r => r.Arm == arm && r.RealCount == count && r.Corruption == kind).OrderBy(r => r.Strength)
        .Select(r => ((double)r.Strength, r.Dice)),
    ];

    /// <summary>Each arm over all corruptions; null where there is nothing to compare.</summary>
    public static Figure? Together(ExperimentResult result) =>
        !result.Robustness.Any(r => r.Difference is not null) ? null : new(new StripPlot
    {
        Label = "Difference in mean Dice from the baseline over all corruptions.",
        XTitle = "difference in mean Dice",
        Differences = true,
        Rows = [.. result.Robustness.Where(r => r is { Corruption: null, Difference: not null }).Select(r => Row(
            ExperimentSentences.Title(result, r.Arm), ExperimentSentences.Colour(result, r.Arm), r.Difference!,
            $"{r.RealCount} real pairs"))],
    }, $"All corruptions together: difference from {result.Arms[0].Title}",
    "Mean over all kinds and strengths, with its 95 % interval over seeds and test images.");

    private static Figure Conditions(ExperimentResult result, string arm, int count)
    {
        var shown = result.Robustness.Where(r => r.Arm == arm && r.RealCount == count
            && r is { Corruption: not null, Difference: not null }).ToList();
        return new(new StripPlot
        {
            Label = $"Difference in mean Dice under each corruption, {count} real pairs.",
            XTitle = "difference in mean Dice",
            Differences = true,
            Rows = [.. shown.Select(r => Row($"strength "
                + $"{r.Strength}", ExperimentSentences.Colour(result, arm), r.Difference!, Capital(Name(r.Corruption!.Value))))],
        }, $"{Capital(ExperimentSentences.Title(result, arm))} minus {result.Arms[0].Title}, {count} real pairs",
            $"Under each corruption, with 95 % intervals. Of {shown.Count} such intervals, about one in twenty excludes zero by "
                + $"chance alone.", Wide: true);
    }

    private static StripRow Row(string name, int colour, ArmDifference d, string group) =>
        new(name, colour, [d.Mean], ["mean"], group) { Interval = (d.Low, d.High) };

    private static Table Numbers(ExperimentResult result) => new(
        ["arm", "real pairs", "corruption", "strength", "Dice", "loss", "difference", "95 % interval"],
        [.. result.Robustness.Select(r => (IReadOnlyList<string>)
        [
            ExperimentSentences.Title(result, r.Arm), Format.Integer(r.RealCount), r.Corruption is { } kind ? Name(kind)
                : "all", r.Corruption is null ? "–" : Format.Integer(r.Strength),
            Format.Score(r.Dice), Format.Score(r.CleanDice - r.Dice), r.Difference is { } d ? Format.Signed(d.Mean) : "–",
            r.Difference is { } e ? $"{Format.Signed(e.Low)} to {Format.Signed(e.High)}" : "–",
        ])])
    {
        Note = "Loss: Dice on the clean images minus Dice on the corrupted ones. Difference: from the baseline under the same "
            + "corruption.",
    };

    private static string Capital(string text) => char.ToUpperInvariant(text[0]) + text[1..];
}
