using Siamorph.Experiment.Results;
using Siamorph.Reports.Charts;

namespace Siamorph.Reports.Sections;

/// <summary>The scores of the arms, as sets and image by image.</summary>
internal static class ScoreSections
{
    public static Section Scores(ExperimentResult result)
    {
        var groups = result.Cells.GroupBy(c => (c.RealCount, c.Arm)).ToList();
        var blocks = new List<Block>
        {
            new Figure(new StripPlot
            {
                Label = "Test Dice of each trained network, by number of real training pairs and arm.",
                XTitle = "mean Dice over the test images",
                Rows =
                    [.. groups.Select(g => new StripRow(ExperimentSentences.Title(result, g.Key.Arm),
                    ExperimentSentences.Colour(result, g.Key.Arm),
                    [.. g.Select(c => c.Outcome.Dice)], [.. g.Select(c => $"seed {c.Seed}")], $"{g.Key.RealCount} real pairs"))],
            }, "Test Dice", "Each dot is one network (a seed), the tick is their mean, the line their range."),
        };
        if (result.Comparisons.Count > 0) blocks.Add(Differences(result));
        blocks.Add(new Table(["arm", "real pairs", "added pairs", "real image seen", "Dice", "IoU", "mDice (256 "
            + "thresholds)", "mIoU (256 thresholds)"],
            [.. groups.Select(g => (IReadOnlyList<string>)[
                ExperimentSentences.Title(result, g.Key.Arm), Format.Integer(g.Key.RealCount),
                Format.Integer(g.First().SyntheticCount), g.First().RealExposures is { } seen
                    ? $"{Format.Integer((int)Math.Round(seen))}×" : "–",
                Spread(g.Select(c => c.Outcome.Dice)), Spread(g.Select(c => c.Outcome.Iou)),
                Spread(g.Select(c => c.Outcome.MeanDice)), Spread(g.Select(c => c.Outcome.MeanIou))])])
        {
            Note = "Mean ± standard deviation over seeds. Dice and IoU: decision at probability 0.5, averaged over images; an "
                + "image without a lesion that is left "
                + "empty scores 1. mDice and mIoU: averaged over 256 thresholds, as segmentation papers report them; there an "
                + "image without a lesion always scores 0.",
        });
        return new Section("Scores", blocks);
    }

    public static Section ImageByImage(ExperimentResult result, string folder)
    {
        var primary = result.Shown?.Arm;
        var blocks = new List<Block>(result.Comparisons.Where(c => c.Arm == primary).SelectMany(c => Pair(result, c)));
        blocks.AddRange(ImageSection.Sheets(result, folder, s => s.Kind == SheetKind.Prediction
            && (s.Arm ?? primary) == primary));
        foreach (var other in result.Comparisons.Where(c => c.Arm != primary).GroupBy(c => c.Arm))
            blocks.Add(new CollapsedSection($"{ExperimentSentences.Title(result, other.Key)}: image by image",
                [.. other.SelectMany(c => Pair(result, c)),
                .. ImageSection.Sheets(result, folder, s => s.Kind == SheetKind.Prediction && s.Arm == other.Key)]));
        if (blocks.Count == 0) blocks.Add(new Paragraph("There is only one arm, so there is nothing to compare."));
        return new Section("Image by image", blocks);
    }

    private static IEnumerable<Block> Pair(ExperimentResult result, Comparison c)
    {
        var points = Points(result, c);
        var (arm, baseline) = (ExperimentSentences.Title(result, c.Arm), ExperimentSentences.Title(result, c.Baseline));
        var where = $"{c.RealCount} real pairs";
        yield return new Figure(new ScatterPlot
        {
            Label = $"Dice of each test image: {baseline} across, {arm} up, with {where}.",
            XTitle = $"Dice, {baseline}",
            YTitle = $"Dice, {arm}",
            Points = points,
        }, $"Each test image under both arms, {where}", $"Mean over seeds. Above the diagonal {arm} is better.");
        yield return new Figure(new DifferencePlot
        {
            Label = $"Sorted differences in Dice of the test images, {arm} minus {baseline}, with {where}.",
            YTitle = "difference in Dice",
            Values = [.. points.Select(p => (p.Name, p.Y - p.X))],
        }, $"Gains and losses, {where}",
        $"Difference in Dice of each test image ({arm} minus {baseline}, mean over seeds), sorted.");
    }

    public static Figure Differences(ExperimentResult result) => new(new StripPlot
    {
        Label = "Difference in test Dice from the baseline, with 95 % intervals.",
        XTitle = "difference in mean Dice",
        Differences = true,
        Rows = [.. result.Comparisons.Select(c =>
            new StripRow(ExperimentSentences.Title(result, c.Arm), ExperimentSentences.Colour(result, c.Arm), c.PerSeed,
            [.. result.Options.Seeds.Select(s => $"seed {s}")], $"{c.RealCount} real pairs") { Interval = (c.Low, c.High) })],
    }, $"Difference from {result.Arms[0].Title}",
    "Each dot is one seed, the tick is their mean, the line the 95 % interval over seeds and test images.");

    private static NamedPoint[] Points(ExperimentResult result, Comparison c)
    {
        Dictionary<string, double> Means(string arm) => result.Cells.Where(x => x.Arm == arm && x.RealCount == c.RealCount)
            .SelectMany(x => x.Outcome.Images).GroupBy(i => i.Id).ToDictionary(g => g.Key, g => g.Average(i => i.Dice));
        var (x, y) = (Means(c.Baseline), Means(c.Arm));
        return [.. x.Keys.Select(id => new NamedPoint(id, x[id], y[id]))];
    }

    private static string Spread(IEnumerable<double> values)
    {
        var all = values.ToList();
        return all.Count > 1 ? $"{Format.Score(all.Average())} ± {Format.Score(Format.Deviation(all))}" : Format.Score(all[0]);
    }
}
