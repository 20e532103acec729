using System.CommandLine;
using Siamorph.Experiment;

namespace Siamorph.Cli;

/// <summary>`siamorph demo [FOLDER]`.</summary>
internal static class DemoCommand
{
    private const int MostProcesses = 4; // there are six networks to train

    public static Command Create()
    {
        var folder = new Argument<string>("folder")
        {
            Description = "Where to do it: a new folder, or that of a stopped run, which goes on.",
            DefaultValueFactory = _ => "siamorph-demo",
        };
        var quick = new Option<bool>("--quick") { Description = "Only shows that everything runs: seconds, useless networks." };
        var command = new Command("demo", "The whole loop on the built-in data set: train, synthesize, segment, report.") { folder, quick };
        return command.Runs(context =>
        {
            var target = context.Get(folder);
            context.GoOnWith = $"siamorph demo {target}{(context.Get(quick) ? " --quick" : "")}";
            var crew = context.Get(quick) ? null : ExperimentCrew.Of(Math.Clamp(Environment.ProcessorCount, 1, MostProcesses), context.Get(Verb.Threads), context.Monitor);
            Demo.Run(context.Get(quick) ? Demo.Quick : Demo.Full, target, context.Monitor, crew);
            ReportCommand.Render(context, target);
        });
    }
}
