using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Siamorph.Evaluation.Masks;
using Siamorph.Imaging;
using Siamorph.Segmentation;
using Siamorph.Training;

namespace Siamorph.Cli;

/// <summary>
/// `siamorph segment evaluate --truth FOLDER --predictions FOLDER`, or `--model RUN`, also on corrupted images.
/// </summary>
internal static class SegmentEvaluateCommand
{
    public static Command Create()
    {
        var truth = new Option<string>("--truth")
        {
            Description = "Dataset folder, or folder of masks.", HelpName = "folder", Required = true,
        };
        var predictions = new Option<string?>("--predictions")
        {
            Description =
                "Folder of predictions with the same file names as the masks: output of \"segment predict\", or grey images.",
            HelpName = "folder",
        };
        var model = new Option<string?>("--model")
        {
            Description = "Run folder of \"segment train\"; its network predicts the test split (or all pairs) of --truth at its "
                + "own image size.",
            HelpName = "folder",
        };
        var corruptions = new Option<string?>("--corruptions")
        {
            Description = $"Also scores --model on corrupted images at {Corruption.Strengths} strengths: \"all\", or a list of "
                + $"{string.Join(", ", Corruption.Kinds.Select(Name))}.",
            HelpName = "a,b,…",
        };
        var seed = new NumberOption<ulong>("--seed") { Description = "Seed of the random corruptions.", HelpName = "n" };
        var device = DeviceFlag.Create();
        var json = new Option<bool>("--json")
        {
            Description = "Prints one JSON object with the scores of every image instead of the table.",
        };
        var output = new Option<string?>("--out") { Description = "File for that JSON object.", HelpName = "file" };
        var command = new Command("evaluate", "Scores predictions with Dice and IoU, at threshold 0.5 and over 256 thresholds.")
        {
            truth, predictions, model, corruptions, seed, device, json, output,
        };
        return command.Runs(context =>
        {
            if ((context.Get(predictions) is null) == (context.Get(model) is null))
                throw new InvalidOptionsException("Give either --predictions or --model.");
            if (context.Get(model) is { } run)
            {
                var tested = RobustnessEvaluator.Evaluate(run, context.Get(truth)!, Kinds(context.Get(corruptions)),
                    new Seed(context.Get(seed)), context.Monitor, context.Get(device));
                if (context.Get(output) is { } target) OptionsFile.Save(target, tested);
                if (context.Get(json)) context.Out.WriteLine(OptionsFile.ToJson(tested));
                else foreach (var line in Table(tested)) context.Out.WriteLine(line);
                return;
            }
            if (context.Get(corruptions) is not null)
                throw new InvalidOptionsException("--corruptions needs --model: only a network can predict corrupted images.");
            var scores = SegmentationEvaluator.Evaluate(context.Get(truth)!, context.Get(predictions)!, context.Monitor);
            if (context.Get(output) is { } file) OptionsFile.Save(file, scores);
            if (context.Get(json)) context.Out.WriteLine(OptionsFile.ToJson(scores));
            else foreach (var line in Table(scores)) context.Out.WriteLine(line);
        });
    }

    private static string Name(CorruptionKind kind) => JsonNamingPolicy.CamelCase.ConvertName(kind.ToString());

    private static IReadOnlyList<CorruptionKind> Kinds(string? names) => names switch
    {
        null => [],
        "all" => Corruption.Kinds,
        _ => [.. names.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(n => Corruption.Kinds
            .Where(k => Name(k).Equals(n, StringComparison.OrdinalIgnoreCase)).Cast<CorruptionKind?>().FirstOrDefault()
            ?? throw new InvalidOptionsException(
                $"--corruptions {n}: expected all, or a list of {string.Join(", ", Corruption.Kinds.Select(Name))}."))],
    };

    private static IEnumerable<string> Table(RobustnessScores scores)
    {
        foreach (var line in Table(scores.Clean)) yield return line;
        if (scores.Conditions.Count == 0) yield break;
        static string Cell(double value) => value.ToString("0.0000", CultureInfo.InvariantCulture);
        yield return "";
        yield return $"{"Dice at 0.5",-14} {"clean",8} {"strength 1",10} {"2",8} {"3",8}";
        foreach (var kind in scores.Conditions.GroupBy(c => c.Corruption))
            yield return $"{Name(kind.Key),-14} {Cell(scores.Clean.Dice),8} {Cell(kind.ElementAt(0).Dice),10} "
                + $"{Cell(kind.ElementAt(1).Dice),8} {Cell(kind.ElementAt(2).Dice),8}";
        yield return $"Mean over all corruptions and strengths: {Cell(scores.Conditions.Average(c => c.Dice))}";
    }

    private static IEnumerable<string> Table(MaskScores scores)
    {
        static string Cell(double? value) => value is { } v ? v.ToString("0.0000", CultureInfo.InvariantCulture) : "";
        static string Row(string name, double? half, double? mean, double? max) =>
            $"{name,-12} {Cell(half),8} {Cell(mean),8} {Cell(max),8}";
        yield return $"{scores.Count} images, {scores.EmptyTruths} without a lesion";
        yield return $"{"",-12} {"at 0.5",8} {"mean",8} {"max",8}   (mean, max: 256 thresholds)";
        yield return Row("Dice", scores.Dice, scores.MeanDice, scores.MaxDice);
        yield return Row("IoU", scores.Iou, scores.MeanIou, scores.MaxIou);
        yield return Row("Sensitivity", scores.Recall, scores.MeanSensitivity, scores.MaxSensitivity);
        yield return Row("Specificity", null, scores.MeanSpecificity, scores.MaxSpecificity);
        yield return Row("Precision", scores.Precision, null, null);
        yield return Row("E-measure", null, scores.MeanEMeasure, scores.MaxEMeasure);
        yield return $"{"MAE",-12} {Cell(scores.Mae),8}";
        if (scores.EmptyTruths > 0)
            yield return "Without a lesion, an image scores 1 at 0.5 where nothing is claimed, else 0; over thresholds it always "
                + "scores 0.";
    }
}
