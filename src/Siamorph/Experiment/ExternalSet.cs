using Siamorph.Data;
using Siamorph.Data.Checks;
using Siamorph.Data.Folders;

namespace Siamorph.Experiment;

/// <summary>A set of another hospital, to test on: never trained on, never validated on.</summary>
/// <param name="Name">Its name in reports.</param>
/// <param name="Pairs">All its real pairs, whatever their split.</param>
/// <param name="Hash">SHA-256 over their contents; hexadecimal.</param>
internal sealed record ExternalSet(string Name, IReadOnlyList<ImageMaskPair> Pairs, string Hash)
{
    /// <summary>Reads the sets.</summary>
    /// <exception cref="InvalidDatasetException">A folder is no data set, or holds an image that is also among the experiment's
    /// own.</exception>
    public static IReadOnlyList<ExternalSet> Read(IReadOnlyList<string> named, Dataset own, IMonitor monitor)
    {
        if (named.Count == 0) return [];
        var known = own.Pairs.GroupBy(p => ContentHash.OfFile(p.ImagePath)).ToDictionary(g => g.Key, g => g.First());
        return [.. named.Select(NamedPath.Of).Select(set => Read(set.Name, set.Path, known, monitor))];
    }

    private static ExternalSet Read(string name, string folder, Dictionary<string, ImageMaskPair> known, IMonitor monitor)
    {
        List<ImageMaskPair> pairs = [.. DatasetFolder.Read(folder, monitor).Pairs.Where(p => p.Source == PairSource.Real)];
        if (pairs.Count == 0) throw new InvalidDatasetException($"{folder}: holds no real pairs to test on.");
        foreach (var pair in pairs)
            if (known.TryGetValue(ContentHash.OfFile(pair.ImagePath), out var same))
                throw new InvalidDatasetException(
                    $"{pair.ImagePath}: the same image as {same.ImagePath} of split \"{same.Split}\". A set of another hospital "
                        + $"must share no image with the experiment's own data.");
        EmptyMasks.Refuse(pairs);
        return new(name, pairs, ContentHash.OfList(pairs, ContentHash.OfEach(pairs, monitor)));
    }
}
