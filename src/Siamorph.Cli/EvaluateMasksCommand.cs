using System.CommandLine;
using Siamorph.Evaluation.Masks;
using Siamorph.Reports;
using Siamorph.Training;

namespace Siamorph.Cli;

/// <summary>`siamorph evaluate masks --truth FOLDER --predictions FOLDER`.</summary>
internal static class EvaluateMasksCommand
{
    private const int Worst = 5;

    public static Command Create()
    {
        var truth = new Option<string>("--truth")
        {
            Description = "Dataset folder, or folder of masks.", HelpName = "folder", Required = true,
        };
        var predictions = new Option<string>("--predictions")
        {
            Description =
                "Folder of predictions with the same file names as the masks: output of \"segment predict\", or grey images.",
            HelpName = "folder",
            Required = true,
        };
        var json = new Option<bool>("--json")
        {
            Description = "Prints one JSON object with the scores of every image instead of the table.",
        };
        var output = new Option<string?>("--out")
        {
            Description = "Folder for evaluation.html and results.json.", HelpName = "folder",
        };
        var binder = new OptionsBinder<MaskEvaluationOptions>(new MaskEvaluationOptions(), o => o.Validate());
        var command = new Command("masks",
            "Scores predicted masks with all metrics: overlap, boundary and lesion detection, by group and by "
                + "lesion size.") { truth, predictions, json, output };
        return command.Runs(binder, (context, options) =>
        {
            DatasetNote.Of(context.Get(truth)!, context.Monitor);
            var result = MaskEvaluationReport.Run(context.Get(truth)!, context.Get(predictions)!, options, context.Get(output),
                context.Monitor);
            if (context.Get(json)) context.Out.WriteLine(OptionsFile.ToJson(result));
            else foreach (var line in Lines(result)) context.Out.WriteLine(line);
            if (context.Get(output) is { } folder && !context.Get(json))
                context.Out.WriteLine($"\nPage: {Path.Combine(folder, "evaluation.html")}");
        });
    }

    private static IEnumerable<string> Lines(MaskEvaluation result)
    {
        IReadOnlyList<MaskSummary> sets = [result.All, .. result.Classes, .. result.Sizes];
        static string Column(string text) => $" {text,12}";
        yield return result.Protocol;
        yield return $"{"",-24}{string.Concat(sets.Select(s => Column(s.Name.Split(' ')[0])))}";
        yield return $"{"images",-24}{string.Concat(sets.Select(s => Column($"{s.Count}")))}";
        foreach (var (name, value, unit) in MaskEvaluationReport.Rows(result))
            yield return $"{name,-24}{string.Concat(sets.Select(s => Column(MaskEvaluationReport.Cell(value(s), unit))))}";
        yield return "";
        yield return $"Sizes: {string.Join(", ", result.Options.Sizes.Names)}.";
        yield return result.EmptyMasks;
        yield return result.DetectionRule;
        if (result.ClassRule is { } rule) yield return rule;
        foreach (var group in result.Groups)
            yield return $"Group {group.Name}: {group.Count} images, Dice {MaskEvaluationReport.Cell(group.Dice, "")}";
        yield return "Worst: "
            + string.Join(", ", result.Images.Take(Worst).Select(i => $"{i.Id} {MaskEvaluationReport.Cell(i.Dice, "")}"));
    }
}
