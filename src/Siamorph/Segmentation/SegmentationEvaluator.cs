using System.Runtime.InteropServices;
using Siamorph.Data;
using Siamorph.Evaluation.Masks;
using Siamorph.Imaging;
using static TorchSharp.torch;

namespace Siamorph.Segmentation;

/// <summary>Scores a network against masks: Dice and IoU of each image at 0.5, and the field's 256-threshold protocol.</summary>
public static class SegmentationEvaluator
{
    private const int Batch = 16;

    /// <summary>Scores a network on pairs in memory, at their size there.</summary>
    /// <param name="predictor">The network.</param>
    /// <param name="data">Pairs loaded at the network's size.</param>
    /// <param name="monitor">Sees each batch and may stop.</param>
    /// <exception cref="ArgumentException">The pairs have another size.</exception>
    /// <exception cref="OperationCanceledException">The monitor asked to stop.</exception>
    public static MaskScores Evaluate(Predictor predictor, PairedDataset data, IMonitor monitor)
    {
        ArgumentNullException.ThrowIfNull(predictor);
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(monitor);
        if (data.Size != predictor.ImageSize)
            throw new ArgumentException($"The pairs are {data.Size}, the network takes {predictor.ImageSize}.", nameof(data));
        var scoring = new MaskScoring();
        using var stage = monitor.Begin("Evaluating", data.Count);
        for (var first = 0; first < data.Count; first += Batch)
        {
            monitor.Cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var last = Math.Min(first + Batch, data.Count);
            var probabilities = Predictor.Foreground(predictor.Predict(Predictor.ToUnit(data.Images[first..last])));
            for (var i = first; i < last; i++)
            {
                var map = ProbabilityMap.FromProbabilities(data.Size,
                    MemoryMarshal.Cast<byte, float>(probabilities[i - first].contiguous().bytes));
                scoring.Add(data.Pairs[i].Id, new LabelMap(data.Size, data.Masks[i].bytes.ToArray()), map);
            }
            stage.Report(last);
        }
        return scoring.Result();
    }

    /// <summary>Scores a network on files, each at the size of its own mask.</summary>
    /// <exception cref="InvalidDatasetException">A file is damaged, or a mask has another size than its image.</exception>
    /// <exception cref="OperationCanceledException">The monitor asked to stop.</exception>
    public static MaskScores Evaluate(Predictor predictor, IReadOnlyList<ImageMaskPair> pairs, IMonitor monitor)
    {
        ArgumentNullException.ThrowIfNull(predictor);
        ArgumentNullException.ThrowIfNull(pairs);
        ArgumentNullException.ThrowIfNull(monitor);
        if (pairs.Count == 0) throw new InvalidDatasetException(
            "There are no pairs to evaluate. Check the folder and its splits.");
        var scoring = new MaskScoring();
        using var stage = monitor.Begin("Evaluating", pairs.Count);
        for (var i = 0; i < pairs.Count; i++)
        {
            monitor.Cancellation.ThrowIfCancellationRequested();
            var truth = PairFiles.ReadMask(pairs[i]);
            var map = predictor.Predict(PairFiles.ReadImage(predictor.AsTrained(pairs[i])));
            if (map.Size != truth.Size) map = new(truth.Size, Resize.Levels(map.Levels, map.Size, truth.Size, 1));
            scoring.Add(pairs[i].Id, truth, map);
            stage.Report(i + 1);
        }
        return scoring.Result();
    }

    /// <summary>
    /// Scores a folder of predictions, resized to their truth where they differ; see <see cref="MaskFolders.Match"/>.
    /// </summary>
    /// <param name="truth">A dataset folder, or a folder of masks.</param>
    /// <param name="predictions">A folder of images, or one that "segment predict" has written (its probability maps are
    /// taken).</param>
    /// <param name="monitor">Sees each image and may stop.</param>
    /// <exception cref="InvalidDatasetException">Names don't match, or a file is damaged.</exception>
    /// <exception cref="OperationCanceledException">The monitor asked to stop.</exception>
    public static MaskScores Evaluate(string truth, string predictions, IMonitor monitor)
    {
        ArgumentNullException.ThrowIfNull(monitor);
        var pairs = MaskFolders.Match(truth, predictions, new() { ResizePredictions = true });
        var scoring = new MaskScoring();
        using var stage = monitor.Begin("Evaluating", pairs.Count);
        for (var i = 0; i < pairs.Count; i++)
        {
            monitor.Cancellation.ThrowIfCancellationRequested();
            var (mask, map) = pairs[i].Open();
            scoring.Add(pairs[i].Id, mask, map);
            stage.Report(i + 1);
        }
        return scoring.Result();
    }
}
