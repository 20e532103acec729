namespace Siamorph.Studio.Jobs;

/// <summary>Runs a job in this process: `siamorph job run FOLDER`. It outlives the server that started it.</summary>
internal static class JobWorker
{
    private const int Stopped = 130;
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(250);

    /// <summary>Runs it, once its turn has come.</summary>
    /// <param name="folder">The job's folder.</param>
    /// <param name="run">Runs a command line until it ends or is asked to stop, and returns its exit code.</param>
    /// <returns>What <paramref name="run"/> returned.</returns>
    /// <exception cref="SiamorphException">The job runs already, or the folder is none.</exception>
    public static int Run(string folder, Func<string[], CancellationToken, int> run)
    {
        var job = new JobFolder(folder);
        if (!job.Exists) throw new SiamorphException($"{folder}: no job.json here. Jobs are made by the Studio.");
        using var own = FolderLock.Take(job.Path);
        using var slot = JobSlot.Take(System.IO.Path.GetDirectoryName(job.Path)!);
        if (slot is null) return 0; // another job was quicker; the queue starts this one again
        SystemCalls.Detach(job.ConsolePath);
        using var stop = new CancellationTokenSource();
        using var watch = new Timer(_ => Watch(job, stop), null, TimeSpan.Zero, Look);
        return Work(job, run, stop.Token);
    }

    private static int Work(JobFolder job, Func<string[], CancellationToken, int> run, CancellationToken stop)
    {
        var (file, resuming) = (job.Job, job.Status.Resuming);
        var running = new JobStatus(JobState.Running) { Started = DateTimeOffset.UtcNow, Resuming = resuming };
        job.Save(running);
        Directory.SetCurrentDirectory(file.WorkingFolder);
        var code = run([.. resuming ? file.Resume : file.Arguments, $"--progress={job.ProgressPath}"], stop);
        var state = code == 0 ? JobState.Done : code == Stopped || job.StopAsked ? JobState.Stopped : JobState.Failed;
        job.Save(running with { State = state, Ended = DateTimeOffset.UtcNow, ExitCode = code });
        return code;
    }

    private static void Watch(JobFolder job, CancellationTokenSource stop)
    {
        if (File.Exists(job.KillPath)) SystemCalls.KillGroup();
        if (!job.StopAsked || stop.IsCancellationRequested) return;
        try
        {
            stop.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // it ended by itself
        }
    }
}
