using Siamorph.Data;

namespace Siamorph.Segmentation.Batches;

/// <summary>
/// Which images each training step sees: every stream is shuffled anew for each of its rounds, batches run on over the
/// ends of rounds. A function of seed and step alone.
/// </summary>
internal sealed class SampleOrder
{
    private readonly int _batchSize;
    private readonly double _share; // of the second stream
    private readonly Stream _first, _second;
    private readonly Stream? _warmup;
    private readonly long _warmupSteps;

    /// <summary>The order that the options ask for.</summary>
    /// <exception cref="InvalidOptionsException">A share asks for a source that has no pairs.</exception>
    public SampleOrder(IReadOnlyList<ImageMaskPair> pairs, SegmentationOptions options)
        : this(pairs, options.BatchSize, ShareOf(pairs, options), options.Seed.Derive("order"))
    {
        if (options.SyntheticWarmup > 0 && pairs.Any(p => p.Source == PairSource.Synthetic))
            _warmup = new(Members(pairs, p => p.Source == PairSource.Synthetic), options.Seed.Derive("order").Derive("warm-up"));
        _warmupSteps = _warmup is null ? 0 : (long)(options.SyntheticWarmup * options.Steps);
    }

    /// <param name="pairs">The training pairs.</param>
    /// <param name="batchSize">Images per step.</param>
    /// <param name="syntheticFraction">Share of synthetic images; null mixes all pairs in one stream.</param>
    /// <param name="seed">Of the shuffles.</param>
    /// <exception cref="InvalidOptionsException">The share asks for a source that has no pairs.</exception>
    public SampleOrder(IReadOnlyList<ImageMaskPair> pairs, int batchSize, double? syntheticFraction, Seed seed)
    {
        _batchSize = batchSize;
        _share = syntheticFraction ?? 0;
        _first = new(Members(pairs, p => syntheticFraction is null || p.Source == PairSource.Real), seed.Derive("first"));
        _second = new(Members(pairs, p => p.Source == PairSource.Synthetic), seed.Derive("second"));
        if (_share < 1 && _first.Count == 0)
            throw new InvalidOptionsException("There are no real training pairs. Add some, or set syntheticFraction to 1.");
        if (_share > 0 && _second.Count == 0)
            throw new InvalidOptionsException(
                "There are no synthetic training pairs, but syntheticFraction asks for some. Add some, or leave it out.");
    }

    /// <summary>The indices of the images of a step, 0 …</summary>
    public int[] Batch(long step)
    {
        var batch = new int[_batchSize];
        for (var i = 0; i < _batchSize; i++)
            batch[i] = step < _warmupSteps ? _warmup![step * _batchSize + i] : Sample((step - _warmupSteps) * _batchSize + i);
        return batch;
    }

    // A limit on synthetic images a real one makes two streams where the plain mixture would exceed it.
    private static double? ShareOf(IReadOnlyList<ImageMaskPair> pairs, SegmentationOptions options)
    {
        if (options.MaxSyntheticPerReal is not { } most) return options.SyntheticFraction;
        var synthetic = pairs.Count(p => p.Source == PairSource.Synthetic);
        if (synthetic == 0 || synthetic == pairs.Count) return options.SyntheticFraction;
        var share = options.SyntheticFraction ?? (double)synthetic / pairs.Count;
        return share <= most / (1 + most) ? options.SyntheticFraction : most / (1 + most);
    }

    private static int[] Members(IReadOnlyList<ImageMaskPair> pairs, Func<ImageMaskPair, bool> wanted)
        => [.. Enumerable.Range(0, pairs.Count).Where(i => wanted(pairs[i]))];

    // Of the first n samples, floor(n · share) are from the second stream.
    private int Sample(long n)
    {
        var before = (long)Math.Floor(n * _share);
        return (long)Math.Floor((n + 1) * _share) > before ? _second[before] : _first[n - before];
    }

    private sealed class Stream(int[] members, Seed seed)
    {
        private long _round = -1;
        private int[] _order = [];

        public int Count => members.Length;

        public int this[long n]
        {
            get
            {
                var round = n / members.Length;
                if (round != _round) (_round, _order) = (round, seed.Derive(round).Random().Permutation(members.Length));
                return members[_order[n % members.Length]];
            }
        }
    }
}
