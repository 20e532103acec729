using Siamorph.Data;
using Siamorph.Evaluation.Statistics;
using Siamorph.Imaging;
using Siamorph.Siamese;

namespace Siamorph.Experiment.Safety;

/// <summary>What a safety audit is told.</summary>
internal sealed record SafetyOptions
{
    /// <summary>Noises for each image in the membership test.</summary>
    public int Draws { get; init; } = 10;

    /// <summary>
    /// Share of images that were never trained on that may look like a near-copy: this sets the limit; in (0, 0.5).
    /// </summary>
    public double CopyShare { get; init; } = 0.01;

    /// <summary>Where the model runs in the membership test.</summary>
    public ComputeDevice Device { get; init; }

    /// <summary>Decides the choice of images where one side has more, and the noises.</summary>
    public Seed Seed { get; init; }

    /// <summary>Checks all options.</summary>
    /// <exception cref="InvalidOptionsException">Lists every fault.</exception>
    public void Validate()
    {
        var faults = new List<string>();
        if (Draws < 1) faults.Add($"draws is {Draws}; at least 1 is needed.");
        if (CopyShare is not (> 0 and < 0.5))
            faults.Add(FormattableString.Invariant($"copyShare is {CopyShare}; it must be in (0, 0.5)."));
        if (faults.Count > 0) throw new InvalidOptionsException(faults);
    }
}

/// <summary>What a safety audit looks at.</summary>
internal sealed record AuditedSet
{
    /// <summary>The synthetic pairs.</summary>
    public required IReadOnlyList<ImageMaskPair> Synthetic { get; init; }

    /// <summary>The pairs that the model was trained on.</summary>
    public required IReadOnlyList<ImageMaskPair> Trained { get; init; }

    /// <summary>Pairs that had no part in training.</summary>
    public required IReadOnlyList<ImageMaskPair> HoldOut { get; init; }

    /// <summary>Images without masks that base training learned from; their mask paths are empty.</summary>
    public IReadOnlyList<ImageMaskPair> Unlabelled { get; init; } = [];

    /// <summary>What `train` wrote; null leaves the membership test out.</summary>
    public string? RunFolder { get; init; }
}

/// <summary>
/// Looks for training images in synthetic ones, and for signs in the model that an image was trained on. Both are calibrated
/// by images that were never trained on: a distance to the nearest training image means little by itself.
/// </summary>
internal static class SafetyAudit
{
    private const double CopyRatio = 0.5; // a copy is far nearer to its original than to anything else
    private const int Permutations = 9999;
    private const int MostMembers = 2000; // unlabelled images may be very many: more say little more about membership

    /// <summary>Audits a model and its synthetic pairs.</summary>
    /// <param name="set">What to look at.</param>
    /// <param name="options">How.</param>
    /// <param name="monitor">Watches.</param>
    /// <exception cref="InvalidDatasetException">A side is too small, or an image is on both sides.</exception>
    public static SafetyReport Run(AuditedSet set, SafetyOptions options, IMonitor monitor)
    {
        ArgumentNullException.ThrowIfNull(set);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(monitor);
        options.Validate();
        RefuseSmall(set);
        IReadOnlyList<ImageMaskPair> seen = [.. set.Trained, .. set.Unlabelled];
        var (ofSynthetic, ofSeen, ofHoldOut) = (Read(set.Synthetic, monitor), Read(seen, monitor), Read(set.HoldOut, monitor));
        var toSeen = ofHoldOut.Select(h => Nearest(h, ofSeen)).ToList();
        RefuseLeak(seen, set.HoldOut, toSeen);
        var limit = Quantiles.Of(toSeen.Select(h => h.Distance), options.CopyShare);
        var trained = NearnessOf(ofSynthetic, ofSeen[..set.Trained.Count], ofHoldOut, options);
        var copies = ofSynthetic.Select((image, i) => (image, set.Synthetic[i].Id, Original: Nearest(image, ofSeen)))
            .Where(x => x.Original.Distance < limit)
            .Select(x => new NearestImages(x.Id, seen[x.Original.Index].Id, x.Original.Distance,
            Nearest(x.image, ofHoldOut).Distance)
            {
                Unlabelled = x.Original.Index >= set.Trained.Count,
            })
            .Where(x => x.Ratio < CopyRatio).OrderBy(x => x.ToTrained);
        using var model = set.RunFolder is null ? null : SiamesePipeline.Load(set.RunFolder);
        model?.MoveTo(Placement.On(options.Device));
        return new SafetyReport
        {
            Synthetic = set.Synthetic.Count,
            EditedReal = set.Synthetic.Count(p => p.Origin?.IsEditedReal == true),
            Trained = set.Trained.Count,
            HoldOut = set.HoldOut.Count,
            CloserToTrained = trained.Closer,
            CloserP = trained.P,
            MedianRatio = trained.MedianRatio,
            CopyLimit = limit,
            CopyShare = options.CopyShare,
            Copies = [.. copies],
            Loss = Losses(model, set.Trained, set.HoldOut, options, monitor),
            Unlabelled = set.Unlabelled.Count == 0 ? null
                : OfUnlabelled(set, NearnessOf(ofSynthetic, ofSeen[set.Trained.Count..], ofHoldOut, options), model,
                options, monitor),
        };
    }

    private sealed record Nearness(double Closer, double P, double MedianRatio);

