using Siamorph.Studio.Jobs;

namespace Siamorph.Studio.Pages;

/// <summary>A job as pages show it.</summary>
internal sealed record JobModel(
    string Id, JobFile Job, JobStatus Status, JobProgress? Progress, bool StopAsked, bool CanKill, string Console)
{
    public bool Ended => Status.State is not (JobState.Queued or JobState.Running);

    public bool CanResume => Status.State is JobState.Failed or JobState.Stopped or JobState.Interrupted;

    /// <summary>What its state means, in a sentence.</summary>
    public string Sentence => Status.State switch
    {
        JobState.Queued => "Waits for its turn.",
        JobState.Running when StopAsked => "Stops after this step.",
        JobState.Running => "At work.",
        JobState.Done => "Done.",
        JobState.Failed => "Failed; the last line below says why.",
        JobState.Stopped => "Stopped. It can go on.",
        _ => "Its process went away. Nothing that was saved is lost; it can go on.",
    };

    public static JobModel Of(JobFolder job, bool console = false)
    {
        var status = job.Status;
        return new(job.Id, job.Job, status, status.State == JobState.Queued ? null
            : JobProgress.Read(job.ProgressPath), job.StopAsked,
            status.State == JobState.Running && job.StopAskedAt is { } asked
                && DateTime.UtcNow - asked >= JobQueue.KillAfter, console ? job.ConsoleTail() : "");
    }
}
