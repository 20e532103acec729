using System.Text.Json.Nodes;
using Siamorph.Training;

namespace Siamorph.Siamese.WeightFiles;

/// <summary>A run of `train` where weights are asked for: its newest checkpoint, or the one that is named.</summary>
/// <param name="Folder">The checkpoint's folder.</param>
/// <param name="State">What it says beside the tensors.</param>
internal sealed record RunCheckpoint(string Folder, JsonObject State)
{
    private const string Model = "model.safetensors";

    /// <summary>The file with its weights.</summary>
    public string ModelPath => Path.Combine(Folder, Model);

    /// <summary>Whether `train` wrote it; `segment train` has checkpoints too.</summary>
    public bool IsSiamese => State["stage"] is not null;

    /// <summary>The file or folder on which the run is built; null for none.</summary>
    public string? BaseWeights => State["options"] is JsonObject options ? (string?)options["baseWeights"] : null;

    /// <summary>Such as "siamese training, step 500".</summary>
    public string Progress => IsSiamese ? $"{State["stage"]} training, step {State["step"]}" : $"step {State["step"]}";

    /// <summary>
    /// The checkpoint behind a run folder, a checkpoint's folder or its model.safetensors; null for anything else.
    /// </summary>
    /// <exception cref="WeightsFormatException">It is a run folder without a finished checkpoint.</exception>
    public static RunCheckpoint? At(string path)
    {
        var folder = Path.GetFileName(path) == Model && File.Exists(path) ? Path.GetDirectoryName(Path.GetFullPath(path))! : path;
        if (!Directory.Exists(folder)) return null;
        if (IsCheckpoint(folder)) return Read(folder);
        if (!File.Exists(new RunFolder(folder).OptionsPath) || !File.Exists(new RunFolder(folder).LogPath)) return null;
        return Checkpoint.Latest(folder) is { } newest
            ? Read(newest)
            : throw new WeightsFormatException(
                $"{path}: is a run without a finished checkpoint: let it train on (--resume), or name a file.");
    }

    private static bool IsCheckpoint(string folder) => CheckpointManifest.IsIn(folder)
        && File.Exists(Path.Combine(folder, Checkpoint.StateFile));

    private static RunCheckpoint Read(string folder) =>
        new(folder, OptionsFile.ReadObject(Path.Combine(folder, Checkpoint.StateFile)));
}
