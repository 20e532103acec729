using System.CommandLine;
using System.Globalization;
using Siamorph.Data;
using Siamorph.Imaging;
using Siamorph.Siamese;
using Siamorph.Training;

namespace Siamorph.Cli;

/// <summary>`siamorph train DATA --out RUN`.</summary>
internal static class TrainCommand
{
    public static Command Create()
    {
        var data = new Argument<string>("data") { Description = "Folder of images and masks." };
        var outFolder = new Option<string>("--out", "-o") { Description = "Run folder to write.", Required = true, HelpName = "folder" };
        var resume = new Option<bool>("--resume") { Description = "Goes on with the run in --out, with the options it began with." };
        var command = new Command("train", "Trains Siamese-Diffusion on image-mask pairs.") { data, outFolder, resume };
        var binder = new OptionsBinder<TrainOptions>(Presets.All, o => o.Validate());
        return command.Runs(binder, (context, options) =>
        {
            var (source, run) = (context.Get(data), context.Arguments.GetRequiredValue(outFolder));
            if (context.Get(resume)) options = new RunFolder(run).Options<TrainOptions>();
            var dataset = DatasetFolder.Read(source);
            var pairs = dataset.Pairs.Where(p => p.Split is null or "train").ToList();
            using var loaded = PairedDataset.Load(pairs, new ImageSize(options.ImageSize, options.ImageSize), context.Monitor);
            Announce(context, options, loaded);
            context.GoOnWith = $"siamorph train {source} --out {run} --resume";
            var summary = SiameseTrainer.Run(options, loaded, run, context.Monitor, context.Get(resume));
            context.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"Trained {summary.BaseSteps} + {summary.SiameseSteps} steps in {summary.Seconds / 60:0.0} minutes: {summary.RunFolder}"));
        });
    }

    private static void Announce(VerbContext context, TrainOptions options, PairedDataset data)
    {
        var (first, second) = SiameseTrainer.MeasureStepSeconds(options, data);
        var minutes = (first * options.Base.Steps + second * options.Siamese.Steps) / 60;
        context.Monitor.Note(string.Create(CultureInfo.InvariantCulture,
            $"Training on {data.Count} pairs at {options.ImageSize} px: {options.Base.Steps} base steps of {first:0.00} s, {options.Siamese.Steps} siamese steps of about {second:0.00} s: about {minutes:0} minutes here."));
    }
}
