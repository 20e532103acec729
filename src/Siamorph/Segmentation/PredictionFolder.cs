using Siamorph.Data;
using Siamorph.Evaluation;
using Siamorph.Imaging;

namespace Siamorph.Segmentation;

/// <summary>
/// Predictions as files: masks/ (0 and 255), probabilities/ (8-bit grey) and overlays/ (the image with the found outline),
/// each named as its image.
/// </summary>
public static class PredictionFolder
{
    private const string Masks = "masks", Probabilities = "probabilities", Overlays = "overlays";
    private static readonly (byte, byte, byte) OutlineColour = (80, 255, 80);

    /// <summary>Predicts pictures of any size and writes what is found.</summary>
    /// <param name="predictor">The network.</param>
    /// <param name="inputs">Picture files, folders of pictures, or dataset folders.</param>
    /// <param name="folder">Where to write.</param>
    /// <param name="monitor">Sees each picture and may stop.</param>
    /// <returns>How many pictures were predicted.</returns>
    /// <exception cref="InvalidDatasetException">There is no picture, two have one name, or one is damaged.</exception>
    /// <exception cref="SiamorphException">The folder can't be written.</exception>
    /// <exception cref="OperationCanceledException">The monitor asked to stop.</exception>
    public static int Write(Predictor predictor, IReadOnlyList<string> inputs, string folder, IMonitor monitor)
    {
        ArgumentNullException.ThrowIfNull(predictor);
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentNullException.ThrowIfNull(monitor);
        var images = inputs.SelectMany(Images).ToList();
        if (images.Count == 0) throw new InvalidDatasetException($"{string.Join(", ", inputs)}: no picture found.");
        var twice = images.GroupBy(i => i.Id, StringComparer.OrdinalIgnoreCase).FirstOrDefault(g => g.Count() > 1);
        if (twice is not null)
            throw new InvalidDatasetException($"Two pictures are named '{twice.Key}': {string.Join(" and ", twice.Take(2).Select(i => i.ImagePath))}. Predict them into two folders.");
        using var stage = monitor.Begin("Predicting", images.Count);
        for (var i = 0; i < images.Count; i++)
        {
            monitor.Cancellation.ThrowIfCancellationRequested();
            var image = PairFiles.ReadImage(images[i]);
            var map = predictor.Predict(image);
            var mask = map.ToMask();
            string In(string kind) => Path.Combine(folder, kind, $"{images[i].Id}.png");
            if (predictor.Classes is { } classes)
            {
                WriteClasses(predictor, classes, image, In);
                stage.Report(i + 1);
                continue;
            }
            ImageFile.WriteMaskPng(In(Masks), mask);
            ImageFile.WriteGreyPng(In(Probabilities), new GreyImage(map.Size, map.Levels, Lossless: true));
            ImageFile.WritePng(In(Overlays), ContactSheet.WithOutline(image, mask, OutlineColour, 1));
            stage.Report(i + 1);
        }
        return images.Count;
    }

    // Levels of the class table as the mask, the outline of each class in its colour, and a probability map a class.
    private static void WriteClasses(Predictor predictor, ClassTable classes, RgbImage image, Func<string, string> path)
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        var labels = predictor.PredictLabels(image);
        var probabilities = predictor.PredictClasses(image);
        ImageFile.WriteGreyPng(path(Masks), classes.Levels(labels));
        var overlay = image;
        for (var c = 1; c < classes.Count; c++)
        {
            overlay = ContactSheet.WithOutline(overlay, new LabelMap(image.Size, Array.ConvertAll(labels.Labels, l => l == c ? (byte)1 : (byte)0)), classes.Colour(c), 1);
            var map = ProbabilityMap.FromProbabilities(image.Size, System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(probabilities[0, c].contiguous().bytes));
            ImageFile.WriteGreyPng(path(Path.Combine(Probabilities, classes.Classes[c].Name)), new GreyImage(image.Size, map.Levels, Lossless: true));
        }
        ImageFile.WritePng(path(Overlays), overlay);
    }

    // The pictures of a prediction folder by name.
    internal static Dictionary<string, string> Maps(string folder)
    {
        var inner = new[] { Probabilities, Masks }.Select(kind => Path.Combine(folder, kind)).FirstOrDefault(Directory.Exists);
        return Pictures(inner ?? folder).GroupBy(p => Path.GetFileNameWithoutExtension(p)!).ToDictionary(g => g.Key, g => g.First());
    }

    internal static IReadOnlyList<string> Pictures(string folder)
    {
        if (!Directory.Exists(folder)) throw new InvalidDatasetException($"{folder}: no such folder. Check the path.");
        return [.. Directory.EnumerateFiles(folder).Where(ImageFile.IsPicture).Order(StringComparer.Ordinal)];
    }

    private static IEnumerable<ImageMaskPair> Images(string input)
    {
        static ImageMaskPair WithoutMask(string path) => new() { Id = Path.GetFileNameWithoutExtension(path), ImagePath = path, MaskPath = "" };
        if (File.Exists(input)) return [WithoutMask(input)];
        if (!Directory.Exists(input)) throw new InvalidDatasetException($"{input}: no such file or folder. Check the path.");
        var dataset = DatasetFolder.List(input);
        return dataset.Pairs.Count > 0 ? dataset.Pairs : Pictures(input).Select(WithoutMask);
    }
}
