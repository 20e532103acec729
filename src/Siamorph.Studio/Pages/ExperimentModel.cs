using Siamorph.Studio.Folders;

namespace Siamorph.Studio.Pages;

/// <summary>An experiment, its report's address and the job, if there is one, that works on it.</summary>
internal sealed record ExperimentModel(string At, ExperimentView Experiment, string? Report, JobModel? Job)
{
    /// <summary>Reader studies of its images, named as links name folders.</summary>
    public required IReadOnlyList<string> Studies { get; init; }

    public string StateSentence => Experiment.State switch
    {
        "running" =>
            $"{Experiment.Done} of {Experiment.Stages.Count} stages are done, about "
            + $"{DisplayText.Duration(Experiment.SecondsLeft)} of work left.",
        "finished" => $"All {Experiment.Stages.Count} stages are done.",
        "stopped" => $"Stopped: {Experiment.Done} of {Experiment.Stages.Count} stages are done. What is done is kept.",
        _ => "The experiment has not been planned yet.",
    };

    /// <summary>A mark, a class for its colour, and a word for those who hear the page.</summary>
    public static (string Mark, string Class, string Word) MarkOf(IReadOnlyList<StageView> stages) =>
        stages.Count == 0 ? ("", "none", "not planned")
        : stages.All(s => s.State == StageState.Done) ? ("●", "done", "done")
        : stages.Any(s => s.State == StageState.Running) ? ("◐", "running", "at work")
        : stages.Any(s => s.State is StageState.Begun or StageState.Done) ? ("◔", "begun", "begun") : ("○", "waiting", "waits");
}
