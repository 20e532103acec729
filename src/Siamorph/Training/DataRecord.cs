using Siamorph.Data;

namespace Siamorph.Training;

/// <summary>
/// <c>data.json</c> of a run: the pairs it learns from by the content of their files, wherever these lie, so that it goes on
/// with the same ones only.
/// </summary>
internal sealed record DataRecord
{
    /// <summary>The file in a run folder.</summary>
    public const string FileName = "data.json";

    private const int Named = 3;

    /// <summary>SHA-256 of image, masks and prompt of each pair, by "part/id" (such as "train/polyp-7").</summary>
    public required IReadOnlyDictionary<string, string> Pairs { get; init; }

    /// <summary>Writes the record of a run that begins; compares with it where the run goes on.</summary>
    /// <param name="run">The run's folder.</param>
    /// <param name="parts">The pairs by what they are for.</param>
    /// <param name="resume">The run goes on.</param>
    /// <param name="monitor">Told where an older run has no record; may stop.</param>
    /// <exception cref="InvalidDatasetException">The run began with other data.</exception>
    public static void Keep(RunFolder run, IEnumerable<(string Part, IReadOnlyList<ImageMaskPair> Pairs)> parts, bool resume,
        IMonitor monitor)
    {
        var path = Path.Combine(run.Path, FileName);
        var now = Of(parts, monitor);
        if (resume && File.Exists(path))
        {
            Compare(run.Path, OptionsFile.Load<DataRecord>(path).Pairs, now.Pairs);
            return;
        }
        if (resume && Directory.Exists(run.CheckpointsFolder))
            monitor.Note($"{run.Path}: this run was started by a version that did not record its data. Make sure that the data "
                + $"are the same.");
        OptionsFile.Save(path, now);
    }

    private static DataRecord Of(IEnumerable<(string Part, IReadOnlyList<ImageMaskPair> Pairs)> parts, IMonitor monitor)
    {
        var hashes = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (part, pairs) in parts)
        {
            var each = ContentHash.InOrder(pairs, monitor);
            for (var i = 0; i < pairs.Count; i++)
            {
                var name = $"{part}/{pairs[i].Id}";
                for (var n = 2; hashes.ContainsKey(name); n++) name = $"{part}/{pairs[i].Id} ({n})"; // of several folders
                hashes[name] = each[i];
            }
        }
        return new DataRecord { Pairs = hashes };
    }

    private static void Compare(string run, IReadOnlyDictionary<string, string> begun, IReadOnlyDictionary<string, string> now)
    {
        string?[] differences =
        [
            Told("new", now.Keys.Where(k => !begun.ContainsKey(k))),
            Told("gone", begun.Keys.Where(k => !now.ContainsKey(k))),
            Told("changed", now.Where(p => begun.TryGetValue(p.Key, out var old) && old != p.Value).Select(p => p.Key)),
        ];
        if (differences.All(d => d is null)) return;
        throw new InvalidDatasetException(
            $"{run}: this run was started with other data ({string.Join("; ", differences.Where(d => d is not null))}). Give it "
                + $"the data that it started with, or start a new run.");
    }

    private static string? Told(string what, IEnumerable<string> names)
    {
        var all = names.Order(StringComparer.Ordinal).ToList();
        return all.Count == 0 ? null
            : $"{all.Count} {what}: {string.Join(", ", all.Take(Named))}{(all.Count > Named ? ", …" : "")}";
    }
}
