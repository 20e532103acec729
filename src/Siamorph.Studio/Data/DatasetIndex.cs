using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Siamorph.Data;
using Siamorph.Data.Folders;

namespace Siamorph.Studio.Data;

/// <summary>A pair that a page shows, and where it stands.</summary>
internal sealed record ServedPair(Dataset Dataset, ImageMaskPair Pair, int Index);

/// <summary>
/// Datasets as pages see them. Pairs have names that tell nothing, so that no patient's name gets into an address or a log.
/// </summary>
internal sealed class DatasetIndex(RootFolder root)
{
    private readonly byte[] _secret = RandomNumberGenerator.GetBytes(32);
    private readonly ConcurrentDictionary<string, (DateTime Written, Dataset Dataset)> _datasets = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, (string Folder, string Id)> _pairs = new(StringComparer.Ordinal);

    /// <summary>The pairs of a folder below the root; read again where its list of files has changed.</summary>
    /// <exception cref="StudioException">It lies elsewhere.</exception>
    /// <exception cref="InvalidDatasetException">It is no dataset.</exception>
    public Dataset Read(string at)
    {
        var folder = root.Resolve(at);
        var written = Written(folder);
        if (_datasets.TryGetValue(folder, out var known) && known.Written == written) return known.Dataset;
        var dataset = DatasetFolder.Read(folder);
        _datasets[folder] = (written, dataset);
        return dataset;
    }

    /// <summary>The name of a pair in addresses.</summary>
    public string KeyOf(Dataset dataset, ImageMaskPair pair)
    {
        var key = Convert.ToHexStringLower(
            HMACSHA256.HashData(_secret, Encoding.UTF8.GetBytes($"{dataset.Folder}\n{pair.Id}")))[..32];
        _pairs[key] = (dataset.Folder, pair.Id);
        return key;
    }

    /// <exception cref="StudioException">There is no such pair.</exception>
    public ServedPair Find(string key)
    {
        if (!_pairs.TryGetValue(key, out var place)) throw StudioException.Missing("The pair");
        var dataset = Read(root.RelativeOf(place.Folder));
        for (var i = 0; i < dataset.Pairs.Count; i++)
            if (dataset.Pairs[i].Id == place.Id) return new(dataset, dataset.Pairs[i], i);
        throw StudioException.Missing("The pair");
    }

    // A manifest that was written anew, or a folder that got or lost a file.
    private static DateTime Written(string folder) =>
        new[] { folder, Path.Combine(folder, "images"), Path.Combine(folder, "masks"), Path.Combine(folder, "manifest.jsonl"),
        Path.Combine(folder, "classes.json") }
            .Max(p => Directory.Exists(p) ? Directory.GetLastWriteTimeUtc(p)
            : File.Exists(p) ? File.GetLastWriteTimeUtc(p) : default);
}
