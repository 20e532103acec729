using System.CommandLine;
using Siamorph.Experiment;
using Siamorph.Experiment.Scheduling;
using Siamorph.Training;

namespace Siamorph.Cli;

/// <summary>`siamorph experiment plan DATA --out FOLDER`: the stages, for programs that run them elsewhere.</summary>
internal static class ExperimentPlanCommand
{
    public static Command Create()
    {
        var data = new Argument<string?>("data")
        {
            Description = "Folder of images and masks; optional if the --options file names it.", Arity = ArgumentArity.ZeroOrOne,
        };
        var folder = new Option<string>("--out", "-o")
        {
            Description = "Folder of the experiment; options.json and plan.json are written there.", Required = true,
            HelpName = "folder",
        };
        var json = new Option<bool>("--json") { Description = "Prints plan.json." };
        var command = new Command("plan",
            "Plans an experiment without running it; \"experiment stage\" then runs one stage at a time, on any machine.") { data,
            folder, json };
        return command.Runs(ExperimentCommand.Binder(), (context, options) =>
        {
            if (context.Arguments.GetValue(data) is { } given) options = options with { Data = given };
            var target = context.Arguments.GetRequiredValue(folder);
            var plan = ExperimentRunner.Plan(options, target, context.Monitor);
            if (context.Get(json)) context.Out.WriteLine(OptionsFile.ToJson(plan));
            else context.Out.WriteLine($"{plan.Count} stages: {Path.GetFullPath(Path.Combine(target, PlannedWork.FileName))}");
        });
    }
}
