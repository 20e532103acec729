using System.CommandLine;
using Siamorph.Experiment;

namespace Siamorph.Cli;

/// <summary>`siamorph experiment stage FOLDER STAGE`: runs one stage of a plan.</summary>
internal static class ExperimentStageCommand
{
    public static Command Create()
    {
        var folder = new Argument<string>("folder") { Description = "Folder of an experiment that was planned or started." };
        var stage = new Argument<string>("stage") { Description = "Name of the stage, as in plan.json." };
        var command = new Command("stage", "Runs one stage of an experiment unless it is done; the stages it needs must be done.")
        {
            folder, stage,
        };
        return command.Runs(context =>
        {
            var (where, name) = (context.Get(folder), context.Get(stage));
            context.GoOnWith = $"siamorph experiment stage {where} {name}";
            context.Out.WriteLine(ExperimentRunner.RunOne(where, name, context.Monitor) ? $"{name}: done."
                : $"{name}: already done.");
        });
    }
}