    // The nearest of many is nearer than the nearest of few: both sides get the same number.
    private static Nearness NearnessOf(Thumbnail[] synthetic, Thumbnail[] seen, Thumbnail[] holdOut, SafetyOptions options)
    {
        var n = Math.Min(seen.Length, holdOut.Length);
        var (own, held) = (Choose(seen, n, options, "trained"), Choose(holdOut, n, options, "hold-out"));
        var both = synthetic.Select(s => (Own: Nearest(s, own), Held: Nearest(s, held))).ToList();
        var drawnTo = new int[2 * n]; // how many synthetic images have this real one for their nearest: first those trained on
        foreach (var b in both) drawnTo[b.Own.Distance < b.Held.Distance ? b.Own.Index : n + b.Held.Index]++;
        return new((double)drawnTo[..n].Sum() / both.Count, ByChance(drawnTo, options.Seed.Derive("permutations").Random()),
            Quantiles.Of(both.Select(b => b.Held.Distance > 0 ? b.Own.Distance / b.Held.Distance : 1), 0.5));
    }

    // Synthetic images are not independent: many may flock to one real image that looks like the average. So the labels of the
    // real images are drawn anew, not those of the synthetic ones.
    private static double ByChance(int[] drawnTo, SeededRandom random)
    {
        var (n, all) = (drawnTo.Length / 2, drawnTo.Sum());
        var seen = Math.Abs(2 * drawnTo[..n].Sum() - all);
        var asFar = 1;
        for (var k = 0; k < Permutations; k++)
            if (Math.Abs(2 * random.Permutation(2 * n)[..n].Sum(i => drawnTo[i]) - all) >= seen) asFar++;
        return (double)asFar / (Permutations + 1);
    }

    // Without masks on either side, and without prompts: what is compared has to differ in nothing but training.
    private static UnlabelledFindings OfUnlabelled(
        AuditedSet set, Nearness nearness, SiamesePipeline? model, SafetyOptions options, IMonitor monitor)
    {
        IReadOnlyList<ImageMaskPair> members = [.. Permuted(set.Unlabelled, options, "unlabelled").Take(MostMembers)];
        IReadOnlyList<ImageMaskPair> others = [.. set.HoldOut.Select(p => p with { MaskPath = "", Prompt = "" })];
        return new(set.Unlabelled.Count, nearness.Closer, nearness.P, nearness.MedianRatio,
            Losses(model, members, others, options, monitor));
    }

    private static Membership? Losses(
        SiamesePipeline? pipeline, IReadOnlyList<ImageMaskPair> members, IReadOnlyList<ImageMaskPair> others,
        SafetyOptions options, IMonitor monitor)
    {
        if (pipeline is null) return null;
        IReadOnlyList<double> Of(IReadOnlyList<ImageMaskPair> pairs)
        {
            using var data = PairedDataset.Load(pairs,
                new ImageSize(pipeline.Options.ImageSize, pipeline.Options.ImageSize), monitor);
            return [.. DenoisingLosses.Of(pipeline, data, options.Draws, options.Seed.Derive("membership"), monitor)
                .Select(l => -l)];
        }
        return MembershipTest.Run(Of(members), Of(others), options.Seed.Derive("interval"));
    }

    private static void RefuseSmall(AuditedSet set)
    {
        if (set.Synthetic.Count == 0) throw new InvalidDatasetException("There are no synthetic pairs to check.");
        if (set.Trained.Count < 2) throw new InvalidDatasetException(
            $"There are {set.Trained.Count} training pairs; at least 2 are needed.");
        if (set.HoldOut.Count < 2) throw new InvalidDatasetException(
            $"There are {set.HoldOut.Count} pairs that were not trained on; at least 2 are needed. Hold some pairs out: without "
                + $"them no distance can be judged.");
    }

    private static void RefuseLeak(
        IReadOnlyList<ImageMaskPair> seen, IReadOnlyList<ImageMaskPair> holdOut, List<(int Index, double Distance)> nearest)
    {
        for (var i = 0; i < nearest.Count; i++)
        {
            var (index, distance) = nearest[i];
            if (distance == 0)
                throw new InvalidDatasetException(
                    $"{holdOut[i].ImagePath}: is held out, but the same image as {seen[index].Id}, which was trained on. Remove "
                        + $"it from one side.");
        }
    }

    private static Thumbnail[] Read(IReadOnlyList<ImageMaskPair> pairs, IMonitor monitor)
    {
        var read = new Thumbnail[pairs.Count];
        Parallel.For(0, read.Length, new ParallelOptions
        {
            CancellationToken = monitor.Cancellation, MaxDegreeOfParallelism = Environment.ProcessorCount,
        },
            i => read[i] = new Thumbnail(PairFiles.ReadImage(pairs[i])));
        return read;
    }

    private static Thumbnail[] Choose(Thumbnail[] all, int count, SafetyOptions options, string side)
        => [.. Permuted(all, options, side).Take(count)];

    private static IEnumerable<T> Permuted<T>(IReadOnlyList<T> all, SafetyOptions options, string purpose)
        => options.Seed.Derive(purpose).Random().Permutation(all.Count).Select(i => all[i]);

    private static (int Index, double Distance) Nearest(Thumbnail image, Thumbnail[] others)
        => others.Select((o, i) => (i, o.DistanceUpToMirroring(image))).MinBy(x => x.Item2);
}
