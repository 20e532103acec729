using System.CommandLine;
using Siamorph.Experiment;

namespace Siamorph.Cli;

/// <summary>`siamorph experiment collect FOLDER`: the result of stages that were run elsewhere.</summary>
internal static class ExperimentCollectCommand
{
    public static Command Create()
    {
        var folder = new Argument<string>("folder") { Description = "Folder of an experiment whose stages are all done." };
        var command = new Command("collect",
            "Writes results.json and the report once all stages are done; runs no stage.") { folder };
        return command.Runs(context =>
        {
            ExperimentRunner.Collect(context.Get(folder), context.Monitor);
            ReportCommand.Render(context, context.Get(folder));
        });
    }
}
