using System.Runtime.InteropServices;
using Siamorph.Data;
using Siamorph.Data.Folders;
using Siamorph.Evaluation.Masks;
using Siamorph.Imaging;
using static TorchSharp.torch;

namespace Siamorph.Segmentation;

/// <summary>The scores of a network on images that were corrupted in one way.</summary>
/// <param name="Corruption">In which way.</param>
/// <param name="Strength">How much, 1 to <see cref="Imaging.Corruption.Strengths"/>; 0 for the images as they are.</param>
/// <param name="Dice">Mean of <paramref name="Images"/>.</param>
/// <param name="Images">Dice at 0.5 of each image, in the order of the pairs, to four decimals.</param>
internal sealed record CorruptedScores(CorruptionKind Corruption, int Strength, double Dice, IReadOnlyList<double> Images);

/// <summary>A network on images as they are and corrupted.</summary>
/// <param name="Clean">Scores of the images as they are, at the network's size.</param>
/// <param name="Conditions">One for each kind and strength.</param>
internal sealed record RobustnessScores(MaskScores Clean, IReadOnlyList<CorruptedScores> Conditions);

/// <summary>Scores a network on corrupted images: no training, only inference. Masks stay as they are.</summary>
internal static class RobustnessEvaluator
{
    private const int Batch = 16;

    /// <summary>
    /// Scores every kind at every strength. Images are corrupted at the network's size, each with a seed of its own.
    /// </summary>
    /// <param name="predictor">The network.</param>
    /// <param name="data">Pairs loaded at the network's size.</param>
    /// <param name="kinds">Which corruptions.</param>
    /// <param name="seed">Decides, with kind and id, what is drawn for an image: the same for every network.</param>
    /// <param name="monitor">Counts corrupted images and may stop.</param>
    /// <returns>Three records for each kind, by strength.</returns>
    /// <exception cref="ArgumentException">The pairs have another size.</exception>
    /// <exception cref="OperationCanceledException">The monitor asked to stop.</exception>
    public static IReadOnlyList<CorruptedScores> Evaluate(
        Predictor predictor, PairedDataset data, IReadOnlyList<CorruptionKind> kinds, Seed seed, IMonitor monitor)
    {
        ArgumentNullException.ThrowIfNull(predictor);
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(kinds);
        ArgumentNullException.ThrowIfNull(monitor);
        if (data.Size != predictor.ImageSize)
            throw new ArgumentException($"The pairs are {data.Size}, the network takes {predictor.ImageSize}.", nameof(data));
        using var stage = monitor.Begin("Testing on corrupted images", Images(data.Count, kinds.Count));
        var results = new List<CorruptedScores>();
        foreach (var kind in kinds)
            for (var strength = 1; strength <= Corruption.Strengths; strength++)
            {
                var scores = Score(predictor, data, kind, strength, seed, monitor,
                    done => stage.Report(results.Count * data.Count + done));
                results.Add(new(kind, strength, scores.Average(), scores));
            }
        return results;
    }

    /// <summary>
    /// The same for a finished run and a dataset folder: its split "test", or all pairs where it has no splits.
    /// </summary>
    /// <exception cref="SiamorphException">Run or folder can't be used.</exception>
    /// <inheritdoc cref="Evaluate(Predictor, PairedDataset, IReadOnlyList{CorruptionKind}, Seed, IMonitor)"/>
    public static RobustnessScores Evaluate(
        string run, string dataset, IReadOnlyList<CorruptionKind> kinds, Seed seed, IMonitor monitor,
        ComputeDevice device = ComputeDevice.Cpu)
    {
        using var predictor = Predictor.Load(run, Placement.On(device));
        var folder = DatasetFolder.Read(dataset, monitor);
        var pairs = folder.Pairs.All(p => p.Split is null) ? folder.Pairs : folder.Of("test");
        if (pairs.Count == 0) throw new InvalidDatasetException(
            $"{dataset}: is split, but has no pair in \"test\". Make one with \"siamorph data split\".");
        using var data = PairedDataset.Load(pairs, predictor.ImageSize, monitor);
        return new(SegmentationEvaluator.Evaluate(predictor, data, monitor), Evaluate(predictor, data, kinds, seed, monitor));
    }

    /// <summary>How many images a run predicts.</summary>
    internal static int Images(int pairs, int kinds) => pairs * kinds * Corruption.Strengths;

    /// <summary>The seed of an image's corruption: the same at all strengths and for all networks.</summary>
    internal static Seed SeedOf(Seed seed, CorruptionKind kind, string id) =>
        seed.Derive("corruption").Derive(kind.ToString()).Derive(id);

    private static double[] Score(
        Predictor predictor, PairedDataset data, CorruptionKind kind, int strength, Seed seed, IMonitor monitor,
        Action<int> report)
    {
        var scores = new double[data.Count];
        for (var first = 0; first < data.Count; first += Batch)
        {
            monitor.Cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var last = Math.Min(first + Batch, data.Count);
            var images = new Tensor[last - first];
            for (var i = first; i < last; i++)
                images[i - first] = ImageTensor.FromRgb(
                    Corruption.Apply(data.Image(i), kind, strength, SeedOf(seed, kind, data.Pairs[i].Id)));
            var probabilities = Predictor.Foreground(predictor.Predict(stack(images)));
            for (var i = first; i < last; i++)
            {
                var map = ProbabilityMap.FromProbabilities(data.Size,
                    MemoryMarshal.Cast<byte, float>(probabilities[i - first].contiguous().bytes));
                scores[i] = Math.Round(Confusion.AtHalf(data.Mask(i), map).Dice, 4);
            }
            report(last);
        }
        return scores;
    }
}
