using Siamorph.Data;
using Siamorph.Evaluation;
using Siamorph.Imaging;
using Siamorph.Siamese;

namespace Siamorph.Experiment;

/// <summary>What a safety audit is told.</summary>
public sealed record SafetyOptions
{
    /// <summary>Noises for each image in the membership test.</summary>
    public int Draws { get; init; } = 10;

    /// <summary>Share of images that were never trained on that may look like a near-copy: this sets the limit; in (0, 0.5).</summary>
    public double CopyShare { get; init; } = 0.01;

    /// <summary>Decides the choice of images where one side has more, and the noises.</summary>
    public ulong Seed { get; init; }

    /// <summary>Checks all options.</summary>
    /// <exception cref="InvalidOptionsException">Lists every fault.</exception>
    public void Validate()
    {
        var faults = new List<string>();
        if (Draws < 1) faults.Add($"draws is {Draws}; at least 1 is needed.");
        if (CopyShare is not (> 0 and < 0.5)) faults.Add(FormattableString.Invariant($"copyShare is {CopyShare}; it lies in (0, 0.5)."));
        if (faults.Count > 0) throw new InvalidOptionsException(faults);
    }
}

/// <summary>
/// Looks for training images in synthetic ones, and for signs in the model that an image was trained on. Both are calibrated
/// by images that were never trained on: a distance to the nearest training image means little by itself.
/// </summary>
public static class SafetyAudit
{
    private const double CopyRatio = 0.5; // a copy is far nearer to its original than to anything else

