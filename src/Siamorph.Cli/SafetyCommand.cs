using System.CommandLine;
using Siamorph.Data;
using Siamorph.Data.Folders;
using Siamorph.Experiment.Safety;
using Siamorph.Reports;
using Siamorph.Siamese;
using Siamorph.Training;

namespace Siamorph.Cli;

/// <summary>`siamorph safety SYNTHETIC --data DATA --out FOLDER`.</summary>
internal static class SafetyCommand
{
    public static Command Create()
    {
        var synthetic = new Argument<string>("synthetic") { Description = "Folder of synthetic pairs." };
        var data = new Option<string>("--data", "-d")
        {
            Description = "Dataset folder of the real pairs, with splits; the model was trained on the split \"train\".",
            Required = true, HelpName = "folder",
        };
        var holdOut = new Option<string>("--hold-out")
        {
            Description = "Split that was not used in training.", DefaultValueFactory = _ => "test", HelpName = "name",
        };
        var run = new Option<string?>("--run", "-r")
        {
            Description = "Run folder of the model, for the membership test and the model card.", HelpName = "folder",
        };
        var unlabelled = new Option<string?>("--unlabelled")
        {
            Description = "Folder of images without masks that the model was trained on (default: the folder named in its run).",
            HelpName = "folder",
        };
        var outFolder = new Option<string>("--out", "-o")
        {
            Description = "Folder for the audit and the cards.", Required = true, HelpName = "folder",
        };
        var command = new Command("safety",
            "Checks whether synthetic pairs or the model reveal training images; writes a data card and a "
                + "model card.") { synthetic, data, holdOut, run, unlabelled, outFolder };
        var binder = new OptionsBinder<SafetyOptions>(new SafetyOptions(), o => o.Validate());
        return command.Runs(binder, (context, options) =>
        {
            var real = DatasetFolder.Read(context.Arguments.GetRequiredValue(data), context.Monitor);
            var set = new AuditedSet
            {
                Synthetic = DatasetFolder.Read(context.Get(synthetic)!, context.Monitor).Pairs,
                Trained = real.Of("train"),
                HoldOut = real.Of(context.Get(holdOut)!),
                Unlabelled = Unlabelled(context.Get(unlabelled), context.Get(run)) is { } folder
                    ? UnlabelledImages.Read(folder, real.Pairs, context.Monitor).Images : [],
                RunFolder = context.Get(run),
            };
            var report = SafetyAudit.Run(set, options, context.Monitor);
            foreach (var line in report.Sentences()) context.Out.WriteLine(line);
            context.Out.WriteLine(SafetyPages.Write(report, set, context.Arguments.GetRequiredValue(outFolder)));
            if (report.Alarm) context.ExitCode = 1;
        });
    }

    private static string? Unlabelled(string? given, string? run)
    {
        if (given is not null || run is null || new RunFolder(run).Options<TrainOptions>().Unlabelled is not { } named)
            return given;
        return Directory.Exists(named) ? named : throw new InvalidDatasetException(
            $"{named}: the images without masks that the model in {run} was trained on are missing. Give their folder with "
                + $"--unlabelled; without them the audit can't find copies of them.");
    }
}
