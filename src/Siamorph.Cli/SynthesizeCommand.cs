using System.CommandLine;
using Siamorph.Data.Folders;
using Siamorph.Synthesis;

namespace Siamorph.Cli;

/// <summary>`siamorph synthesize RUN --masks DATA --out FOLDER`.</summary>
internal static class SynthesizeCommand
{
    public static Command Create()
    {
        var run = new Argument<string>("run") { Description = "Run folder that `train` wrote, or weights of the whole sd15 model, such as the authors' checkpoint." };
        var masks = new Option<string>("--masks", "-m") { Description = "Folder of pairs (or of masks alone) to draw from.", Required = true, HelpName = "folder" };
        var split = new Option<string?>("--split") { Description = "Uses the masks of this split only: train, val or test.", HelpName = "name" };
        var outFolder = new Option<string>("--out", "-o") { Description = "Dataset folder to write.", Required = true, HelpName = "folder" };
        var command = new Command("synthesize", "Draws synthetic pairs from masks with a trained model.") { run, masks, split, outFolder };
        var binder = new OptionsBinder<SynthesisOptions>(new SynthesisOptions(), o => o.Validate()).Show(
            "--images-per-mask", "--count", "--shapes", "--seed", "--prompt", "--start", "--strength", "--image-weight", "--sampler", "--steps", "--guidance",
            "--deformation-flip", "--deformation-rotation", "--deformation-scale", "--deformation-elastic", "--batch-size", "--device", "--precision");
        return command.Runs(binder, (context, options) =>
        {
            var (model, source, target) = (context.Get(run), context.Arguments.GetRequiredValue(masks), context.Arguments.GetRequiredValue(outFolder));
            var pairs = MaskFolder.Read(source, context.Monitor).Where(p => context.Get(split) is not { } wanted || p.Split == wanted).ToList();
            context.GoOnWith = $"the same command; finished pairs in {target} are kept";
            var dataset = Synthesizer.Run(model, pairs, options, target, context.Monitor);
            context.Out.WriteLine($"Drew {dataset.Pairs.Count} pairs: {dataset.Folder}");
        });
    }
}
