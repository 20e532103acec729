using Siamorph.Experiment.Stages;
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
    string Stage, string Kind, string Title, IReadOnlyList<string> Needs, string DoneFile, double Seconds,
    IReadOnlyList<string> Command)
{
    /// <summary>The file in an experiment's folder.</summary>
    public const string FileName = "plan.json";

    /// <summary>The arms whose network this stage trains; none where it does other work.</summary>
    public IReadOnlyList<string> Arms { get; init; } = [];

    /// <summary>Real pairs of that network.</summary>
    public int? RealCount { get; init; }

    /// <summary>Seed of that network.</summary>
    public Seed? Seed { get; init; }

    /// <summary>All stages of a plan, each after those it needs.</summary>
    public static IReadOnlyList<PlannedWork> Of(ExperimentPlan plan, StageSpeeds speeds, string folder)
    {
        var cells = plan.Options.OtherNetworks.Select(n => (string?)n).Prepend(null).SelectMany(plan.CellsOf)
            .ToLookup(c => c.Stage.Folder);
        return [.. plan.Stages.Select(s => new PlannedWork(
            s.Folder, s.Kind.Name, s.Title, [.. s.Needs.Select(n => n.Folder)], $"stages/{s.Folder}/{StageStore.Marker}",
            Math.Round(speeds.Seconds(s), 1),
            ["siamorph", "experiment", "stage", folder, s.Folder])
        {
            Arms = [.. cells[s.Folder].Select(c => c.Arm.Name).Distinct()],
            RealCount = cells[s.Folder].FirstOrDefault()?.RealCount,
            Seed = cells[s.Folder].FirstOrDefault()?.Seed,
        })];
    }

    /// <summary>Those that are not done and whose results somebody still asks for.</summary>
    public static IReadOnlyList<PlannedWork> Left(IReadOnlyList<PlannedWork> all, string folder)
    {
        var left = all.Where(w => !File.Exists(Path.Combine(folder, w.DoneFile))).ToList();
        // Nothing but generators reads a shared base.
        left.RemoveAll(w => w.Kind == SharedBaseStage.Of.Name && !left.Any(g => g.Needs.Contains(w.Stage)));
        return left;
    }

    /// <summary>Writes <see cref="FileName"/>.</summary>
    public static IReadOnlyList<PlannedWork> Write(ExperimentPlan plan, StageSpeeds speeds, string folder)
    {
        var work = Of(plan, speeds, Path.GetFullPath(folder));
        AtomicFile.WriteText(Path.Combine(folder, FileName), OptionsFile.ToJson(work) + "\n");
        return work;
    }
}
