using System.CommandLine;
using Siamorph.Experiment;

namespace Siamorph.Cli;

/// <summary>`siamorph experiment assist FOLDER`: what `--jobs` starts; nothing for people.</summary>
internal static class ExperimentAssistCommand
{
    public static Command Create()
    {
        var folder = new Argument<string>("folder") { Description = "Folder of an experiment that another process manages." };
        var command = new Command("assist", "Runs stages beside another process, until its standard input ends.") { folder };
        command.Hidden = true;
        return command.Runs(context =>
        {
            using var stop = WorkerProcesses.WithLeader(context.Monitor.Cancellation);
            ExperimentRunner.Assist(context.Get(folder), new Member(stop.Token));
        });
    }

    /// <summary>The leader shows the progress; this only hears when to stop.</summary>
    private sealed class Member(CancellationToken stop) : IMonitor
    {
        public CancellationToken Cancellation => stop;

        public IMonitoredStage Begin(string title, long total) => NullMonitor.Instance.Begin(title, total);

        public void Note(string line) { }
    }
}
