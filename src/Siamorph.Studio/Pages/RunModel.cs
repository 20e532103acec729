using Siamorph.Studio.Folders;

namespace Siamorph.Studio.Pages;

/// <summary>A training run and the job, if there is one, that works on it.</summary>
/// <param name="At">Its folder below the root.</param>
/// <param name="Run">What the folder tells.</param>
/// <param name="Previews">Steps and addresses of the images drawn on the way.</param>
/// <param name="Job">The newest job that writes there.</param>
internal sealed record RunModel(string At, RunView Run, IReadOnlyList<(long Step, string Address)> Previews, JobModel? Job)
{
    public string StateSentence => Run.State switch
    {
        "running" =>
            Run.Total > 0
            ? $"Step {Run.Step} of {Run.Total}"
            + $"{(Run.SecondsLeft is { } left ? $", about {DisplayText.Duration(left)} left" : "")}." : $"Step {Run.Step}.",
        "finished" => $"Finished: {Run.Step} steps.",
        _ => Run.Total > 0 ? $"Stopped at step {Run.Step} of {Run.Total}." : $"Stopped at step {Run.Step}.",
    };
}
