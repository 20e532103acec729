using Siamorph.Experiment;
using Siamorph.Experiment.Results;
using Siamorph.Reports.Charts;

namespace Siamorph.Reports.Sections;

/// <summary>How training went: the losses of the generators and the segmentation networks.</summary>
internal static class TrainingSection
{
    private const int MostLines = 12; // more can't be told apart

    public static Section Training(ExperimentResult result)
    {
        var blocks = Generators(result).ToList();
        foreach (var count in result.Cells.Select(c => c.RealCount).Distinct())
        {
            var cells = result.Cells.Where(c => c.RealCount == count).ToList();
            blocks.Add(Lines(result, cells, c => c.Outcome.Loss, "training loss",
                $"Segmentation: training loss, {count} real pairs", logY: true));
            blocks.Add(Lines(result, cells, c => c.Outcome.Validation, "validation Dice",
                $"Segmentation: validation Dice, {count} real pairs", logY: false));
        }
        return new Section("Training", blocks);
    }

    // The first seed's in full, those of the others folded: they look alike.
    private static IEnumerable<Block> Generators(ExperimentResult result)
    {
        var shown = new HashSet<string>(); // ablations share their base training
        var several = result.Generators.Select(g => g.Arms[0]).Distinct().Count() > 1;
        foreach (var alike in result.Generators.GroupBy(g => (g.RealCount, Arm: g.Arms[0])))
        {
            var name = several ? $"Generator of {ExperimentSentences.Title(result, alike.Key.Arm)}" : "Generator";
            var figures = alike.Select(g => g.Outcome.Stages.Where(s => s.Curves.Count > 0 && shown.Add(Values(s)))
                .Select(s => Losses(s, name, Which(result, g))).ToList())
                .Where(f => f.Count > 0).ToList();
            foreach (var figure in figures.Take(1).SelectMany(f => f)) yield return figure;
            if (figures.Count > 1) yield return new CollapsedSection($"{name}: {alike.Key.RealCount} real pairs, other seeds",
                [.. figures.Skip(1).SelectMany(f => f)]);
        }
    }

    private static string Which(ExperimentResult result, GeneratorResult g)
        => result.Options.SeedScope == SeedScope.Everything ? $"{g.RealCount} real pairs, seed {g.Seeds[0]}"
        : $"{g.RealCount} real pairs";

    private static string Values(StageCurves stage) => stage.Name + string.Join(' ', stage.Curves.SelectMany(c => c.Values));

    private static Figure Losses(StageCurves stage, string name, string which) => new(new LineChart
    {
        Label = $"Losses of {stage.Name} training over steps. {name}, {which}.",
        YTitle = "loss",
        LogY = true,
        Smoothing = 0.08,
        Series = [.. stage.Curves.Select((c, i) => new LineSeries(c.Name, (i + 1) % 6, Points(c)))],
    }, $"{name}, {stage.Name} training: {which}", "Faint: recorded values. Strong: running mean. Logarithmic scale.");

    private static Figure Lines(
        ExperimentResult result, List<CellResult> cells, Func<CellResult, Curve> curve, string quantity, string title, bool logY)
    {
        return new(new LineChart
        {
            Label = $"{title}, over steps.",
            YTitle = quantity,
            LogY = logY,
            Series = cells.Count > MostLines
                ? [.. cells.GroupBy(c => c.Arm).Select(g => Series(g.Key, Mean([.. g.Select(c => Points(curve(c)))])))]
                : [.. cells.Select(c => Series(c.Arm, Points(curve(c))))],
        }, title, cells.Count > MostLines ? $"Mean over {Format.Count(cells.Select(c => c.Seed).Distinct().Count(), "seed")}."
            : "A line for each seed.");

        LineSeries Series(string arm, IReadOnlyList<(double X, double Y)> points) =>
            new(ExperimentSentences.Title(result, arm), ExperimentSentences.Colour(result, arm), points);
    }

    // Where all seeds have a value.
    private static IReadOnlyList<(double X, double Y)> Mean(IReadOnlyList<IReadOnlyList<(double X, double Y)>> seeds)
        => [.. seeds.SelectMany(s => s).GroupBy(p => p.X).Where(g => g.Count() == seeds.Count).OrderBy(g => g.Key)
        .Select(g => (g.Key, g.Average(p => p.Y)))];

    private static IReadOnlyList<(double X, double Y)> Points(Curve curve) =>
        [.. curve.Steps.Zip(curve.Values, (s, v) => ((double)s, v))];
}
