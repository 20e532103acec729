using System.Runtime.InteropServices;
using Siamorph.Data;
using Siamorph.Evaluation.Masks;
using static TorchSharp.torch;

namespace Siamorph.Segmentation;

/// <summary>
/// Several networks, each trained on the real pairs without one fold: together they judge other images, and each real pair
/// is judged by the one network that did not see it. Pairs of one group share a fold.
/// </summary>
internal static class OutOfFoldEnsemble
{
    private const int Batch = 16;

    /// <summary>Trains the networks and lets them look.</summary>
    /// <param name="options">How each network is trained; it takes the weights of the last step.</param>
    /// <param name="folds">Number of networks, at least 2.</param>
    /// <param name="real">The real pairs.</param>
    /// <param name="others">Pairs whose images all networks look at.</param>
    /// <param name="folder">Where the networks are kept; a run that was stopped goes on there.</param>
    /// <param name="monitor">Watches.</param>
    /// <returns>For each real pair and for each other pair the probabilities, at the networks' size.</returns>
    /// <exception cref="InvalidDatasetException">There are fewer units than folds, or a file is damaged.</exception>
    public static (IReadOnlyList<ProbabilityMap> Real, IReadOnlyList<ProbabilityMap> Others) Look(
        SegmentationOptions options, int folds, IReadOnlyList<ImageMaskPair> real, IReadOnlyList<ImageMaskPair> others,
        string folder, IMonitor monitor)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(real);
        ArgumentNullException.ThrowIfNull(others);
        ArgumentNullException.ThrowIfNull(monitor);
        var foldOf = Folds(real, folds, options.Seed.Derive("folds"));
        options = options with { ValidateEvery = options.Steps }; // one look at the end: nothing is chosen by the fold held out
        var found = new ProbabilityMap[real.Count];
        using var unseen = PairedDataset.Load(others, options.ImageSize, monitor);
        var sums = new float[others.Count][];
        for (var fold = 0; fold < folds; fold++)
        {
            var held = Enumerable.Range(0, real.Count).Where(i => foldOf[i] == fold).ToArray();
            using var heldOut = PairedDataset.Load([.. held.Select(i => real[i])], options.ImageSize, monitor);
            using var network = Train(options, fold, [.. real.Where((_, i) => foldOf[i] != fold)], heldOut, folder, monitor);
            Each(network, heldOut, (i, p) => found[held[i]] = ProbabilityMap.FromProbabilities(options.ImageSize, p));
            Each(network, unseen, (i, p) =>
            {
                sums[i] ??= new float[p.Length];
                for (var k = 0; k < p.Length; k++) sums[i][k] += p[k] / folds;
            });
        }
        return (found, [.. sums.Select(s => ProbabilityMap.FromProbabilities(options.ImageSize, s))]);
    }

    private static Predictor Train(
        SegmentationOptions options, int fold, IReadOnlyList<ImageMaskPair> pairs, PairedDataset heldOut, string folder,
        IMonitor monitor)
    {
        var run = Path.Combine(folder, FormattableString.Invariant($"fold-{fold + 1}"));
        using var train = options.Load(pairs, monitor);
        SegmentationTrainer.Run(options with { Seed = options.Seed.Derive(fold) }, train, heldOut, run, monitor, resume: true);
        return Predictor.Load(run, Placement.On(options.Device));
    }

    private static int[] Folds(IReadOnlyList<ImageMaskPair> pairs, int folds, Seed seed)
    {
        var units = pairs.Select((p, i) => p.Group is null ? $"#{i}" : $"g{p.Group}").ToList();
        var distinct = units.Distinct().ToList();
        if (distinct.Count < folds)
            throw new InvalidDatasetException(
                $"There are {distinct.Count} independent real pairs for {folds} folds. Ask for fewer folds or give more "
                    + $"real pairs.");
        var order = seed.Random().Permutation(distinct.Count);
        var foldOf = distinct.Select((unit, i) => (unit, Fold: order[i] % folds)).ToDictionary(x => x.unit, x => x.Fold);
        return [.. units.Select(u => foldOf[u])];
    }

    private delegate void Looked(int index, ReadOnlySpan<float> probabilities);

    private static void Each(Predictor network, PairedDataset data, Looked looked)
    {
        for (var first = 0; first < data.Count; first += Batch)
        {
            using var scope = NewDisposeScope();
            var last = Math.Min(first + Batch, data.Count);
            var probabilities = network.Predict(Predictor.ToUnit(data.Images[first..last]));
            for (var i = first; i < last; i++)
                looked(i, MemoryMarshal.Cast<byte, float>(probabilities[i - first].contiguous().bytes));
        }
    }
}
