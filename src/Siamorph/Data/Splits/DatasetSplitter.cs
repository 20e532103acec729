using Siamorph.Data.Checks;

namespace Siamorph.Data.Splits;

/// <summary>
/// Divides pairs into train, val and test so that the test stays blind: pairs of one group (patient, sequence), and images
/// that look alike, are kept on one side.
/// </summary>
public static class DatasetSplitter
{
    /// <summary>Divides the dataset; the same seed gives the same division whatever the order of the pairs.</summary>
    /// <returns>The dataset with <see cref="ImageMaskPair.Split"/> set; nothing is written.</returns>
    /// <exception cref="InvalidOptionsException">The shares are out of range.</exception>
    /// <exception cref="InvalidDatasetException">There are fewer independent units than splits.</exception>
    /// <exception cref="OperationCanceledException">The monitor asked to stop.</exception>
    public static Dataset Split(Dataset dataset, SplitOptions options, IMonitor monitor)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(monitor);
        options.Validate();
        var units = Units(dataset.Pairs, options.KeepNearDuplicates ? NearDuplicates.Find(dataset.Pairs, monitor) : []);
        var splitOf = new string[dataset.Pairs.Count];
        foreach (var (unit, split) in Assign(units, dataset.Pairs, options))
            foreach (var pair in unit) splitOf[pair] = split;
        return dataset with { Pairs = [.. dataset.Pairs.Select((p, i) => p with { Split = splitOf[i] })] };
    }

    /// <summary>The same without progress.</summary>
    /// <inheritdoc cref="Split(Dataset, SplitOptions, IMonitor)"/>
    public static Dataset Split(Dataset dataset, SplitOptions options) => Split(dataset, options, NullMonitor.Instance);

    /// <summary>Sets the group of pairs from a table, such as frame → sequence.</summary>
    /// <param name="dataset">The dataset.</param>
    /// <param name="csvPath">A CSV with a header line: a column of image names and one of groups, found by their headers.</param>
    /// <param name="options">Which columns, and whether the table may be partial.</param>
    /// <exception cref="InvalidDatasetException">The table can't be read, its columns can't be told, or it does not fit the
    /// dataset.</exception>
    public static GroupedDataset WithGroups(Dataset dataset, string csvPath, GroupTableOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        return GroupTable.Apply(dataset, csvPath, options ?? new());
    }

    // Connected components: pairs that must stay together.
    private static List<List<int>> Units(IReadOnlyList<ImageMaskPair> pairs, IReadOnlyList<NearDuplicatePair> alike)
    {
        var parent = Enumerable.Range(0, pairs.Count).ToArray();
        int Root(int i) => parent[i] == i ? i : parent[i] = Root(parent[i]);
        void Join(int a, int b) => parent[Root(a)] = Root(b);
        foreach (var link in alike) Join(link.First, link.Second);
        foreach (var members in Enumerable.Range(0, pairs.Count).Where(i => pairs[i].Group is not null)
            .GroupBy(i => pairs[i].Group))
            foreach (var member in members) Join(members.First(), member);
        return [.. Enumerable.Range(0, pairs.Count).GroupBy(Root).Select(g => g.ToList())];
    }

    // Units in random order, large ones first, each to the split that lacks most: so shares come out as near as units allow.
    private static IEnumerable<(List<int> Unit, string Split)> Assign(
        List<List<int>> units, IReadOnlyList<ImageMaskPair> pairs, SplitOptions options)
    {
        var shares = options.Shares;
        if (units.Count < shares.Count)
            throw new InvalidDatasetException(
                $"{pairs.Count} pairs make only {units.Count} independent units (images of one group, and near-duplicates, stay "
                    + $"in one split), too few for {shares.Count} splits. Add data or ask for fewer splits.");
        var byName = units.OrderBy(u => u.Min(i => pairs[i].Id), StringComparer.Ordinal).ToList();
        var order = options.Seed.Derive("split").Random().Permutation(units.Count);
        var count = new int[shares.Count];
        var left = units.Count;
        foreach (var unit in order.Select(i => byName[i]).OrderByDescending(u => u.Count))
        {
            var empty = Enumerable.Range(0, shares.Count).Where(s => count[s] == 0).ToList();
            var candidates = left-- <= empty.Count ? empty : Enumerable.Range(0, shares.Count);
            var split = candidates.MaxBy(s => shares[s].Share * pairs.Count - count[s]);
            count[split] += unit.Count;
            yield return (unit, shares[split].Name);
        }
    }
}
