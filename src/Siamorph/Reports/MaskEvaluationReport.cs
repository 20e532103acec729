using System.Globalization;
using Siamorph.Evaluation.Masks;
using Siamorph.Imaging;
using Siamorph.Reports.Charts;
using Siamorph.Training;

namespace Siamorph.Reports;

/// <summary>Scores a folder of predictions and writes the result as a page and as JSON.</summary>
internal static class MaskEvaluationReport
{
    private const int Worst = 12;

    /// <summary>Scores predictions; writes results.json and evaluation.html where a folder is given.</summary>
    /// <param name="truth">A dataset folder, or a folder of masks.</param>
    /// <param name="predictions">A folder of predictions with the names of their truths.</param>
    /// <param name="options">Protocol and rules.</param>
    /// <param name="folder">Where to write, or null.</param>
    /// <param name="monitor">Sees each batch and may stop.</param>
    /// <exception cref="SiamorphException">Files can't be used, or the folder can't be written.</exception>
    public static MaskEvaluation Run(
        string truth, string predictions, MaskEvaluationOptions options, string? folder, IMonitor monitor)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        var pairs = MaskFolders.Match(truth, predictions, options);
        var result = MaskEvaluator.Evaluate([.. pairs.Select(p => p.ToCase())], options, monitor,
            pairs[0].Classes is { Count: > 2 } classes ? classes : null);
        if (folder is null) return result;
        OptionsFile.Save(Path.Combine(folder, "results.json"), result);
        HtmlReport.Write(Path.Combine(folder, "evaluation.html"), Document(result, pairs, truth, predictions));
        return result;
    }

    /// <summary>The measures of sets as rows: name of the measure, then a cell for each set.</summary>
    public static IReadOnlyList<(string Name, Func<MaskSummary, double?> Value, string Unit)> Rows(MaskEvaluation result)
    {
        ArgumentNullException.ThrowIfNull(result);
        var over = MaskProtocol.Named(result.Options.Protocol).OverThresholds;
        return
        [
            (over ? "mean Dice" : "Dice", s => s.Dice, ""),
            .. over ? new (string, Func<MaskSummary, double?>, string)[] { ("max Dice", s => s.MaxDice, "") } : [],
            (over ? "mean IoU" : "IoU", s => s.Iou, ""),
            .. over ? new (string, Func<MaskSummary, double?>, string)[] { ("max IoU", s => s.MaxIou, ""),
            ("Dice at 0.5", s => s.DiceAtHalf, ""), ("IoU at 0.5", s => s.IouAtHalf, "") } : [],
            ("IoU ≥ 0.65, else 0", s => s.ThresholdedIou, ""),
            ("precision", s => s.Precision, ""),
            ("recall", s => s.Recall, ""),
            ("specificity", s => s.Specificity, ""),
            ("MAE", s => s.Mae, ""),
            ("S-measure", s => s.SMeasure, ""),
            ("E-measure, mean", s => s.MeanEMeasure, ""),
            ("E-measure, max", s => s.MaxEMeasure, ""),
            ("weighted F", s => s.WeightedF, ""),
            ("boundary F", s => s.BoundaryF, ""),
            ("boundary IoU", s => s.BoundaryIou, ""),
            ("HD95, pooled", s => s.Hd95, "px"),
            ("HD95, larger direction", s => s.Hd95MaxDirected, "px"),
            ("surface distance", s => s.AverageSurfaceDistance, "px"),
            ("lesions", s => s.Detection.Lesions, "n"),
            ("missed lesions", s => s.Detection.Missed, "n"),
            ("lesions found", s => s.Detection.Sensitivity, ""),
            ("false alarms per 100", s => s.Detection.FalseAlarmsPer100Images, "px"),
        ];
    }

    /// <summary>A cell: four decimals for shares, two for pixels, none for counts.</summary>
    public static string Cell(double? value, string unit) =>
        value is not { } v || !double.IsFinite(v) ? "–"
        : v.ToString(unit switch { "" => "0.0000", "px" => "0.00", _ => "0" }, CultureInfo.InvariantCulture);

    internal static ReportDocument Document(
        MaskEvaluation result, IReadOnlyList<PredictedPair> pairs, string truth, string predictions)
    {
        var (all, detection) = (result.All, result.All.Detection);
        var found = detection.Sensitivity is { } s
            ? $" {detection.Lesions - detection.Missed} of {Format.Count(detection.Lesions, "lesion")} were found ("
            + $"{Format.Percent(s)}), with {Format.Significant(detection.FalseAlarmsPer100Images)} false alarms per 100 images."
            : "";
        return new()
        {
            Title = "How good are these masks?",
            Overline = $"{predictions} against {truth}",
            Answer =
                [$"Dice {Format.Score(all.Dice)} over {Format.Count(all.Count, "image")} ({result.Options.Protocol}).{found}"],
            KeyFigures =
            [
                new($"Dice, {result.Options.Protocol}", Format.Score(all.Dice), $"at 0.5: {Format.Score(all.DiceAtHalf)}"),
                new($"IoU, {result.Options.Protocol}", Format.Score(all.Iou), $"at 0.5: {Format.Score(all.IouAtHalf)}"),
                new("Lesions missed", $"{detection.Missed} of {detection.Lesions}", "region by region"),
                new("HD95", $"{Format.Significant(all.Hd95)} px", "both borders pooled"),
            ],
            Sections =
            [
                new("Scores", [Scores(result), new Paragraph(result.Protocol), new Paragraph(result.EmptyMasks),
                    new Paragraph(result.DetectionRule), .. result.ClassRule is { } rule ? [new Paragraph(rule)]
                        : Array.Empty<Block>()]),
                new("Distributions", [.. Plots(result)]),
                new("Worst first", [WorstCases(result, pairs), Images(result)]),
            ],
            Footer = "The same numbers, with every image and curve: results.json.",
        };
    }

    private static Table Scores(MaskEvaluation result)
    {
        IReadOnlyList<MaskSummary> sets =
            [result.All, .. result.Classes, .. result.Sizes, .. result.Groups.Count <= 8 ? result.Groups : []];
        var order = result.Classes.Count > 0 ? "classes of the masks, then of lesion area" : "classes of lesion area";
        return new(["", .. sets.Select(s => result.Sizes.Contains(s) ? s.Name.Split(' ')[0] : s.Name)],
            [["images", .. sets.Select(s => Format.Integer(s.Count))],
                .. Rows(result).Select(r => (IReadOnlyList<string>)[r.Name, .. sets.Select(s => Cell(r.Value(s), r.Unit))])])
        {
            Note = $"Sizes: {string.Join(", ", result.Options.Sizes.Names)}. "
                + (result.Groups.Count > 8 ? $"{result.Groups.Count} groups: see results.json. Columns after the first "
                + $"are {order}." : $"Columns after the first are {order}{(result.Groups.Count > 0 ? ", then groups" : "")}."),
        };
    }

    private static IEnumerable<Figure> Plots(MaskEvaluation result)
    {
        static (double, double)[] Curve(IReadOnlyList<double> values) =>
            [.. values.Select((v, t) => ((255 - t) / 255.0, v)).Reverse()];
        yield return new(new Histogram
        {
            Label = "How many images have which Dice at 0.5.", XTitle = "Dice at 0.5",
            Values = [.. result.Images.Select(i => i.DiceAtHalf)],
        },
            "Dice of images", "Decided at 0.5. A long left tail is a network that sometimes finds nothing.");
        yield return new(new LineChart
        {
            Label = "Mean Dice, IoU, sensitivity and specificity over thresholds.",
            XTitle = "threshold",
            YTitle = "mean over images",
            Series = [new("Dice", 1, Curve(result.Curves.Dice)), new("IoU", 2, Curve(result.Curves.Iou)),
                new("sensitivity", 3, Curve(result.Curves.Sensitivity)), new("specificity", 0, Curve(result.Curves.Specificity))],
        }, "Threshold curves", "A flat top means that the threshold hardly matters.");
        yield return new(new LineChart
        {
            Label = "Dice at 0.5 of all images, sorted.",
            XTitle = "images, worst first",
            YTitle = "Dice at 0.5",
            Series = [new("Dice at 0.5", 1, [.. result.Images.Select(i => i.DiceAtHalf).Order().Select((v, i) => (i + 1.0, v))])],
        }, "Scores over images", "Sorted; the area under the line is the mean.");
        yield return new(new Histogram
        {
            Label = "How many images have which HD95.", XTitle = "HD95, pooled (pixels)",
            Values = [.. result.Images.Select(i => i.Hd95)],
        },
            "Distance of borders", "95th percentile in pixels; an image with one empty mask counts its diagonal.");
    }

    private static ImageSheet WorstCases(MaskEvaluation result, IReadOnlyList<PredictedPair> pairs)
    {
        var byId = pairs.ToDictionary(p => p.Id);
        return new("Worst cases", "Lowest Dice first. Green: the truth. Yellow: found at 0.5.",
            [.. result.Images.Take(Worst).Select(i =>
        {
            var pair = byId[i.Id];
            var (mask, map) = pair.Open();
            var picture = pair.ImagePath is { } path ? ImageFile.ReadRgb(path) : ContactSheet.OfMask(mask);
            if (picture.Size != mask.Size) picture = Resize.Image(picture, mask.Size);
            return InlineImages.Of($"{i.Id}: {Format.Score(i.Dice)}", picture, [(mask, 0), (map.ToMask(), 1)]);
        })]);
    }

    private static CollapsedSection Images(MaskEvaluation result)
    {
        const int shown = 200;
        return new($"Every image, worst first{(result.Images.Count > shown ? $" ({shown} of {result.Images.Count})" : "")}",
            [new Table(
            ["image", "size of lesion", "Dice", "IoU", "S-measure", "weighted F", "HD95 (px)", "missed", "false alarms"],
            [.. result.Images.Take(shown).Select(i =>
                (IReadOnlyList<string>)[i.Id, i.Size, Cell(i.Dice, ""), Cell(i.Iou, ""), Cell(i.SMeasure, ""),
                    Cell(i.WeightedF, ""), Cell(i.Hd95, "px"), Cell(i.Missed, "n"), Cell(i.FalseAlarms, "n")])])]);
    }
}
