using Siamorph.Experiment;

namespace Siamorph.Reports;

/// <summary>How training went: the losses of the generators and the segmentation networks.</summary>
internal static class TrainingSection
{
    public static Section Training(ExperimentResult result)
    {
        var blocks = new List<Block>();
        foreach (var generator in result.Generators)
        {
            var which = result.Options.SeedScope == SeedScope.Everything
                ? $"{generator.RealCount} real pairs, seed {generator.Seeds[0]}" : $"{generator.RealCount} real pairs";
            foreach (var stage in generator.Outcome.Stages.Where(s => s.Curves.Count > 0)) blocks.Add(Losses(stage, which));
        }
        foreach (var count in result.Cells.Select(c => c.RealCount).Distinct())
        {
            var cells = result.Cells.Where(c => c.RealCount == count).ToList();
            blocks.Add(Lines(result, cells, c => c.Outcome.Loss, "training loss", $"Segmentation: training loss, {count} real pairs", logY: true));
            blocks.Add(Lines(result, cells, c => c.Outcome.Validation, "validation Dice",
                $"Segmentation: validation Dice, {count} real pairs", logY: false));
        }
        return new Section("Training", blocks);
    }

    private static Figure Losses(StageCurves stage, string which) => new(new LineChart
    {
        Label = $"Losses of the {stage.Name} stage over steps, generator for {which}.",
        YTitle = "loss",
        LogY = true,
        Smoothing = 0.08,
        Series = [.. stage.Curves.Select((c, i) => new LineSeries(c.Name, (i + 1) % 6, Points(c)))],
    }, $"Generator, stage {stage.Name}: {which}", "Faint: as recorded. Strong: running mean. Logarithmic scale.");

    private static Figure Lines(
        ExperimentResult result, List<CellResult> cells, Func<CellResult, Curve> curve, string quantity, string title, bool logY) => new(new LineChart
    {
        Label = $"{title}, over steps, a line for each arm and seed.",
        YTitle = quantity,
        LogY = logY,
        Series = [.. cells.Select(c => new LineSeries(ExperimentWords.Title(result, c.Arm), ExperimentWords.Colour(result, c.Arm), Points(curve(c))))],
    }, title, "A line for each seed.");

    private static IReadOnlyList<(double X, double Y)> Points(Curve curve) => [.. curve.Steps.Zip(curve.Values, (s, v) => ((double)s, v))];
}
