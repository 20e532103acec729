using System.Text.Json;
using System.Text.Json.Nodes;
using Siamorph.Experiment.Stages;
using Siamorph.Training;

namespace Siamorph.Experiment.Scheduling;

/// <summary>
/// The folders of an experiment's stages. A stage is done when its <c>done.json</c> is there, which is written last and in one
/// piece: whatever stops the process, a later run finds each stage either done or to be gone on with.
/// </summary>
internal sealed class StageStore(string experimentFolder)
{
    /// <summary>The file that says that a stage is done.</summary>
    public const string Marker = "done.json";

    public string FolderOf(PlannedStage stage) => Path.Combine(experimentFolder, "stages", stage.Folder);

    /// <summary>The folder in which the stage's work is done.</summary>
    public string RunFolderOf(PlannedStage stage) => Path.Combine(FolderOf(stage), "run");

    /// <summary>The record of a finished stage, or null.</summary>
    public StageRecord? Find(PlannedStage stage)
    {
        var path = Path.Combine(FolderOf(stage), Marker);
        if (!File.Exists(path)) return null;
        var record = OptionsFile.Load<StageRecord>(path);
        return record.Key == stage.Key ? record : null;
    }

    /// <summary>Keeps the stage for this process; null where another process works on it.</summary>
    public IDisposable? TryLock(PlannedStage stage)
    {
        Directory.CreateDirectory(FolderOf(stage));
        var path = Path.Combine(FolderOf(stage), ".lock"); // never removed: a lock on a removed file would keep nobody out
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException) when (File.Exists(path))
        {
            return null;
        }
    }

    /// <summary>Makes the stage's folder ready.</summary>
    /// <returns>Whether an earlier run has begun this stage.</returns>
    public bool Begin(PlannedStage stage)
    {
        var path = Path.Combine(FolderOf(stage), "stage.json");
        var begun = File.Exists(path);
        AtomicFile.WriteText(path, stage.Inputs.ToJsonString(OptionsFile.Json) + "\n");
        return begun;
    }

    /// <summary>Marks the stage as done.</summary>
    public StageRecord Complete(PlannedStage stage, object outcome, double seconds, bool resumed)
    {
        var record = new StageRecord
        {
            Key = stage.Key,
            Code = ProductVersion.Code,
            Seconds = Math.Round(seconds, 1),
            Finished = DateTime.UtcNow.ToString("yyyy-MM-ddTHH:mm:ssZ", System.Globalization.CultureInfo.InvariantCulture),
            Resumed = resumed,
            Outcome = JsonSerializer.SerializeToNode(outcome, OptionsFile.Json)!.AsObject(),
        };
        AtomicFile.WriteText(Path.Combine(FolderOf(stage), Marker), OptionsFile.ToJson(record) + "\n");
        return record;
    }
}

/// <summary>What a finished stage leaves in its folder.</summary>
internal sealed record StageRecord
{
    public required string Key { get; init; }

    public required string Code { get; init; }

    public required double Seconds { get; init; }

    public required string Finished { get; init; }

    public required bool Resumed { get; init; }

    public required JsonObject Outcome { get; init; }

    public T As<T>() => Outcome.Deserialize<T>(OptionsFile.Json)!;
}
