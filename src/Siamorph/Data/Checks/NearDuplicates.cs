using System.Collections.Concurrent;

namespace Siamorph.Data.Checks;

/// <summary>Two images that are the same or look alike.</summary>
/// <param name="First">Index of one pair.</param>
/// <param name="Second">Index of the other, larger.</param>
/// <param name="Same">All pixels are equal.</param>
/// <param name="Distance">Difference-hash bits that differ, of 256.</param>
/// <param name="Difference">Mean absolute difference at 32×32 pixels, in 8-bit levels.</param>
internal sealed record NearDuplicatePair(int First, int Second, bool Same, int Distance, double Difference);

/// <summary>Finds images that are the same or look alike: neighbouring frames, re-encoded or slightly edited copies.</summary>
internal static class NearDuplicates
{
    /// <summary>Largest distance of two 256-bit difference hashes that counts as alike.</summary>
    public const int MaxDistance = 24;

    /// <summary>Largest mean difference at 32×32 pixels that counts as alike, in 8-bit levels.</summary>
    public const double MaxDifference = 10;

    /// <summary>
    /// Opens all images of <paramref name="pairs"/> and compares each with each; images that can't be read are left out.
    /// </summary>
    /// <exception cref="OperationCanceledException">The monitor asked to stop.</exception>
    public static IReadOnlyList<NearDuplicatePair> Find(IReadOnlyList<ImageMaskPair> pairs, IMonitor monitor)
    {
        ArgumentNullException.ThrowIfNull(pairs);
        ArgumentNullException.ThrowIfNull(monitor);
        return Among(Prints(pairs, monitor), monitor);
    }

    /// <summary>Compares each image of one list with each of another.</summary>
    /// <returns><see cref="NearDuplicatePair.First"/> counts in <paramref name="ones"/>, <see cref="NearDuplicatePair.Second"/>
    /// in <paramref name="others"/>.</returns>
    /// <exception cref="OperationCanceledException">The monitor asked to stop.</exception>
    public static IReadOnlyList<NearDuplicatePair> Across(
        IReadOnlyList<ImageMaskPair> ones, IReadOnlyList<ImageMaskPair> others, IMonitor monitor)
    {
        ArgumentNullException.ThrowIfNull(ones);
        ArgumentNullException.ThrowIfNull(others);
        ArgumentNullException.ThrowIfNull(monitor);
        if (others.Count == 0) return [];
        var prints = Prints([.. ones, .. others], monitor);
        var found = new ConcurrentBag<NearDuplicatePair>();
        Parallel.For(0, ones.Count, Options(monitor), i =>
        {
            for (var j = 0; j < others.Count; j++)
                if (prints[i] is { } one && prints[ones.Count + j] is { } other && Compare(one, other, i, j) is { } alike)
                    found.Add(alike);
        });
        return [.. found.OrderBy(l => l.First).ThenBy(l => l.Second)];
    }

    internal static IReadOnlyList<NearDuplicatePair> Among(Fingerprint?[] prints, IMonitor monitor)
    {
        var found = new ConcurrentBag<NearDuplicatePair>();
        Parallel.For(0, prints.Length, Options(monitor), i =>
        {
            if (prints[i] is not { } one) return;
            for (var j = i + 1; j < prints.Length; j++)
                if (prints[j] is { } other && Compare(one, other, i, j) is { } alike) found.Add(alike);
        });
        return [.. found.OrderBy(l => l.First).ThenBy(l => l.Second)];
    }

    private static NearDuplicatePair? Compare(Fingerprint one, Fingerprint other, int i, int j) =>
        one.Distance(other) is <= MaxDistance and var distance && one.Difference(other) is <= MaxDifference and var difference
            ? new NearDuplicatePair(i, j, one.Pixels == other.Pixels, distance, difference)
            : null;

    private static Fingerprint?[] Prints(IReadOnlyList<ImageMaskPair> pairs, IMonitor monitor)
    {
        var prints = new Fingerprint?[pairs.Count];
        using var stage = monitor.Begin("Comparing images", pairs.Count);
        var done = 0;
        Parallel.For(0, pairs.Count, Options(monitor), i =>
        {
            try
            {
                prints[i] = new Fingerprint(PairFiles.ReadImage(pairs[i]));
            }
            catch (InvalidDatasetException)
            {
                // an unreadable image is a finding of the validator; it looks like nothing
            }
            lock (stage) stage.Report(++done);
        });
        return prints;
    }

    private static ParallelOptions Options(IMonitor monitor) =>
        new() { CancellationToken = monitor.Cancellation, MaxDegreeOfParallelism = Environment.ProcessorCount };
}
