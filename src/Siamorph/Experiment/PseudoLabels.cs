using System.Globalization;
using Siamorph.Data;
using Siamorph.Data.Folders;
using Siamorph.Experiment.Scheduling;
using Siamorph.Imaging;
using Siamorph.Segmentation;
using static TorchSharp.torch;

namespace Siamorph.Experiment;

/// <summary>
/// Images without masks and the masks that a trained network finds in them, as a dataset folder of the network's image size.
/// They count as added pairs: what weighs or mixes synthetic pairs acts on them in the same way.
/// </summary>
internal static class PseudoLabels
{
    private const int AtOnce = 32;

    /// <summary>Writes the pairs anew.</summary>
    /// <param name="predictor">The network.</param>
    /// <param name="images">What it looks at.</param>
    /// <param name="folder">Receives the pairs and their manifest.</param>
    /// <param name="soft">Masks hold probabilities (grey levels) instead of a decision; not where there are several
    /// classes.</param>
    /// <param name="monitor">Sees the progress and may stop.</param>
    public static LabellingOutcome Write(
        Predictor predictor, IReadOnlyList<ImageMaskPair> images, string folder, bool soft, IMonitor monitor)
    {
        using var stage = monitor.Begin("Labelling images", images.Count);
        var pairs = new List<ImageMaskPair>();
        var done = 0;
        foreach (var chunk in images.Chunk(AtOnce))
        {
            monitor.Cancellation.ThrowIfCancellationRequested();
            pairs.AddRange(Label(predictor, chunk, done, folder, soft));
            stage.Report(done += chunk.Length);
        }
        if (pairs.Count == 0)
            throw new InvalidDatasetException(
                $"The baseline's network finds no lesion in any of the {images.Count} images without masks. Train it longer, or "
                    + $"give images that show lesions.");
        if (predictor.Classes is { } classes)
            AtomicFile.WriteText(Path.Combine(folder, ClassTable.FileName), classes.ToJson() + "\n");
        DatasetFolder.WriteManifest(folder, pairs);
        return new(pairs.Count, images.Count - pairs.Count, ContentHash.OfList(pairs, ContentHash.OfEach(pairs, monitor)));
    }

    private static List<ImageMaskPair> Label(Predictor predictor, ImageMaskPair[] chunk, int first, string folder, bool soft)
    {
        using var scope = NewDisposeScope();
        var pictures = chunk.Select(p => Resize.Image(PairFiles.ReadImage(predictor.AsTrained(p)), predictor.ImageSize)).ToList();
        var probabilities = predictor.Predict(stack([.. pictures.Select(ImageTensor.FromRgb)]));
        var pairs = new List<ImageMaskPair>();
        for (var i = 0; i < chunk.Length; i++)
        {
            var mask = predictor.Labels(probabilities[i..(i + 1)]);
            if (mask.Labels.All(l => l == 0)) continue;
            var pair = Pair(first + i, folder) with { Classes = predictor.Classes };
            if (predictor.Classes is { } classes) ImageFile.WriteGreyPng(pair.MaskPath, classes.Levels(mask));
            else if (soft) WriteProbabilities(pair.MaskPath, probabilities[i]);
            else ImageFile.WriteMaskPng(pair.MaskPath, mask);
            ImageFile.WritePng(pair.ImagePath, pictures[i]);
            pairs.Add(pair);
        }
        return pairs;
    }

    // In 16 bits: read again, no map of them can be taken for numbers of classes.
    private static void WriteProbabilities(string path, Tensor probability)
    {
        using var scope = NewDisposeScope();
        var (height, width) = ((int)probability.shape[1], (int)probability.shape[2]);
        var levels = (probability[0] * ushort.MaxValue).round().to_type(ScalarType.Int32).contiguous().data<int>().ToArray();
        ImageFile.WriteGreyPng16(path, new(width, height), Array.ConvertAll(levels, l => (ushort)l));
    }

    // A name of its own: an image without a mask may be called as a labelled one is.
    private static ImageMaskPair Pair(int number, string folder)
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"unlabelled-{number:00000}");
        return new()
        {
            Id = id,
            ImagePath = Path.Combine(Path.GetFullPath(folder), "images", $"{id}.png"),
            MaskPath = Path.Combine(Path.GetFullPath(folder), "masks", $"{id}.png"),
            Source = PairSource.Synthetic,
            Split = "train",
        };
    }
}
