using System.Diagnostics;
using System.Globalization;
using Siamorph.Experiment.Scheduling;
using TorchSharp;

namespace Siamorph.Cli;

/// <summary>
/// Starts this program again, several times, to run stages of an experiment side by side. A member stops after its step when
/// its standard input ends, which also happens when the leader ends without a word.
/// </summary>
internal sealed class WorkerProcesses : IDisposable
{
    // A step of the largest networks can take minutes; what is lost beyond that is what follows the last checkpoint.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly List<Process> _members = [];
    private readonly IMonitor _monitor;
    private volatile bool _ending;

    private WorkerProcesses(IMonitor monitor) => _monitor = monitor;

    /// <summary>Shares the threads of this process among <paramref name="size"/>; null where one is all that is wanted.</summary>
    /// <param name="size">Processes, this one included.</param>
    /// <param name="threads">Threads of each; null divides those of this process.</param>
    /// <param name="monitor">Told of members that end too early.</param>
    public static WorkerPool? Of(int size, int? threads, IMonitor monitor)
    {
        if (size is < 1 or > 64) throw new InvalidOptionsException($"--jobs {size}: give a number from 1 to 64.");
        if (size == 1) return null;
        var each = threads ?? Math.Max(1, torch.get_num_threads() / size);
        torch.set_num_threads(each);
        return new WorkerPool(size, folder =>
        {
            var crew = new WorkerProcesses(monitor);
            for (var i = 1; i < size; i++) crew.Add(folder, each);
            return crew;
        });
    }

    /// <summary>Stops when the leader's end of standard input is closed.</summary>
    public static CancellationTokenSource WithLeader(CancellationToken stop)
    {
        var source = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var ear = new Thread(() =>
        {
            using var input = Console.OpenStandardInput();
            while (input.ReadByte() >= 0) { }
            source.Cancel();
        })
        { IsBackground = true };
        ear.Start();
        return source;
    }

    public void Dispose()
    {
        _ending = true;
        foreach (var member in _members) member.StandardInput.Close();
        foreach (var member in _members)
        {
            if (!member.WaitForExit(Patience)) member.Kill(entireProcessTree: true);
            member.Dispose();
        }
    }

    private void Add(string folder, int threads)
    {
        var start = new ProcessStartInfo(ThisProgram.Words[0])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        string[] words = [.. ThisProgram.Words.Skip(1), "experiment", "assist", folder, "--threads",
            threads.ToString(CultureInfo.InvariantCulture), .. Verb.KernelFlag];
        foreach (var word in words) start.ArgumentList.Add(word);
        var member = new Process { StartInfo = start, EnableRaisingEvents = true };
        var last = "";
        member.OutputDataReceived += (_, _) => { };
        member.ErrorDataReceived += (_, line) => last = line.Data ?? last;
        member.Exited += (_, _) =>
        {
            if (!_ending && member.ExitCode != 0)
                _monitor.Note($"A worker process ended ({last}); the remaining processes take over its work.");
        };
        member.Start();
        member.BeginOutputReadLine();
        member.BeginErrorReadLine();
        _members.Add(member);
    }
}
