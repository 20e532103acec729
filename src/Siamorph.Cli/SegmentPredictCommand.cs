using System.CommandLine;
using Siamorph.Segmentation;

namespace Siamorph.Cli;

/// <summary>`siamorph segment predict RUN PICTURES… --out FOLDER`.</summary>
internal static class SegmentPredictCommand
{
    public static Command Create()
    {
        var run = new Argument<string>("run") { Description = "Run folder of \"segment train\"." };
        var inputs = new Argument<string[]>("pictures")
        {
            Description = "Image files, folders of images, or dataset folders.",
            Arity = ArgumentArity.OneOrMore,
        };
        var output = new Option<string>("--out")
        {
            Description = "Folder for masks, probability maps and overlays.", HelpName = "folder", Required = true,
        };
        var split = new Option<string?>("--split")
        {
            Description = "Split of a dataset folder to predict, such as test (default: all pairs).", HelpName = "name",
        };
        var device = DeviceFlag.Create();
        var command = new Command("predict", "Segments images of any size.") { run, inputs, output, split, device };
        return command.Runs(context =>
        {
            using var predictor = Predictor.Load(context.Get(run), Placement.On(context.Get(device)));
            var folder = context.Get(output)!;
            var count = PredictionFolder.Write(predictor, context.Get(inputs), folder, context.Monitor, context.Get(split));
            context.Out.WriteLine(
                $"{count} images segmented; masks, probability maps and overlays are in {Path.GetFullPath(folder)}.");
        });
    }
}
