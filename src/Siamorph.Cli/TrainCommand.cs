using System.CommandLine;
using System.Globalization;
using Siamorph.Data;
using Siamorph.Data.Checks;
using Siamorph.Data.Folders;
using Siamorph.Siamese;
using Siamorph.Training;

namespace Siamorph.Cli;

/// <summary>`siamorph train DATA --out RUN`.</summary>
internal static class TrainCommand
{
    public static Command Create()
    {
        var data = new Argument<string>("data") { Description = "Folder of images and masks." };
        var outFolder = new Option<string>("--out", "-o")
        {
            Description = "Run folder to write.", Required = true, HelpName = "folder",
        };
        var resume = new Option<bool>("--resume") { Description = "Continues the run in --out with its original options." };
        var command = new Command("train", "Trains Siamese-Diffusion on image-mask pairs.") { data, outFolder, resume };
        var binder = new OptionsBinder<TrainOptions>(Presets.All, o => o.Validate()).Show(
            "--image-size", "--base-steps", "--base-batch-size", "--siamese-steps", "--siamese-batch-size",
            "--siamese-learning-rate", "--unlabelled",
            "--initial-weights", "--codec-weights", "--base-weights", "--tokenizer", "--lora-rank", "--precision",
            "--optimizer-state", "--preview-every", "--checkpoint-every", "--device", "--seed");
        return command.Runs(binder, (context, options) =>
        {
            var (source, run) = (context.Get(data), context.Arguments.GetRequiredValue(outFolder));
            // A run goes on from anywhere
            if (options.Unlabelled is { } named) options = options with { Unlabelled = Path.GetFullPath(named) };
            if (options.InitialWeights is { } weights) options = options with { InitialWeights = Path.GetFullPath(weights) };
            if (options.CodecWeights is { } codec) options = options with { CodecWeights = Path.GetFullPath(codec) };
            if (context.Get(resume)) options = Begun(run, options);
            var dataset = DatasetFolder.Read(source, context.Monitor);
            SplitLeaks.Refuse(dataset);
            var pairs = dataset.Of("train");
            using var loaded = options.Load(pairs, context.Monitor);
            var unlabelled = options.Unlabelled is { } more ? UnlabelledImages.Read(more, dataset.Pairs, context.Monitor) : null;
            context.GoOnWith = $"siamorph train {source} --out {run} --resume";
            var summary = SiameseTrainer.Run(options, loaded, run, context.Monitor, context.Get(resume), unlabelled, Ranks.Group);
            context.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"Trained {summary.BaseSteps} + {summary.SiameseSteps} steps in {summary.Seconds / 60:0.0} minutes: "
                    + $"{summary.RunFolder}"));
        });
    }

    private static TrainOptions Begun(string run, TrainOptions given)
    {
        var begun = new RunFolder(run).Options<TrainOptions>();
        string[] fitting = [OptionsFile.ToJson(begun), OptionsFile.ToJson(Presets.All.Values.First())];
        return fitting.Contains(OptionsFile.ToJson(given))
            ? begun
            : throw new InvalidOptionsException(
                $"--resume uses the options in {new RunFolder(run).OptionsPath}. Leave all other options out.");
    }
}
