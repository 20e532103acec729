using Siamorph.Data;
using Siamorph.Data.Checks;
using Siamorph.Data.Folders;
using Siamorph.Data.Splits;
using Siamorph.Experiment.Results;
using Siamorph.Imaging;
using Siamorph.Training;

namespace Siamorph.Experiment;

/// <summary>The real pairs of an experiment: read, checked, split, hashed.</summary>
internal sealed record ExperimentData(
    Dataset Dataset, IReadOnlyDictionary<string, string> Hashes, DataCard Card,
    IReadOnlyDictionary<string, UnlabelledSet> Unlabelled)
{
    /// <summary>Sets of other hospitals.</summary>
    public IReadOnlyList<ExternalSet> External { get; init; } = [];

    /// <exception cref="InvalidDatasetException">The folder is no data set, or the data check finds errors.</exception>
    public static ExperimentData Read(ExperimentOptions options, string folder, IMonitor monitor)
    {
        var read = DatasetFolder.Read(options.Data, monitor);
        read = read with { Pairs = [.. read.Pairs.Where(p => p.Source == PairSource.Real)] };
        var (dataset, origin) = Split(read, options, monitor);
        var hashes = ContentHash.OfEach(dataset.Pairs, monitor);
        var labels = options.Generator.Labels == LabelKind.Soft
            || options.Segmentation.Labels == LabelKind.Soft ? LabelKind.Soft : LabelKind.Hard;
        var hash = ContentHash.Of(string.Join('\n', dataset.Pairs.Select(p => $"{p.Split} {p.Group} {hashes[p.Id]}")));
        var card = ReadOrMakeCard(dataset, hash, origin, labels, folder, monitor);
        var external = ExternalSet.Read(options.ExternalTest, dataset, monitor);
        var unlabelled = UnlabelledSet.Read(options, dataset, external, monitor);
        return new(dataset, hashes, card with { Unlabelled = [.. unlabelled.Values.Select(u => u.Facts)] }, unlabelled)
        {
            External = external,
        };
    }

    private static (Dataset, string Origin) Split(Dataset read, ExperimentOptions options, IMonitor monitor)
    {
        if (read.Pairs.Any(p => p.Split is not null))
            return (read with { Pairs = [.. read.Pairs.Where(p => p.Split is not null)] }, "The split that the data came with.");
        return (DatasetSplitter.Split(read, options.Split, monitor),
            $"Drawn with seed {options.Split.Seed.Value}; pairs of one group"
                + $"{(options.Split.KeepNearDuplicates ? " and near-duplicates" : "")} are kept on one side.");
    }

    // Decoding everything takes a while: what was found about these very files is kept.
    private static DataCard ReadOrMakeCard(
        Dataset dataset, string hash, string origin, LabelKind labels, string folder, IMonitor monitor)
    {
        var path = Path.Combine(folder, "data-card.json");
        if (File.Exists(path) && OptionsFile.Load<DataCard>(path) is { } known && known.ContentHash == hash) return known;
        var findings = DatasetValidator.Check(dataset, monitor, labels).Findings;
        RefuseErrors(dataset, findings);
        var facts = Measure(dataset.Pairs, monitor);
        string[] splits = ["train", "val", "test"];
        var card = new DataCard
        {
            Name = Path.GetFileName(Path.TrimEndingDirectorySeparator(dataset.Folder)),
            ContentHash = hash,
            SplitOrigin = origin,
            Splits = splits.ToDictionary(s => s, s => dataset.Pairs.Count(p => p.Split == s)),
            Groups = splits.ToDictionary(s => s,
                s => dataset.Pairs.Where(p => p.Split == s && p.Group is not null).Select(p => p.Group).Distinct().Count()),
            Sizes = [.. facts.GroupBy(f => f.Size).Select(g => new SizeCount(g.Key.ToString(), g.Count()))
                .OrderByDescending(s => s.Count).ThenBy(s => s.Size, StringComparer.Ordinal)],
            Pairs = [.. dataset.Pairs.Select((p, i) => new PairFacts(p.Id, p.Split!, p.Group, facts[i].Share, p.Centre))],
            Findings = [.. findings.Select(f => $"{f.Severity}: {f.Subject}: {f.Message}")],
        };
        AtomicFile.WriteText(path, OptionsFile.ToJson(card) + "\n");
        return card;
    }

    private static void RefuseErrors(Dataset dataset, IReadOnlyList<Finding> findings)
    {
        var errors = findings.Where(f => f.Severity == FindingSeverity.Error).ToList();
        if (errors.Count == 0) return;
        throw new InvalidDatasetException($"{errors[0].Subject}: {errors[0].Message}"
            + (errors.Count > 1 ? $" {errors.Count - 1} more errors;" : "")
            + $" \"siamorph data check {dataset.Folder}\" lists all findings.");
    }

    private static (ImageSize Size, double Share)[] Measure(IReadOnlyList<ImageMaskPair> pairs, IMonitor monitor)
    {
        var facts = new (ImageSize, double)[pairs.Count];
        using var stage = monitor.Begin("Measuring masks", pairs.Count);
        var done = 0;
        Parallel.For(0, pairs.Count, new ParallelOptions
        {
            CancellationToken = monitor.Cancellation, MaxDegreeOfParallelism = Environment.ProcessorCount,
        }, i =>
        {
            var mask = PairFiles.ReadMask(pairs[i]);
            var covered = mask.Labels.Count(l => l != 0);
            facts[i] = (ImageFile.Identify(pairs[i].ImagePath).Size, Math.Round((double)covered / mask.Labels.Length, 6));
            var now = Interlocked.Increment(ref done);
            lock (stage) stage.Report(now);
        });
        return facts;
    }
}
