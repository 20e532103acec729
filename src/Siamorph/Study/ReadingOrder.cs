namespace Siamorph.Study;

/// <summary>
/// In which order a reader sees the items: a function of the study's seed, the reader and the block, so a page that is
/// loaded again shows the same. Whoever holds items.jsonl alone can compute it.
/// </summary>
internal static class ReadingOrder
{
    private const int Tries = 100, MostDraws = 1000;

    /// <summary>The whole session: practice before each of the first two blocks, quality before realism, outlines last.</summary>
    public static IReadOnlyList<(StudyItem Item, StudyBlock Block)> Of(IReadOnlyList<StudyItem> items, Seed seed, string reader,
        int session)
    {
        var own = seed.Derive(reader);
        return [.. Enum.GetValues<StudyBlock>()
            .SelectMany(block => Part(block, practice: true).Concat(Part(block, practice: false)))];

        IEnumerable<(StudyItem, StudyBlock)> Part(StudyBlock block, bool practice)
        {
            var shown = items.Where(i => i.Practice == practice && i.Blocks.Contains(block))
                .OrderBy(i => i.Id, StringComparer.Ordinal).ToList();
            var order = own.Derive($"{block}{(practice ? " practice" : "")}");
            return Arranged(shown, session > 1 ? order.Derive(session) : order).Select(i => (i, block));
        }
    }

    /// <summary>A random order in which an item and its repeat stand at least a third of the whole apart.</summary>
    public static IReadOnlyList<StudyItem> Arranged(IReadOnlyList<StudyItem> items, Seed seed)
    {
        for (var attempt = 0; attempt < Tries; attempt++)
            if (TryArrange(items, seed.Derive(attempt).Random()) is { } arranged) return arranged;
        throw new InvalidOperationException($"No order keeps {items.Count} items and their repeats apart.");
    }

    // Repeated items take their two places first, every pair of free places that lie far enough apart being as likely; the others
    // fill the rest.
    private static StudyItem[]? TryArrange(IReadOnlyList<StudyItem> items, SeededRandom random)
    {
        var (places, apart) = (new StudyItem?[items.Count], (items.Count + 2) / 3);
        var first = items.ToDictionary(i => i.Id);
        var placed = new HashSet<string>();
        foreach (var repeat in items.Where(i => i.Repeats is { } id && first.ContainsKey(id)))
        {
            if (TwoPlaces(places, apart, random) is not var (early, late)) return null;
            (places[early], places[late]) = (first[repeat.Repeats!], repeat);
            placed.UnionWith([repeat.Id, repeat.Repeats!]);
        }
        var others = items.Where(i => !placed.Contains(i.Id)).ToList();
        var (order, next) = (random.Permutation(others.Count), 0);
        return [.. places.Select(p => p ?? others[order[next++]])];
    }

    // By drawing until it fits: at first four pairs in nine do.
    private static (int Early, int Late)? TwoPlaces(StudyItem?[] places, int apart, SeededRandom random)
    {
        var free = Enumerable.Range(0, places.Length).Where(p => places[p] is null).ToList();
        for (var draw = 0; draw < MostDraws; draw++)
        {
            int a = free[random.Next(free.Count)], b = free[random.Next(free.Count)];
            if (Math.Abs(a - b) >= apart) return (Math.Min(a, b), Math.Max(a, b));
        }
        return null;
    }
}
