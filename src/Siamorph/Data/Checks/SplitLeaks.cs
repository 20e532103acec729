namespace Siamorph.Data.Checks;

/// <summary>Refuses a dataset in which an image of validation or test is also one to train on, under whatever name.</summary>
internal static class SplitLeaks
{
    private const int Named = 3;

    /// <summary>
    /// Compares the bytes of the image files of train with those of val and test; look-alikes are for "data check".
    /// </summary>
    /// <exception cref="InvalidDatasetException">Files are the same, or can't be read.</exception>
    public static void Refuse(Dataset dataset)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        var held = dataset.Pairs.Where(p => p.Split is "val" or "test").ToList();
        if (held.Count == 0) return;
        // Only files of one length can be the same, so that few have to be read.
        var lengths = held.GroupBy(p => Length(p.ImagePath)).ToDictionary(g => g.Key, g => g.ToList());
        var leaks = new List<string>();
        foreach (var pair in dataset.Of("train").Where(p => lengths.ContainsKey(Length(p.ImagePath))))
        {
            var hash = ContentHash.OfFile(pair.ImagePath);
            if (lengths[Length(pair.ImagePath)].Find(h => ContentHash.OfFile(h.ImagePath) == hash) is { } twin)
                leaks.Add($"{pair.Id} is {twin.Id} of {twin.Split}");
        }
        if (leaks.Count > 0)
            throw new InvalidDatasetException(
                $"{dataset.Folder}: {leaks.Count} images of train are the same files as images of val or test ("
                    + $"{string.Join(", ", leaks.Take(Named))}{(leaks.Count > Named ? ", …" : "")}). Split again with \"siamorph "
                    + $"data split\", which keeps them together.");
    }

    private static long Length(string path)
    {
        try
        {
            return new FileInfo(path).Length;
        }
        catch (IOException e)
        {
            throw new InvalidDatasetException(
                $"{path}: can't be read ({e.Message.TrimEnd('.')}). Restore it or remove the pair.", e);
        }
    }
}
