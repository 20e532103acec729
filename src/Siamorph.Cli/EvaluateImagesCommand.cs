using System.CommandLine;
using System.Globalization;
using Siamorph.Evaluation.ImageSets;
using Siamorph.Reports;
using Siamorph.Training;

namespace Siamorph.Cli;

/// <summary>`siamorph evaluate images --real FOLDER --synthetic FOLDER`.</summary>
internal static class EvaluateImagesCommand
{
    public static Command Create()
    {
        var real = new Option<string>("--real")
        {
            Description = "Folder of real images, with or without masks.", HelpName = "folder", Required = true,
        };
        var synthetic = new Option<string>("--synthetic")
        {
            Description = "Folder of synthetic images.", HelpName = "folder", Required = true,
        };
        var json = new Option<bool>("--json") { Description = "Prints one JSON object instead of the table." };
        var output = new Option<string?>("--out")
        {
            Description = "Folder for evaluation.html and results.json.", HelpName = "folder",
        };
        var binder = new OptionsBinder<ImageEvaluationOptions>(new ImageEvaluationOptions(), o => o.Validate());
        var command = new Command("images",
            "Compares synthetic images with real ones: FID, KID, precision, recall, LPIPS, radiomics, lesion shapes.") { real,
            synthetic, json, output };
        return command.Runs(binder, (context, options) =>
        {
            foreach (var set in new[] { real, synthetic }) DatasetNote.Of(context.Get(set)!, context.Monitor);
            var result = ImageSetReport.Run(context.Get(real)!, context.Get(synthetic)!, options, context.Get(output),
                context.Monitor);
            if (context.Get(json)) context.Out.WriteLine(OptionsFile.ToJson(result));
            else foreach (var line in Lines(result)) context.Out.WriteLine(line);
            if (context.Get(output) is { } folder && !context.Get(json))
                context.Out.WriteLine($"\nPage: {Path.Combine(folder, "evaluation.html")}");
        });
    }

    private static IEnumerable<string> Lines(ImageSetEvaluation result)
    {
        yield return $"{result.RealCount} real and {result.SyntheticCount} synthetic images";
        foreach (var network in result.Networks) yield return network;
        foreach (var m in result.Measures)
            yield return $"{m.Name,-34} {ImageSetReport.Cell(m.Value),12}   "
                + (m.Better == Better.Neither || m.Value is null ? ""
                    : m.Better == Better.Lower ? "lower is better; " : "higher is better; ") + m.Note;
        if (result.Morphology.Count > 0)
            yield return $"\n{"Lesions",-34} {"real",12} {"synthetic",12} {"Wasserstein",12} {"K-S",8}";
        foreach (var m in result.Morphology)
            yield return string.Create(CultureInfo.InvariantCulture,
                $"{m.Name,-34} {m.RealMedian,12:0.####} {m.SyntheticMedian,12:0.####} {m.Wasserstein,12:0.####} "
                    + $"{m.KolmogorovSmirnov,8:0.###}");
        yield return "";
        foreach (var s in result.Speeds)
            yield return string.Create(CultureInfo.InvariantCulture,
                $"{s.Name}: {s.Computed} computed, {s.Known} known, {s.Seconds:0.0} s");
    }
}
