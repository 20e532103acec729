using System.CommandLine;
using Siamorph.Experiment;

namespace Siamorph.Cli;

/// <summary>`siamorph demo [FOLDER]`.</summary>
internal static class DemoCommand
{
    // There are six networks to train, and few threads help such small ones
    private const int FewestOfMany = 4, MostProcesses = 6;

    public static Command Create()
    {
        var folder = new Argument<string>("folder")
        {
            Description = "Folder to write: a new folder, or the folder of a stopped demo to continue.",
            DefaultValueFactory = _ => "siamorph-demo",
        };
        var quick = new Option<bool>("--quick")
        {
            Description = "Only checks that everything runs: it takes seconds, and the networks learn nothing useful.",
        };
        var seed = new NumberOption<ulong?>("--seed")
        {
            Description = "Other patients and other networks; the demo's own where it is not given.", HelpName = "n",
        };
        var command = new Command("demo", "Runs the whole loop on the built-in dataset: train, synthesize, segment, report.")
        {
            folder, quick, seed,
        };
        return command.Runs(context =>
        {
            var (target, isQuick, other) = (context.Get(folder), context.Get(quick), context.Get(seed));
            var plan = isQuick ? Demo.Quick : Demo.Full;
            if (other is { } master) plan = plan.With(master);
            context.GoOnWith = $"siamorph demo {target}{(isQuick ? " --quick" : "")}{(other is null ? "" : $" --seed {other}")}";
            var crew = isQuick ? null
                : WorkerProcesses.Of(Processes(Environment.ProcessorCount), context.Get(Verb.Threads), context.Monitor);
            Demo.Run(plan, target, context.Monitor, crew);
            ReportCommand.Render(context, target);
        });
    }

    /// <summary>As many as leave no core idle when the cores are shared evenly, or as few as may be.</summary>
    internal static int Processes(int cores)
        => cores <= FewestOfMany ? cores
        : Enumerable.Range(FewestOfMany, MostProcesses - FewestOfMany + 1).Where(n => n <= cores).MaxBy(n => (cores / n * n, n));
}
