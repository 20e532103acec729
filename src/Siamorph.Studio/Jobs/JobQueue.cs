using System.Diagnostics;
using System.Globalization;

namespace Siamorph.Studio.Jobs;

/// <summary>
/// Starts the jobs that wait, one after another. What runs, runs without it: a server that is killed loses nothing.
/// </summary>
internal sealed class JobQueue(RootFolder root, IReadOnlyList<string> program) : IAsyncDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500), Patience = TimeSpan.FromSeconds(20);

    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private Task _work = Task.CompletedTask;
    private (string Id, long At)? _starting;

    /// <summary>How long a job has to have been asked to stop before it may be killed.</summary>
    public static TimeSpan KillAfter { get; } = TimeSpan.FromMinutes(2);

    public string Folder { get; } = System.IO.Path.Combine(root.State, "jobs");

    /// <summary>
    /// All jobs: those that run, then those that wait in their order, then those that have ended, the newest first.
    /// </summary>
    public IReadOnlyList<JobFolder> All
    {
        get
        {
            if (!Directory.Exists(Folder)) return [];
            var jobs = Directory.EnumerateDirectories(Folder).Where(f => !JobSlot.Is(f)).Select(f => new JobFolder(f))
                .Where(j => j.Exists)
                .Select(j => (Job: j, File: j.Job, j.Status.State)).ToList();
            return [.. jobs.Where(j => j.State == JobState.Running)
                .Concat(jobs.Where(j => j.State == JobState.Queued).OrderBy(j => j.File.Place))
                .Concat(jobs.Where(j => j.State is not (JobState.Running or JobState.Queued))
                .OrderByDescending(j => j.File.Created)).Select(j => j.Job)];
        }
    }

    /// <exception cref="StudioException">There is no such job.</exception>
    public JobFolder Find(string id)
    {
        var job = new JobFolder(System.IO.Path.Combine(Folder, id));
        return id.All(char.IsAsciiLetterOrDigit) && job.Exists ? job : throw StudioException.Missing("The job");
    }

    public JobFolder Add(JobFile file)
    {
        lock (_lock)
        {
            var id = string.Create(CultureInfo.InvariantCulture,
                $"{file.Created.UtcDateTime:yyyyMMddHHmmss}{Security.Sessions.Random()[..6]}");
            var job = new JobFolder(System.IO.Path.Combine(Folder, id));
            job.Save(new JobStatus(JobState.Queued));
            job.Save(file with { Place = All.Select(j => j.Job.Place).DefaultIfEmpty(0).Max() + 1 }); // last: it makes the job
            return job;
        }
    }

    /// <summary>Puts a waiting job before the one that waits before it.</summary>
    public void MoveUp(JobFolder job)
    {
        lock (_lock)
        {
            var waiting = All.Where(j => j.Status.State == JobState.Queued).ToList();
            var at = waiting.FindIndex(j => j.Id == job.Id);
            if (at < 1) return;
            var (own, before) = (job.Job, waiting[at - 1].Job);
            waiting[at - 1].Save(before with { Place = own.Place });
            job.Save(own with { Place = before.Place });
        }
    }

    /// <summary>Asks a job to stop after its step; one that waits does not begin.</summary>
    public void Stop(JobFolder job)
    {
        lock (_lock)
        {
            if (job.Status.State == JobState.Queued && _starting?.Id != job.Id) job.Save(new JobStatus(JobState.Stopped)
            {
                Ended = DateTimeOffset.UtcNow,
            });
            else if (!job.StopAsked) AtomicFile.WriteText(job.StopPath, "");
        }
    }

    /// <exception cref="StudioException">It was not asked to stop long enough ago.</exception>
    public static void Kill(JobFolder job)
    {
        if (job.StopAskedAt is not { } asked || DateTime.UtcNow - asked < KillAfter)
            throw new StudioException(409,
                $"Ask the job to stop first; it can be killed {KillAfter.TotalMinutes:0} minutes later.");
        AtomicFile.WriteText(job.KillPath, "");
    }

    /// <summary>Lets an ended job go on when its turn comes.</summary>
    /// <exception cref="StudioException">It has not ended, or is done.</exception>
    public void Resume(JobFolder job)
    {
        lock (_lock)
        {
            var status = job.Status;
            if (status.State is JobState.Running or JobState.Queued or JobState.Done)
                throw new StudioException(409, "There is nothing to resume.");
            foreach (var file in new[] { job.StopPath, job.KillPath }) File.Delete(file);
            job.Save(job.Job with { Place = All.Select(j => j.Job.Place).DefaultIfEmpty(0).Max() + 1 });
            job.Save(new JobStatus(JobState.Queued) { Resuming = status.Resuming || HasBegun(job) });
        }
    }

    /// <summary>Forgets an ended job; what it made stays.</summary>
    /// <exception cref="StudioException">It has not ended.</exception>
    public void Remove(JobFolder job)
    {
        lock (_lock)
        {
            if (job.Status.State is JobState.Running) throw new StudioException(409, "The job is at work. Stop it first.");
            Directory.Delete(job.Path, recursive: true);
        }
    }

    public void Begin() => _work = Task.Run(async () =>
    {
        using var timer = new PeriodicTimer(Look);
        while (await timer.WaitForNextTickAsync(_stop.Token))
        {
            try
            {
                Next();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or SiamorphException)
            {
                // a folder that can't be read now may be read at the next look
            }
        }
    });

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAny(_work);
        _stop.Dispose();
    }

    private void Next()
    {
        lock (_lock)
        {
            if (!Directory.Exists(Folder) || JobSlot.IsTaken(Folder)) return;
            if (_starting is { } starting && new JobFolder(System.IO.Path.Combine(Folder, starting.Id)) is { Exists: true } begun
                && begun.Status.State == JobState.Queued && Stopwatch.GetElapsedTime(starting.At) < Patience) return;
            _starting = null;
            if (All.FirstOrDefault(j => j.Status.State == JobState.Queued) is not { } job) return;
            _starting = (job.Id, Stopwatch.GetTimestamp());
            Start(job);
        }
    }

    private void Start(JobFolder job)
    {
        var start = new ProcessStartInfo(program[0])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        foreach (var word in program.Skip(1).Concat(["job", "run", job.Path])) start.ArgumentList.Add(word);
        var process = Process.Start(start)!;
        process.StandardInput.Close();
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.EnableRaisingEvents = true;
        process.Exited += (_, _) => process.Dispose();
    }

    // Where nothing was made yet there is nothing to resume: the command begins anew.
    private bool HasBegun(JobFolder job) => job.Job.Target is { } target
        && File.Exists(System.IO.Path.Combine(root.ResolveNew(target), "options.json"))
        && Directory.Exists(System.IO.Path.Combine(root.ResolveNew(target), "checkpoints"));
}
