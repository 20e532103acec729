using Siamorph.Data.Folders;

namespace Siamorph.Data.Checks;

/// <summary>Opens every file of a dataset and reports all that is wrong or odd, see <see cref="FindingCodes"/>.</summary>
public static class DatasetValidator
{
    // Frames of a film all look alike; past this many a pair, only the closest one of each image is named.
    private const int LookalikesPerPair = 4;

    /// <summary>Lists a folder and checks all that is in it.</summary>
    /// <param name="folder">A dataset folder.</param>
    /// <param name="monitor">Watches and may stop.</param>
    /// <param name="labels">Where soft labels are meant, grey masks are no fault.</param>
    /// <exception cref="InvalidDatasetException">The folder is missing, holds no image that could be meant, or its manifest is
    /// damaged.</exception>
    /// <exception cref="OperationCanceledException">The monitor asked to stop.</exception>
    public static DatasetReport Check(string folder, IMonitor monitor, LabelKind labels = LabelKind.Hard)
    {
        var dataset = DatasetFolder.List(folder);
        // Nothing to report on at all: reading says it best.
        return Check(dataset.Findings.Count > 0 ? dataset : DatasetFolder.Read(folder), monitor, labels);
    }

    /// <summary>Checks the pairs, in parallel; of each image only a fingerprint is kept.</summary>
    /// <param name="dataset">The pairs.</param>
    /// <param name="monitor">Watches and may stop.</param>
    /// <param name="labels">Where soft labels are meant, grey masks are no fault.</param>
    /// <exception cref="OperationCanceledException">The monitor asked to stop.</exception>
    public static DatasetReport Check(Dataset dataset, IMonitor monitor, LabelKind labels = LabelKind.Hard)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        ArgumentNullException.ThrowIfNull(monitor);
        var inspections = Inspect(dataset.Pairs, labels, monitor);
        var alike = NearDuplicates.Among([.. inspections.Select(i => i.Print)], monitor);
        var findings = dataset.Findings
            .Concat(inspections.SelectMany(i => i.Findings))
            .Concat(Sparse(alike, dataset.Pairs.Count).SelectMany(a => Judge(a, dataset.Pairs, inspections)))
            .Concat(GroupLeaks(dataset.Pairs))
            .Concat(AllEmpty(dataset.Pairs, inspections, labels));
        return new DatasetReport
        {
            Folder = dataset.Folder,
            Layout = dataset.Layout,
            Reading = dataset.Summary(),
            Pairs = dataset.Pairs.Count,
            Splits = dataset.Pairs.CountBy(p => p.Split ?? "").OrderBy(s => s.Key, StringComparer.Ordinal).ToDictionary(),
            Range = dataset.Pairs.FirstOrDefault(p => p.Range is not null)?.Range?.ToString(),
            Sizes = inspections.Where(i => i.Size is not null).CountBy(i => i.Size.ToString()!).OrderByDescending(s => s.Value)
                .ToDictionary(),
            Area = LesionArea.Of(inspections.Where(i => i.Area is not null).Select(i => i.Area!.Value)),
            Annotators = Agreement(dataset.Pairs, inspections),
            Findings = [.. findings.OrderByDescending(f => f.Severity).ThenBy(f => f.Code, StringComparer.Ordinal)
                .ThenBy(f => f.Subject, StringComparer.Ordinal)],
        };
    }

    private static IEnumerable<Finding> AllEmpty(
        IReadOnlyList<ImageMaskPair> pairs, PairInspection[] inspections, LabelKind labels)
    {
        var found = Array.FindIndex(inspections, i => i.LargestLevel > 0);
        if (labels == LabelKind.Hard && found >= 0 && inspections.All(i => i.Area is null or 0))
            yield return Finding.Error(FindingCodes.AllMasksEmpty, pairs[found].Id,
                EmptyMasks.Message(Path.GetFileName(pairs[found].MaskPath), inspections[found].LargestLevel));
    }

    private static AnnotatorAgreement? Agreement(IReadOnlyList<ImageMaskPair> pairs, PairInspection[] inspections)
    {
        var several = pairs.Zip(inspections).Where(p => p.Second.Agreement is not null)
            .Select(p => (p.First, Dice: p.Second.Agreement!.Value)).ToList();
        if (several.Count == 0) return null;
        var (lowest, dice) = several.MinBy(s => s.Dice);
        return new(several.Count, several.Max(s => s.First.OtherMaskPaths.Count + 1), several.Average(s => s.Dice),
            dice, lowest.Id);
    }

    private static PairInspection[] Inspect(IReadOnlyList<ImageMaskPair> pairs, LabelKind labels, IMonitor monitor)
    {
        using var stage = monitor.Begin("Checking pairs", pairs.Count);
        var inspections = new PairInspection[pairs.Count];
        var done = 0;
        Parallel.For(0, pairs.Count, new ParallelOptions
        {
            CancellationToken = monitor.Cancellation, MaxDegreeOfParallelism = Environment.ProcessorCount,
        }, i =>
        {
            inspections[i] = new PairInspection(pairs[i], labels);
            lock (stage) stage.Report(++done);
        });
        return inspections;
    }

    private static IEnumerable<NearDuplicatePair> Sparse(IReadOnlyList<NearDuplicatePair> all, int pairs) =>
        all.Count <= LookalikesPerPair * pairs ? all
        : all.GroupBy(a => a.Second).Select(g => g.MinBy(a => (a.Difference, a.Distance))!);

    private static IEnumerable<Finding> Judge(
        NearDuplicatePair alike, IReadOnlyList<ImageMaskPair> pairs, PairInspection[] inspections)
    {
        var (one, other) = (pairs[alike.First], pairs[alike.Second]);
        var how = alike.Same ? "the same image as"
            : FormattableString.Invariant($"looks like (hash distance {alike.Distance} of 256)");
        if (alike.Same && inspections[alike.First].MaskHash != inspections[alike.Second].MaskHash)
            yield return Finding.Error(FindingCodes.ConflictingMasks, other.Id,
                $"the same image as {one.Id}, but with another mask. Keep one of the two.", one.Id);
        if (one.Split is not null && other.Split is not null && one.Split != other.Split)
            yield return Finding.Error(
                FindingCodes.SplitLeak, other.Id,
                $"{how} {one.Id}, but is in \"{other.Split}\" and that in \"{one.Split}\". Split again with \"siamorph data "
                    + $"split\", which keeps them together.", one.Id);
        else if (alike.Same) yield return Finding.Warning(FindingCodes.Duplicate, other.Id,
            $"the same image as {one.Id}. Remove one of them.", one.Id);
        else yield return Finding.Warning(FindingCodes.NearDuplicate, other.Id,
            $"{how} {one.Id}. Keep both in one split.", one.Id);
    }

    private static IEnumerable<Finding> GroupLeaks(IReadOnlyList<ImageMaskPair> pairs) =>
        from @group in pairs.Where(p => p.Group is not null && p.Split is not null).GroupBy(p => p.Group!)
        let splits = @group.Select(p => p.Split!).Distinct().Order(StringComparer.Ordinal).ToList()
        where splits.Count > 1
        select Finding.Error(
            FindingCodes.GroupLeak, @group.Key,
            $"the group has pairs in {string.Join(" and ", splits)}. Split again with \"siamorph data split\", which keeps "
                + $"groups together.");
}
