using System.Runtime.InteropServices;
using Siamorph.Data;
using Siamorph.Data.Folders;
using Siamorph.Evaluation.ImageSets;
using Siamorph.Evaluation.Masks;
using Siamorph.Imaging;
using static TorchSharp.torch;

namespace Siamorph.Segmentation;

/// <summary>
/// Predictions as files: masks/ (0 and 255), probabilities/ (8-bit grey) and overlays/ (the image with the found outline),
/// each named as its image.
/// </summary>
internal static class PredictionFolder
{
    private const string Masks = "masks", Probabilities = "probabilities", Overlays = "overlays";
    private static readonly (byte, byte, byte) OutlineColour = (80, 255, 80);

    /// <summary>Predicts images of any size and writes what is found. A damaged image doesn't keep the others from it.</summary>
    /// <param name="predictor">The network.</param>
    /// <param name="inputs">Image files, folders of images, or dataset folders.</param>
    /// <param name="folder">Where to write.</param>
    /// <param name="monitor">Sees each image and may stop.</param>
    /// <param name="split">Of dataset folders, the split to take; null takes all pairs.</param>
    /// <returns>How many images were predicted.</returns>
    /// <exception cref="InvalidDatasetException">There is no image, or two have one name; or, after all others, images are
    /// damaged: one line each.</exception>
    /// <exception cref="SiamorphException">The folder can't be written.</exception>
    /// <exception cref="OperationCanceledException">The monitor asked to stop.</exception>
    public static int Write(Predictor predictor, IReadOnlyList<string> inputs, string folder, IMonitor monitor,
        string? split = null)
    {
        ArgumentNullException.ThrowIfNull(predictor);
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentNullException.ThrowIfNull(monitor);
        var images = inputs.SelectMany(i => Images(i, split, monitor)).ToList();
        if (images.Count == 0) throw new InvalidDatasetException(
            $"{string.Join(", ", inputs)}: no image found{(split is null ? "" : $" in the split '{split}'")}.");
        var twice = images.GroupBy(i => i.Id, StringComparer.OrdinalIgnoreCase).FirstOrDefault(g => g.Count() > 1);
        if (twice is not null)
            throw new InvalidDatasetException(
                $"Two images are named '{twice.Key}': {string.Join(" and ", twice.Take(2).Select(i => i.ImagePath))}. Predict "
                    + $"them into two folders.");
        var faults = new List<string>();
        using var alone = FolderLock.Take(folder);
        using var stage = monitor.Begin("Predicting", images.Count);
        for (var i = 0; i < images.Count; i++)
        {
            monitor.Cancellation.ThrowIfCancellationRequested();
            try
            {
                Write(predictor, PairFiles.ReadImage(predictor.AsTrained(images[i])),
                    kind => Path.Combine(folder, kind, $"{images[i].Id}.png"));
            }
            catch (InvalidDatasetException e)
            {
                faults.Add(e.Message);
            }
            stage.Report(i + 1);
        }
        MaskEvaluator.Demand(faults);
        return images.Count;
    }

    private static void Write(Predictor predictor, RgbImage image, Func<string, string> path)
    {
        if (predictor.Classes is { } classes)
        {
            WriteClasses(predictor, classes, image, path);
            return;
        }
        var map = predictor.Predict(image);
        var mask = map.ToMask();
        ImageFile.WriteMaskPng(path(Masks), mask);
        ImageFile.WriteGreyPng(path(Probabilities), new GreyImage(map.Size, map.Levels, Lossless: true));
        ImageFile.WritePng(path(Overlays), ContactSheet.WithOutline(image, mask, OutlineColour, 1));
    }

    // Levels of the class table as the mask, the outline of each class in its colour, and a probability map a class.
    private static void WriteClasses(Predictor predictor, ClassTable classes, RgbImage image, Func<string, string> path)
    {
        using var scope = NewDisposeScope();
        var probabilities = predictor.PredictClasses(image);
        var labels = predictor.Labels(probabilities);
        ImageFile.WriteGreyPng(path(Masks), classes.Levels(labels));
        var overlay = image;
        for (var c = 1; c < classes.Count; c++)
        {
            overlay = ContactSheet.WithOutline(overlay, labels.Only(c), classes.Colour(c), 1);
            var map = ProbabilityMap.FromProbabilities(image.Size,
                MemoryMarshal.Cast<byte, float>(probabilities[0, c].contiguous().bytes));
            ImageFile.WriteGreyPng(path(Path.Combine(Probabilities, classes.Classes[c].Name)),
                new GreyImage(image.Size, map.Levels, Lossless: true));
        }
        ImageFile.WritePng(path(Overlays), overlay);
    }

    private static IEnumerable<ImageMaskPair> Images(string input, string? split, IMonitor monitor)
    {
        static ImageMaskPair WithoutMask(string path) => new()
        {
            Id = Path.GetFileNameWithoutExtension(path), ImagePath = path, MaskPath = "",
        };
        if (File.Exists(input)) return [WithoutMask(input)];
        if (!Directory.Exists(input)) throw new InvalidDatasetException(
            $"{input}: the file or folder does not exist. Check the path.");
        var dataset = DatasetFolder.List(input);
        if (split is not null || dataset.Pairs.Count > 0)
            monitor.Note(dataset.Summary()
                + (dataset.Unmasked.Count > 0 && split is null
                ? $" {dataset.Unmasked.Count} images without a mask are predicted all the same." : ""));
        if (split is not null) return dataset.Pairs.Where(p => p.Split == split);
        if (dataset.Pairs.Count > 0) return [.. dataset.Pairs, .. dataset.Unmasked.Select(f => WithoutMask(f) with
        {
            Range = dataset.Pairs[0].Range,
        })];
        var files = dataset.Unmasked.Count > 0 ? dataset.Unmasked : ImageFolder.Files(input);
        monitor.Note($"{input}: read {files.Count} images.");
        var range = IntensityRange.OfSet(files);
        return files.Select(f => WithoutMask(f) with { Range = range });
    }
}
