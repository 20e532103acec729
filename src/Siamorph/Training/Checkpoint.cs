using System.Globalization;
using System.Text.Json.Nodes;
using Siamorph.Weights;

namespace Siamorph.Training;

/// <summary>
/// A checkpoint is a folder: one safetensors file a part (model, ema, optimizer), state.json, and manifest.json with the
/// size and SHA-256 of each. It is made beside and renamed, the manifest written last: a crash leaves none or a whole one.
/// </summary>
internal static class Checkpoint
{
    internal const string StateFile = "state.json";

    /// <summary>Writes a checkpoint; one of the same name is replaced once the new one is whole.</summary>
    /// <param name="folder">Such as checkpoints/step-000500.</param>
    /// <param name="parts">Tensors by name, for each file by its stem ("model", "ema", "optimizer").</param>
    /// <param name="state">What else must be known to go on, the step above all.</param>
    /// <exception cref="SiamorphException">The folder can't be written or the disk is full.</exception>
    public static void Save(string folder, IReadOnlyDictionary<string, WeightTable> parts, JsonObject state)
    {
        ArgumentNullException.ThrowIfNull(parts);
        ArgumentNullException.ThrowIfNull(state);
        var target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        var staged = $"{target}.{Guid.NewGuid():N}.partial";
        try
        {
            Directory.CreateDirectory(staged);
            foreach (var (stem, tensors) in parts) SafeTensors.Write(Path.Combine(staged, $"{stem}.safetensors"), tensors);
            AtomicFile.WriteText(Path.Combine(staged, StateFile), state.ToJsonString(OptionsFile.Json) + "\n");
            CheckpointManifest.Of(staged).Write(staged);
            Replace(target, staged);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SiamorphException(
                $"{folder}: can't be written ({e.Message.TrimEnd('.')}). Check the folder's rights and the free space.", e);
        }
        finally
        {
            if (Directory.Exists(staged)) Directory.Delete(staged, recursive: true);
        }
    }

    /// <summary>
    /// Checks every file against the manifest, then opens them; tensors are read one at a time, when they are asked for.
    /// </summary>
    /// <param name="folder">A checkpoint's folder.</param>
    /// <param name="parts">Which parts to open; none named opens all.</param>
    /// <exception cref="WeightsFormatException">A file is missing, cut off or altered; the message says which.</exception>
    public static LoadedCheckpoint Load(string folder, params IReadOnlyCollection<string> parts)
    {
        ArgumentNullException.ThrowIfNull(parts);
        var manifest = CheckpointManifest.Read(folder);
        manifest.Verify(folder);
        var stems = manifest.Files.Keys.Where(f => Path.GetExtension(f) == ".safetensors")
            .Select(f => Path.GetFileNameWithoutExtension(f)).ToList();
        if (parts.Except(stems).FirstOrDefault() is { } missing)
            throw new WeightsFormatException($"{folder}: has no part '{missing}', only {string.Join(", ", stems)}.");
        var state = OptionsFile.ReadObject(Path.Combine(folder, StateFile));
        var wanted = parts.Count == 0 ? stems : stems.Where(parts.Contains);
        return Open(folder, state, wanted);
    }

    /// <summary>
    /// The same without what only training reads, the optimizer's state, which is as large as the rest together.
    /// </summary>
    /// <exception cref="WeightsFormatException">A file is missing, cut off or altered; the message says which.</exception>
    public static LoadedCheckpoint LoadWeights(string folder) =>
        Load(folder, [.. CheckpointManifest.Read(folder).Files.Keys.Where(f => f is "model.safetensors" or "ema.safetensors")
        .Select(f => Path.GetFileNameWithoutExtension(f))]);

    /// <summary>
    /// The newest finished checkpoint of a run, or null where there is none. Whether it was damaged since, Load finds.
    /// </summary>
    public static string? Latest(string runFolder) => All(runFolder).LastOrDefault();

    /// <summary>Removes all but the newest <paramref name="keep"/> finished checkpoints, and what crashes have left.</summary>
    /// <exception cref="SiamorphException">A folder can't be removed.</exception>
    public static void Prune(string runFolder, int keep)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(keep, 1);
        var folder = new RunFolder(runFolder).CheckpointsFolder;
        if (!Directory.Exists(folder)) return;
        try
        {
            // Renamed first: one that is half removed when the power fails must not pass for a checkpoint.
            foreach (var old in All(runFolder).SkipLast(keep).ToList()) Directory.Move(old, $"{old}.{Guid.NewGuid():N}.partial");
            foreach (var left in Directory.EnumerateDirectories(folder, "*.partial").ToList())
                Directory.Delete(left, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SiamorphException($"{folder}: an old checkpoint can't be removed ({e.Message.TrimEnd('.')}).", e);
        }
    }

    // Finished ones, oldest first.
    private static IEnumerable<string> All(string runFolder)
    {
        var folder = new RunFolder(runFolder).CheckpointsFolder;
        if (!Directory.Exists(folder)) return [];
        return Directory.EnumerateDirectories(folder, "step-*")
            .Select(path => (Path: path, Step: StepOf(path)))
            .Where(c => c.Step >= 0 && CheckpointManifest.IsIn(c.Path))
            .OrderBy(c => c.Step).Select(c => c.Path);
    }

    private static long StepOf(string path) =>
        long.TryParse(Path.GetFileName(path).AsSpan("step-".Length), NumberStyles.None, CultureInfo.InvariantCulture,
        out var step) ? step : -1;

    private static void Replace(string target, string staged)
    {
        if (!Directory.Exists(target))
        {
            Directory.Move(staged, target);
            return;
        }
        var old = $"{target}.{Guid.NewGuid():N}.partial";
        Directory.Move(target, old);
        Directory.Move(staged, target);
        Directory.Delete(old, recursive: true);
    }

    private static LoadedCheckpoint Open(string folder, JsonObject state, IEnumerable<string> stems)
    {
        var parts = new Dictionary<string, WeightsFile>();
        try
        {
            foreach (var stem in stems) parts.Add(stem, WeightsFile.Open(Path.Combine(folder, $"{stem}.safetensors")));
            return new(folder, state, parts);
        }
        catch
        {
            foreach (var part in parts.Values) part.Dispose();
            throw;
        }
    }
}

/// <summary>What a checkpoint holds, open for reading.</summary>
internal sealed class LoadedCheckpoint : IDisposable
{
    private readonly IReadOnlyDictionary<string, WeightsFile> _parts;

    internal LoadedCheckpoint(string folder, JsonObject state, IReadOnlyDictionary<string, WeightsFile> parts) =>
        (Folder, State, _parts) = (folder, state, parts);

    /// <summary>Where it is.</summary>
    public string Folder { get; }

    /// <summary>What was saved beside the tensors.</summary>
    public JsonObject State { get; }

    /// <summary>The names of its parts, such as "model".</summary>
    public IEnumerable<string> Parts => _parts.Keys;

    /// <summary>The tensors of one part.</summary>
    /// <exception cref="WeightsFormatException">There is no such part.</exception>
    public WeightTable this[string part] => Find(part)
        ?? throw new WeightsFormatException($"{Folder}: has no part '{part}', only {string.Join(", ", Parts)}.");

    /// <summary>The tensors of one part; null where there is none of that name.</summary>
    public WeightTable? Find(string part) => _parts.GetValueOrDefault(part);

    /// <summary>Closes the files. Tensors that were read stay.</summary>
    public void Dispose()
    {
        foreach (var part in _parts.Values) part.Dispose();
    }
}
