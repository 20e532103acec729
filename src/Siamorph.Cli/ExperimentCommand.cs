using System.CommandLine;
using Siamorph.Cli.Slurm;
using Siamorph.Experiment;
using Siamorph.Experiment.Scheduling;
using Siamorph.Imaging;
using Siamorph.Segmentation;
using Siamorph.Siamese;
using Siamorph.Training;

namespace Siamorph.Cli;

/// <summary>`siamorph experiment DATA --out FOLDER`.</summary>
internal static class ExperimentCommand
{
    public static Command Create()
    {
        var data = new Argument<string?>("data")
        {
            Description = "Folder of images and masks; optional if the --options file names it.", Arity = ArgumentArity.ZeroOrOne,
        };
        var folder = new Option<string>("--out", "-o")
        {
            Description = "Folder of the experiment; the same command continues a stopped experiment.", Required = true,
            HelpName = "folder",
        };
        var jobs = new NumberOption<int?>("--jobs")
        {
            Description = $"Stages to run in parallel, each in its own process with its share of the threads; --threads applies "
                + $"to each process (default here: {DefaultJobs}).", HelpName = "n",
        };
        var executor = new Option<string>("--executor")
        {
            Description = "Where the stages run: on this machine, or as Slurm jobs.", HelpName = "local|slurm",
            DefaultValueFactory = _ => "local",
        };
        var slurm = new Option<string?>("--slurm-options")
        {
            Description = "Options for sbatch, such as \"--partition=gpu --time=4:00:00\".", HelpName = "text",
        };
        var command = new Command("experiment", "Measures whether synthetic pairs help segmentation on a dataset.")
        {
            data, folder, jobs, executor, slurm, ExperimentInitCommand.Create(), ExperimentPlanCommand.Create(),
            ExperimentStageCommand.Create(), ExperimentCollectCommand.Create(),
            ExperimentAssistCommand.Create(),
        };
        var binder = Binder();
        binder.AddTo(command);
        binder.DryRun.Description =
            "Prints the resolved options as JSON, the trainings and how long they would take on this machine, and stops.";
        return command.Runs(context =>
        {
            var options = binder.Resolve(context.Arguments);
            if (context.Arguments.GetValue(data) is { } given) options = options with { Data = given };
            if (IsSlurm(context.Get(executor)!, context.Get(slurm), context.Get(jobs)) && !context.Get(binder.DryRun))
            {
                RunBySlurm(context, options, context.Arguments.GetRequiredValue(folder), context.Get(slurm));
                return;
            }
            var crew = WorkerProcesses.Of(context.Get(jobs) ?? DefaultJobs, context.Get(Verb.Threads), context.Monitor);
            if (context.Get(binder.DryRun)) Preview(context, options, crew);
            else Run(context, options, context.Arguments.GetRequiredValue(folder), crew);
        });
    }

    /// <summary>An experiment's options, for this verb and those that only plan it.</summary>
    public static OptionsBinder<ExperimentOptions> Binder() => new OptionsBinder<ExperimentOptions>(
        Presets.ForExperiments.ToDictionary(p => p.Key, p => Of(p.Value)), o => (o with
        {
            Data = ".",
        }).Validate(), nameof(ExperimentOptions.Data)).Show(
        "--real-counts", "--seeds", "--seed-scope", "--arms", "--synthetic-per-real", "--external-test", "--other-networks",
        "--corruptions", "--device",
        "--generator-image-size", "--generator-base-steps", "--generator-siamese-steps", "--generator-unlabelled",
        "--synthesis-guidance",
        "--segmentation-network-name", "--segmentation-steps");

    // Small networks gain little from more than a few threads.
    private static int DefaultJobs => Math.Clamp(Environment.ProcessorCount / 4, 1, 8);

    private static bool IsSlurm(string executor, string? slurmOptions, int? jobs) => executor switch
    {
        "slurm" when jobs is not null =>
            throw new InvalidOptionsException(
                "--jobs works with --executor local only. With Slurm every stage is a job, and Slurm decides how many "
                    + "run at once."),
        "slurm" => true,
        "local" when slurmOptions is not null => throw new InvalidOptionsException("--slurm-options needs --executor slurm."),
        "local" => false,
        _ => throw new InvalidOptionsException($"--executor {executor}: use local or slurm."),
    };

    private static void RunBySlurm(VerbContext context, ExperimentOptions options, string target, string? slurmOptions)
    {
        var settings = new SlurmSettings
        {
            Program = ThisProgram.Words, Threads = context.Get(Verb.Threads), Options = SlurmSettings.Split(slurmOptions),
        };
        context.GoOnWith = $"the same command; submitted jobs continue without it, \"scancel --name="
            + $"{SlurmSubmission.JobName(target)}\" ends them";
        new SlurmSubmission(new SlurmClient(), settings, target, context.Monitor)
            .Run(ExperimentRunner.Plan(options, target, context.Monitor));
        ExperimentRunner.Collect(target, context.Monitor);
        ReportCommand.Render(context, target);
    }

    private static void Preview(VerbContext context, ExperimentOptions options, WorkerPool? crew)
    {
        context.Out.WriteLine(OptionsFile.ToJson(options)); // alone on this stream: it may become the next --options
        foreach (var line in ExperimentRunner.Preview(options, context.Monitor, crew?.Size ?? 1)) context.Monitor.Note(line);
    }

    private static void Run(VerbContext context, ExperimentOptions options, string target, WorkerPool? crew)
    {
        context.GoOnWith = "the same command; what is finished is kept";
        ExperimentRunner.Run(options, target, context.Monitor, crew);
        ReportCommand.Render(context, target);
    }

    private static ExperimentOptions Of(TrainOptions generator) => new()
    {
        Generator = generator,
        Segmentation = SegmentationOptions.ForExperiments with
        {
            ImageSize = new ImageSize(generator.ImageSize, generator.ImageSize),
        },
    };
}
