using System.CommandLine;
using Siamorph.Studio.Jobs;

namespace Siamorph.Cli;

/// <summary>`siamorph job run FOLDER`: what the Studio starts for every job. Not shown in the help.</summary>
internal static class JobCommand
{
    public static Command Create()
    {
        var folder = new Argument<string>("folder") { Description = "Folder of a job below .studio/jobs." };
        var run = new Command("run", "Runs a job of the Studio.") { folder };
        run.Runs(context => context.ExitCode =
            JobWorker.Run(context.Get(folder), (arguments, stop) => Application.Run(Program.Verbs(), arguments, new()
        {
            Output = Console.Out, Error = Console.Error, Cancellation = stop, FailureFolder = CrashReport.DefaultFolder,
        })));
        return new Command("job", "Runs jobs of the Studio.") { run }.Hide();
    }

    private static Command Hide(this Command command)
    {
        command.Hidden = true;
        return command;
    }
}
