using System.CommandLine;
using System.Globalization;
using Siamorph.Evaluation;
using Siamorph.Segmentation;
using Siamorph.Training;

namespace Siamorph.Cli;

/// <summary>`siamorph segment evaluate --truth FOLDER --predictions FOLDER`.</summary>
internal static class SegmentEvaluateCommand
{
    public static Command Create()
    {
        var truth = new Option<string>("--truth") { Description = "Dataset folder, or folder of masks.", HelpName = "folder", Required = true };
        var predictions = new Option<string>("--predictions")
        {
            Description = "Folder of predictions named as their truth: of \"segment predict\", or grey pictures.",
            HelpName = "folder",
            Required = true,
        };
        var json = new Option<bool>("--json") { Description = "Prints one JSON object, each image included, instead of the table." };
        var output = new Option<string?>("--out") { Description = "File for that JSON object.", HelpName = "file" };
        var command = new Command("evaluate", "Scores predictions: Dice and IoU at 0.5 and over 256 thresholds.") { truth, predictions, json, output };
        return command.Runs(context =>
        {
            var scores = SegmentationEvaluator.Evaluate(context.Get(truth)!, context.Get(predictions)!, context.Monitor);
            if (context.Get(output) is { } file) OptionsFile.Save(file, scores);
            if (context.Get(json)) context.Out.WriteLine(OptionsFile.ToJson(scores));
            else foreach (var line in Table(scores)) context.Out.WriteLine(line);
        });
    }

    private static IEnumerable<string> Table(MaskScores scores)
    {
        static string Cell(double? value) => value is { } v ? v.ToString("0.0000", CultureInfo.InvariantCulture) : "";
        static string Row(string name, double? half, double? mean, double? max) => $"{name,-12} {Cell(half),8} {Cell(mean),8} {Cell(max),8}";
        yield return $"{scores.Count} images, {scores.EmptyTruths} of them without a lesion";
        yield return $"{"",-12} {"at 0.5",8} {"mean",8} {"max",8}   (mean, max: 256 thresholds)";
        yield return Row("Dice", scores.Dice, scores.MeanDice, scores.MaxDice);
        yield return Row("IoU", scores.Iou, scores.MeanIou, scores.MaxIou);
        yield return Row("Sensitivity", scores.Recall, scores.MeanSensitivity, scores.MaxSensitivity);
        yield return Row("Specificity", null, scores.MeanSpecificity, scores.MaxSpecificity);
        yield return Row("Precision", scores.Precision, null, null);
        yield return Row("E-measure", null, scores.MeanEMeasure, scores.MaxEMeasure);
        yield return $"{"MAE",-12} {Cell(scores.Mae),8}";
        if (scores.EmptyTruths > 0)
            yield return "Without a lesion, an image scores 1 at 0.5 where nothing is claimed, else 0; over thresholds it always scores 0.";
    }
}
