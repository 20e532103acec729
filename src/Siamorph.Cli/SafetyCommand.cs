using System.CommandLine;
using Siamorph.Data;
using Siamorph.Experiment;
using Siamorph.Reports;

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
        var outFolder = new Option<string>("--out", "-o") { Description = "Where to write the audit and the cards.", Required = true, HelpName = "folder" };
        var command = new Command("safety", "Looks for training images in synthetic pairs and model; writes data card and model card.") { synthetic, data, holdOut, run, outFolder };
        var binder = new OptionsBinder<SafetyOptions>(new SafetyOptions(), o => o.Validate());
        return command.Runs(binder, (context, options) =>
        {
            var made = DatasetFolder.Read(context.Get(synthetic)).Pairs;
            var real = DatasetFolder.Read(context.Arguments.GetRequiredValue(data));
            var (trained, held) = (real.Of("train"), real.Of(context.Get(holdOut)!));
            var report = SafetyAudit.Run(context.Get(run), made, trained, held, options, context.Monitor);
            foreach (var line in report.Sentences()) context.Out.WriteLine(line);
            context.Out.WriteLine(SafetyPages.Write(report, made, trained, context.Get(run), context.Arguments.GetRequiredValue(outFolder)));
            if (report.Alarm) context.ExitCode = 1;
        });
    }
}
