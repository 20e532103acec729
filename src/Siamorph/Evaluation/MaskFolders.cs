using Siamorph.Data;
using Siamorph.Imaging;

namespace Siamorph.Evaluation;

/// <summary>Pairs up a folder of true masks with a folder of predictions, by file name without its ending.</summary>
public static class MaskFolders
{
    private const int NamesShown = 3;
    private static readonly string[] PredictionFolders = ["probabilities", "masks"];

    /// <summary>Every truth with its prediction, and the picture beneath where the truth is a dataset.</summary>
    /// <param name="truth">A dataset folder, or a folder of masks.</param>
    /// <param name="predictions">Grey pictures, or a folder that "segment predict" wrote (its probability maps are taken).</param>
    /// <param name="options">Whether sizes may differ.</param>
    /// <exception cref="InvalidDatasetException">A folder is missing or empty, or names don't match: one line each.</exception>
    public static IReadOnlyList<PredictedPair> Match(string truth, string predictions, MaskEvaluationOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var truths = Truths(truth);
        var maps = Maps(predictions);
        var faults = new List<string>();
        var missing = truths.Where(t => !maps.ContainsKey(t.Id)).Select(t => t.Id).ToList();
        var extra = maps.Keys.Except(truths.Select(t => t.Id)).Order(StringComparer.Ordinal).ToList();
        if (missing.Count > 0) faults.Add($"{predictions}: no prediction here for {Some(missing, "truth")}. A prediction has the name of its truth.");
        if (extra.Count > 0) faults.Add($"{truth}: no truth here for {Some(extra, "prediction")}. Remove what is too much, or add masks.");
        MaskEvaluator.Demand(faults);
        return [.. truths.Select(t => new PredictedPair(t.Id, t.Group, t.ImagePath, t.MaskPath, maps[t.Id], options.ResizePredictions))];
    }

    private static IReadOnlyList<(string Id, string? Group, string? ImagePath, string MaskPath)> Truths(string folder)
    {
        var dataset = DatasetFolder.List(folder);
        if (dataset.Pairs.Count > 0) return [.. dataset.Pairs.Select(p => (p.Id, p.Group, (string?)p.ImagePath, p.MaskPath))];
        return [.. ByName(folder).OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => (p.Key, (string?)null, (string?)null, p.Value))];
    }

    private static Dictionary<string, string> Maps(string folder)
    {
        var inner = PredictionFolders.Select(kind => Path.Combine(folder, kind)).FirstOrDefault(Directory.Exists);
        return ByName(inner ?? folder);
    }

    private static Dictionary<string, string> ByName(string folder)
    {
        var byName = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var path in PictureFolder.Files(folder))
        {
            var name = Path.GetFileNameWithoutExtension(path);
            if (!byName.TryAdd(name, path)) throw new InvalidDatasetException($"{folder}: {Path.GetFileName(byName[name])} and {Path.GetFileName(path)} have one name. Remove one.");
        }
        return byName;
    }

    private static string Some(List<string> names, string one) =>
        $"{names.Count} {one}{(names.Count == 1 ? "" : "s")} ({string.Join(", ", names.Take(NamesShown))}{(names.Count > NamesShown ? ", …" : "")})";
}

/// <summary>A truth, its prediction and, where there is one, the picture itself, as files.</summary>
/// <param name="Id">Name.</param>
/// <param name="Group">Group, or null.</param>
/// <param name="ImagePath">The picture, or null.</param>
/// <param name="TruthPath">The true mask.</param>
/// <param name="PredictionPath">The predicted mask or probability map.</param>
/// <param name="Resizes">Whether a prediction of another size is resized instead of refused.</param>
public sealed record PredictedPair(string Id, string? Group, string? ImagePath, string TruthPath, string PredictionPath, bool Resizes)
{
    /// <summary>Opens truth and prediction.</summary>
    /// <exception cref="InvalidDatasetException">A file is damaged, or the sizes differ.</exception>
    public (LabelMap Truth, ProbabilityMap Prediction) Open()
    {
        var truth = ImageFile.ReadMask(TruthPath);
        var grey = ImageFile.ReadGrey(PredictionPath);
        // A mask of class numbers 0, 1 is meant as 0, 255.
        var levels = MaskLevels.AreClassNumbers(grey) ? Array.ConvertAll(grey.Levels, l => l != 0 ? (byte)255 : (byte)0) : grey.Levels;
        if (grey.Size == truth.Size) return (truth, new(truth.Size, levels));
        if (!Resizes) throw new InvalidDatasetException($"{PredictionPath}: is {grey.Size}, its truth {truth.Size}. Predict at the truth's size, or allow resizing.");
        return (truth, new(truth.Size, Resize.Levels(levels, grey.Size, truth.Size, 1)));
    }

    /// <summary>The same as a case to be scored.</summary>
    public MaskCase ToCase() => new(Id, Group, Open);
}