    /// <summary>Audits a model and its synthetic pairs.</summary>
    /// <param name="runFolder">What `train` wrote; null leaves the membership test out.</param>
    /// <param name="synthetic">The synthetic pairs.</param>
    /// <param name="trained">The pairs that the model was trained on.</param>
    /// <param name="holdOut">Pairs that had no part in training.</param>
    /// <param name="options">How.</param>
    /// <param name="monitor">Watches.</param>
    /// <exception cref="InvalidDatasetException">A side is too small, or an image is on both sides.</exception>
    public static SafetyReport Run(
        string? runFolder, IReadOnlyList<ImageMaskPair> synthetic, IReadOnlyList<ImageMaskPair> trained, IReadOnlyList<ImageMaskPair> holdOut,
        SafetyOptions options, IMonitor monitor)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(monitor);
        options.Validate();
        RefuseSmall(synthetic, trained, holdOut);
        var (ofSynthetic, ofTrained, ofHoldOut) = (Read(synthetic, monitor), Read(trained, monitor), Read(holdOut, monitor));
        RefuseLeak(trained, holdOut, ofTrained, ofHoldOut);
        // The nearest of many is nearer than the nearest of few: both sides get the same number.
        var n = Math.Min(ofTrained.Length, ofHoldOut.Length);
        var (train, hold) = (Choose(ofTrained, n, options, "trained"), Choose(ofHoldOut, n, options, "hold-out"));
        var limit = Quantile(ofHoldOut.Select(h => Nearest(h, ofTrained).Distance), options.CopyShare);
        var near = ofSynthetic.Select((s, i) => Look(synthetic[i].Id, s, trained, ofTrained, train, hold)).ToList();
        var copies = near.Where(x => x.ToTrained < limit && x.Ratio < CopyRatio).OrderBy(x => x.ToTrained).ToList();
        return new SafetyReport
        {
            Synthetic = synthetic.Count,
            Trained = trained.Count,
            HoldOut = holdOut.Count,
            CloserToTrained = (double)near.Count(x => x.Closer) / near.Count,
            CloserP = SignTest(near.Count(x => x.Closer), near.Count),
            MedianRatio = Quantile(near.Select(x => x.Ratio), 0.5),
            CopyLimit = limit,
            Copies = copies,
            Loss = runFolder is null ? null : Losses(runFolder, trained, holdOut, options, monitor),
        };
    }

    private static NearestImages Look(string id, Miniature image, IReadOnlyList<ImageMaskPair> trained, Miniature[] all, Miniature[] train, Miniature[] hold)
    {
        var (index, distance) = Nearest(image, all);
        var (toTrain, toHold) = (Nearest(image, train).Distance, Nearest(image, hold).Distance);
        return new(id, trained[index].Id, distance, toHold, toTrain < toHold);
    }

    private static Membership Losses(
        string runFolder, IReadOnlyList<ImageMaskPair> trained, IReadOnlyList<ImageMaskPair> holdOut, SafetyOptions options, IMonitor monitor)
    {
        using var pipeline = SiamesePipeline.Load(runFolder);
        IReadOnlyList<double> Of(IReadOnlyList<ImageMaskPair> pairs)
        {
            using var data = PairedDataset.Load(pairs, new ImageSize(pipeline.Options.ImageSize, pipeline.Options.ImageSize), monitor);
            return [.. DenoisingLosses.Of(pipeline, data, options.Draws, new Seed(options.Seed).Derive("membership"), monitor).Select(l => -l)];
        }
        return MembershipTest.Run(Of(trained), Of(holdOut), new Seed(options.Seed).Derive("interval"));
    }

    private static void RefuseSmall(IReadOnlyList<ImageMaskPair> synthetic, IReadOnlyList<ImageMaskPair> trained, IReadOnlyList<ImageMaskPair> holdOut)
    {
        if (synthetic.Count == 0) throw new InvalidDatasetException("There is no synthetic pair to look at.");
        if (trained.Count < 2) throw new InvalidDatasetException($"There are {trained.Count} training pairs; at least 2 are needed.");
        if (holdOut.Count < 2) throw new InvalidDatasetException($"There are {holdOut.Count} pairs that were never trained on; at least 2 are needed. Keep some aside: without them no distance can be judged.");
    }

    private static void RefuseLeak(IReadOnlyList<ImageMaskPair> trained, IReadOnlyList<ImageMaskPair> holdOut, Miniature[] ofTrained, Miniature[] ofHoldOut)
    {
        for (var i = 0; i < ofHoldOut.Length; i++)
        {
            var (index, distance) = Nearest(ofHoldOut[i], ofTrained);
            if (distance == 0)
                throw new InvalidDatasetException($"{holdOut[i].ImagePath}: is held out, but the same image as {trained[index].Id}, which was trained on. Remove it from one side.");
        }
    }

    private static Miniature[] Read(IReadOnlyList<ImageMaskPair> pairs, IMonitor monitor)
    {
        var read = new Miniature[pairs.Count];
        Parallel.For(0, read.Length, new ParallelOptions { CancellationToken = monitor.Cancellation, MaxDegreeOfParallelism = Environment.ProcessorCount },
            i => read[i] = new Miniature(PairFiles.ReadImage(pairs[i])));
        return read;
    }

    private static Miniature[] Choose(Miniature[] all, int count, SafetyOptions options, string side)
        => [.. new Seed(options.Seed).Derive(side).Random().Permutation(all.Length)[..count].Select(i => all[i])];

    private static (int Index, double Distance) Nearest(Miniature image, Miniature[] others)
        => others.Select((o, i) => (i, o.DistanceUpToMirroring(image))).MinBy(x => x.Item2);

    // Two-sided: how often would a fair coin fall as unevenly? By the normal approximation with continuity correction.
    private static double SignTest(int heads, int n)
        => Math.Min(1, 2 * (1 - StudentT.Cdf(Math.Max(0, Math.Abs(heads - n / 2.0) - 0.5) / Math.Sqrt(n / 4.0), double.PositiveInfinity)));

    private static double Quantile(IEnumerable<double> values, double share)
    {
        var sorted = values.Order().ToArray();
        var at = share * (sorted.Length - 1);
        var below = (int)at;
        return sorted[below] + (at - below) * (sorted[Math.Min(below + 1, sorted.Length - 1)] - sorted[below]);
    }
}
