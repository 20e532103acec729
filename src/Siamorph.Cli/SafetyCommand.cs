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
        var data = new Option<string>("--data", "-d") { Description = "Split folder of the real pairs: \"train\" was trained on.", Required = true, HelpName = "folder" };
        var holdOut = new Option<string>("--hold-out") { Description = "Split that had no part in training.", DefaultValueFactory = _ => "test", HelpName = "name" };
        var run = new Option<string?>("--run", "-r") { Description = "Run folder of the model, for the membership test and its card.", HelpName = "folder" };
        var unlabelled = new Option<string?>("--unlabelled") { Description = "Folder of images without masks that the model learned from (default: the one its run names).", HelpName = "folder" };
        var outFolder = new Option<string>("--out", "-o") { Description = "Where to write the audit and the cards.", Required = true, HelpName = "folder" };
        var command = new Command("safety", "Looks for training images in synthetic pairs and model; writes data card and model card.") { synthetic, data, holdOut, run, unlabelled, outFolder };
        var binder = new OptionsBinder<SafetyOptions>(new SafetyOptions(), o => o.Validate());
        return command.Runs(binder, (context, options) =>
        {
            var real = DatasetFolder.Read(context.Arguments.GetRequiredValue(data), context.Monitor);
            var set = new AuditedSet
            {
                Synthetic = DatasetFolder.Read(context.Get(synthetic)!, context.Monitor).Pairs,
                Trained = real.Of("train"),
                HoldOut = real.Of(context.Get(holdOut)!),
                Unlabelled = Unlabelled(context.Get(unlabelled), context.Get(run)) is { } folder ? UnlabelledImages.Read(folder, real.Pairs, context.Monitor).Images : [],
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
        if (given is not null || run is null || new RunFolder(run).Options<TrainOptions>().Unlabelled is not { } named) return given;
        return Directory.Exists(named) ? named : throw new InvalidDatasetException(
            $"{named}: the images without masks that the model in {run} learned from are not there. Name their folder by --unlabelled: without them the audit would be blind to copies of them.");
    }
}
