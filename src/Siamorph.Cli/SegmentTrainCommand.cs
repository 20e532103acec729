using System.CommandLine;
using System.Globalization;
using Siamorph.Reports;
using Siamorph.Segmentation;
using Siamorph.Segmentation.Networks;

namespace Siamorph.Cli;

/// <summary>`siamorph segment train DATASET --out RUN`.</summary>
internal static class SegmentTrainCommand
{
    /// <summary>What people change.</summary>
    public static readonly string[] Shown =
    [
        "--network-name", "--network-width", "--backbone", "--initial-weights", "--image-size", "--steps", "--batch-size",
        "--learning-rate", "--loss",
        "--synthetic-fraction", "--ema-decay", "--keep", "--validate-every", "--checkpoint-every", "--device", "--seed",
    ];

    public static Command Create()
    {
        var dataset = new Argument<string>("dataset") { Description = "Dataset folder with the splits train and val." };
        var output = new Option<string>("--out") { Description = "Run folder to write.", HelpName = "folder", Required = true };
        var synthetic = new Option<string[]>("--synthetic")
        {
            Description = "Folder of synthetic pairs to add to the training pairs; can be given several times.",
            HelpName = "folder",
        };
        var unlabelled = new Option<string?>("--unlabelled")
        {
            Description =
                "Folder of images without masks to train on as well (mean teacher); by default they are half of each batch.",
            HelpName = "folder",
        };
        var resume = new Option<bool>("--resume") { Description = "Continues the run in that folder." };
        var command = new Command("train", "Trains a segmentation network and keeps the weights with the best validation score.")
        {
            dataset, output, synthetic, unlabelled, resume,
        };
        var binder = new OptionsBinder<SegmentationOptions>(SegmentationRecipes.All, o => o.Validate(),
            nameof(NetworkConfig.ImageChannels), nameof(NetworkConfig.Classes))
            .Show(Shown);
        return command.Runs(binder, (context, options) =>
        {
            var (run, extra) = (context.Get(output)!, context.Get(synthetic) ?? []);
            var images = context.Get(unlabelled);
            var also = string.Concat(extra.Select(s => $" --synthetic {s}")) + (images is null ? "" : $" --unlabelled {images}");
            context.GoOnWith = $"siamorph segment train {context.Get(dataset)} --out {run}{also} --options "
                + $"{Path.Combine(run, "options.json")} --resume";
            var summary = SegmentationTrainer.Run(options, context.Get(dataset), extra, run, context.Monitor,
                context.Get(resume), images);
            context.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{(options.Keep == CheckpointSelection.Last ? "Validation" : "Best validation")} Dice "
                    + $"{summary.BestValidationDice:0.0000} after step {summary.BestStep} of {options.Steps} ("
                    + $"{summary.Seconds:0} s)."));
            context.Out.WriteLine(TrainingCurvePage.Sentence(summary));
            context.Out.WriteLine(TrainingCurvePage.Write(summary, run));
            context.Out.WriteLine(Path.GetFullPath(Path.Combine(run, Predictor.FileName)));
        });
    }
}
