using Siamorph.Experiment.Scheduling;

namespace Siamorph.Cli.Slurm;

/// <summary>
/// Submits the stages of an experiment and watches them. It may go away at any time: the jobs go on, the last one writes the
/// results, and the same command finds them again. No lock is relied on between nodes: a stage has one job, and Slurm runs a job
/// once.
/// </summary>
internal sealed class SlurmSubmission(SlurmClient slurm, SlurmSettings settings, string folder, IMonitor monitor)
{
    private readonly string _folder = Path.GetFullPath(folder);

    /// <summary>The name that all jobs of an experiment bear, for `scancel --name`.</summary>
    public static string JobName(string folder) =>
        $"siamorph-{Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)))}";

    /// <summary>Runs all that is not done and waits for it.</summary>
    /// <exception cref="SiamorphException">Slurm refuses, or a stage failed; the rest was waited for.</exception>
    /// <exception cref="OperationCanceledException">The user goes away; the jobs don't.</exception>
    public void Run(IReadOnlyList<PlannedWork> plan)
    {
        if (PlannedWork.Left(plan, _folder).Count == 0) return;
        Submit(plan);
        new SlurmWatch(slurm, settings, _folder, monitor).UntilDone(plan);
    }

    /// <summary>
    /// Hands over the stages that are neither done nor with Slurm already, and a last job that writes the results.
    /// </summary>
    public void Submit(IReadOnlyList<PlannedWork> plan)
    {
        using var alone = FolderLock.TakeTested(_folder);
        var jobs = new SlurmJobs(_folder);
        var known = slurm.Jobs() ?? throw new SiamorphException(
            "squeue does not answer, so it is unknown which stages are already running. Try again when Slurm is available.");
        bool IsLive(string stage) => jobs.Of(stage) is { } job && known.TryGetValue(job, out var state)
            && state != SlurmJobState.Ended;

        var left = PlannedWork.Left(plan, _folder);
        var live = left.Where(w => IsLive(w.Stage)).Select(w => jobs.Of(w.Stage)!).ToList();
        var arrays = new List<string>();
        foreach (var batch in SlurmBatch.Of([.. left.Where(w => !IsLive(w.Stage))], left.Select(w => w.Stage).ToHashSet()))
        {
            var id = Submit(batch.Stages[0], [.. batch.Stages.Select(StageCommand)], [.. batch.Needs.Select(n => jobs.Of(n)!)]);
            jobs.Add(id, batch.Stages);
            arrays.Add(id);
        }
        if (arrays.Count > 0 || !IsLive(SlurmJobs.Results))
        {
            // One of an earlier leader waits for less than there is now; it would only say that stages are missing.
            if (IsLive(SlurmJobs.Results)) slurm.Cancel(jobs.Of(SlurmJobs.Results)!);
            jobs.Add(Submit(SlurmJobs.Results, [[.. settings.Program, "experiment", "collect", _folder]], [.. arrays, .. live]),
                [SlurmJobs.Results]);
        }
        monitor.Note($"{left.Count - live.Count} stages submitted in {arrays.Count} job arrays"
            + $"{(live.Count > 0 ? $", {live.Count} are already queued or running" : "")}; logs in "
            + $"{Path.Combine(_folder, SlurmJobs.Folder)}.");
        monitor.Note($"You can stop this command: the jobs continue, and the same command finds them again. \"scancel --name="
            + $"{JobName(_folder)}\" ends them.");
    }

    private IReadOnlyList<string> StageCommand(string stage) =>
        [.. settings.Program, "experiment", "stage", _folder, stage, .. Verb.KernelFlag];

    private string Submit(string name, IReadOnlyList<IReadOnlyList<string>> commands, IReadOnlyList<string> after)
    {
        var script = Path.Combine(_folder, SlurmJobs.Folder, $"{name}.sh");
        AtomicFile.WriteText(script, SlurmScript.Of(commands));
        List<string> options =
        [
            "--parsable", "--requeue", "--open-mode=append", "--signal=B:TERM@120", "--kill-on-invalid-dep=yes",
            $"--array=0-{commands.Count - 1}",
            $"--job-name={JobName(_folder)}", $"--output={Path.Combine(_folder, SlurmJobs.Folder, "%A_%a.log")}",
        ];
        if (settings.Threads is { } threads) options.Add($"--cpus-per-task={threads}");
        if (after.Count > 0) options.Add($"--dependency=afterok:{string.Join(':', after)}");
        return slurm.Submit([.. options, .. settings.Options], script);
    }
}
