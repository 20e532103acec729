using Siamorph.Training;

namespace Siamorph.Experiment.Scheduling;

/// <summary>A stage as <c>plan.json</c> names it, for programs that run stages elsewhere and for pages that show them.</summary>
/// <param name="Stage">Name of its folder, and of the stage.</param>
/// <param name="Kind">Such as "generator".</param>
/// <param name="Title">What is done, for people.</param>
/// <param name="Needs">The stages whose results it reads.</param>
/// <param name="DoneFile">Below the experiment's folder; there when the stage is done.</param>
/// <param name="Seconds">About how long it takes here.</param>
/// <param name="Command">What runs it, once its needs are done.</param>
internal sealed record PlannedWork(
    string Stage, string Kind, string Title, IReadOnlyList<string> Needs, string DoneFile, double Seconds, IReadOnlyList<string> Command)
{
    /// <summary>The file in an experiment's folder.</summary>
    public const string FileName = "plan.json";

    /// <summary>All stages of a plan, each after those it needs.</summary>
    public static IReadOnlyList<PlannedWork> Of(ExperimentPlan plan, StageSpeeds speeds, string folder) => [.. plan.Stages.Select(s => new PlannedWork(
        s.Folder, s.Kind.Name, s.Title, [.. s.Needs.Select(n => n.Folder)], $"stages/{s.Folder}/{StageStore.Marker}", Math.Round(speeds.Seconds(s), 1),
        ["siamorph", "experiment", "stage", folder, s.Folder]))];

    /// <summary>Writes <see cref="FileName"/>.</summary>
    public static IReadOnlyList<PlannedWork> Write(ExperimentPlan plan, StageSpeeds speeds, string folder)
    {
        var work = Of(plan, speeds, Path.GetFullPath(folder));
        AtomicFile.WriteText(Path.Combine(folder, FileName), OptionsFile.ToJson(work) + "\n");
        return work;
    }
}
