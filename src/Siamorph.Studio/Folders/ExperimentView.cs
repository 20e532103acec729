using System.Text.Json;
using Siamorph.Experiment.Scheduling;
using Siamorph.Training;

namespace Siamorph.Studio.Folders;

/// <summary>How far a stage is.</summary>
internal enum StageState
{
    /// <summary>Not begun.</summary>
    Waiting,

    /// <summary>Begun, and nobody works on it.</summary>
    Begun,

    /// <summary>A process works on it.</summary>
    Running,

    /// <summary>Its result is there.</summary>
    Done,
}

/// <summary>A stage of an experiment.</summary>
internal sealed record StageView(PlannedWork Work, StageState State);

/// <summary>An experiment as its folder tells it.</summary>
internal sealed record ExperimentView
{
    public required string Folder { get; init; }

    public required bool Busy { get; init; }

    public required IReadOnlyList<StageView> Stages { get; init; }

    /// <summary>The finished report, or null.</summary>
    public required string? Report { get; init; }

    public required string Options { get; init; }

    public int Done => Stages.Count(s => s.State == StageState.Done);

    /// <summary>What is left by the plan's estimates, one stage after another.</summary>
    public double SecondsLeft => Stages.Where(s => s.State != StageState.Done).Sum(s => s.Work.Seconds);

    public string State => Busy ? "running" : Report is not null
        && Done == Stages.Count ? "finished" : Stages.Count == 0 ? "not planned yet" : "stopped";

    /// <summary>Arms in the order of the plan.</summary>
    public IReadOnlyList<string> Arms => [.. Stages.SelectMany(s => s.Work.Arms).Distinct()];

    /// <summary>Columns of the matrix.</summary>
    public IReadOnlyList<(int RealCount, Seed Seed)> Cells =>
        [.. Stages.Where(s => s.Work is { RealCount: not null, Seed: not null })
            .Select(s => (RealCount: s.Work.RealCount!.Value, Seed: s.Work.Seed!.Value)).Distinct()
            .OrderBy(c => c.RealCount).ThenBy(c => c.Seed.Value)];

    /// <summary>The networks of an arm in a cell.</summary>
    public IReadOnlyList<StageView> At(string arm, (int RealCount, Seed Seed) cell) =>
        [.. Stages.Where(s => s.Work.Arms.Contains(arm) && s.Work.RealCount == cell.RealCount && s.Work.Seed == cell.Seed)];

    /// <summary>Work that is not the training of an arm's network.</summary>
    public IReadOnlyList<StageView> Others => [.. Stages.Where(s => s.Work.Arms.Count == 0)];

    public static ExperimentView Read(string folder)
    {
        var report = Path.Combine(folder, "report.html");
        return new()
        {
            Folder = folder,
            Busy = FolderLock.IsHeld(folder),
            Stages = [.. Plan(folder).Select(w => new StageView(w, StateOf(folder, w)))],
            Report = File.Exists(report) ? report : null,
            Options = OptionsFile.ReadObject(Path.Combine(folder, "options.json")).ToJsonString(OptionsFile.Json),
        };
    }

    /// <summary>How far it is, in a few words.</summary>
    public static string Progress(string folder)
    {
        var plan = Plan(folder);
        return plan.Count == 0 ? "not planned yet"
            : $"{plan.Count(w => File.Exists(Path.Combine(folder, w.DoneFile)))} of {plan.Count} stages";
    }

    private static IReadOnlyList<PlannedWork> Plan(string folder)
    {
        var path = Path.Combine(folder, PlannedWork.FileName);
        if (!File.Exists(path)) return [];
        try
        {
            return JsonSerializer.Deserialize<IReadOnlyList<PlannedWork>>(File.ReadAllText(path), OptionsFile.Json) ?? [];
        }
        catch (JsonException e)
        {
            throw new SiamorphException($"{path}: not a plan of this version ({e.Message.Split(" Path:")[0].TrimEnd('.')}). Run "
                + $"the experiment again; what is finished is kept.", e);
        }
    }

    private static StageState StateOf(string folder, PlannedWork work)
    {
        var stage = Path.Combine(folder, "stages", Path.GetFileName(work.Stage));
        if (File.Exists(Path.Combine(stage, StageStore.Marker))) return StageState.Done;
        if (FolderLock.IsHeld(stage)) return StageState.Running;
        return File.Exists(Path.Combine(stage, "stage.json")) ? StageState.Begun : StageState.Waiting;
    }
}
