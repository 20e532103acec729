using System.Text.Json;

namespace Siamorph.Weights;

/// <summary>Weights in several files, with an index that says which tensor is in which (`*.index.json`).</summary>
internal static class ShardIndex
{
    /// <summary>Opens every file of the index.</summary>
    /// <exception cref="WeightsFormatException">The index is damaged, or a file or tensor of it is missing.</exception>
    public static WeightsFile Open(string path)
    {
        var places = Read(path);
        var folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!;
        var shards = new Dictionary<string, WeightsFile>();
        try
        {
            foreach (var name in places.Values.Distinct()) shards[name] = OpenShard(path, folder, name);
            var entries = places.Select(p => shards[p.Value].TryGet(p.Key, out var entry)
                ? entry
                : throw new WeightsFormatException(
                    $"{path}: says that '{p.Key}' is in {p.Value}, where it is not. Download index and files again.")).ToList();
            var unlisted = shards.Values.Sum(s => s.Entries.Count) - entries.Count;
            IReadOnlyList<string> notes = [.. shards.Values.SelectMany(s => s.Notes).Distinct(), .. unlisted > 0
                ? [$"{unlisted} tensors that the index doesn't list are passed over"] : Array.Empty<string>()];
            return new(path, WeightsFormat.Sharded, entries, shards.Values.First().Metadata, notes, [.. shards.Values]);
        }
        catch
        {
            foreach (var shard in shards.Values) shard.Dispose();
            throw;
        }
    }

    private static WeightsFile OpenShard(string index, string folder, string name)
    {
        if (name.Length == 0 || name != System.IO.Path.GetFileName(name)
            || name.EndsWith(".index.json", StringComparison.OrdinalIgnoreCase))
            throw new WeightsFormatException($"{index}: names the file '{name}', which is not in the same folder.");
        var path = System.IO.Path.Combine(folder, name);
        if (!File.Exists(path)) throw new WeightsFormatException(
            $"{index}: its file {name} is missing. Put all files of the index into one folder.");
        return WeightsFile.Open(path);
    }

    private static Dictionary<string, string> Read(string path)
    {
        using var file = WeightBytes.Open(path);
        if (file.Length > 256 << 20) throw new WeightsFormatException($"{path}: is too large for an index of weights.");
        try
        {
            using var document = JsonDocument.Parse(file.Read(0, (int)file.Length), new JsonDocumentOptions
            {
                AllowDuplicateProperties = false,
            });
            var places = document.RootElement.GetProperty("weight_map").EnumerateObject()
                .ToDictionary(p => p.Name, p => p.Value.GetString() ?? "");
            return places.Count > 0 ? places : throw new WeightsFormatException($"{path}: lists no tensors.");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new WeightsFormatException($"{path}: is not an index of weights ({e.Message.TrimEnd('.')}).", e);
        }
    }
}
