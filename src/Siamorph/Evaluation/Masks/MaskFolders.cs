using Siamorph.Data;
using Siamorph.Data.Checks;
using Siamorph.Data.Folders;
using Siamorph.Evaluation.ImageSets;
using Siamorph.Imaging;

namespace Siamorph.Evaluation.Masks;

/// <summary>Pairs up a folder of true masks with a folder of predictions, by file name without its ending.</summary>
internal static class MaskFolders
{
    private const int NamesShown = 3;
    private const string Probabilities = "probabilities", Masks = "masks";

    /// <summary>Every truth with its prediction, and the image beneath where the truth is a dataset.</summary>
    /// <param name="truth">A dataset folder, or a folder of masks; with <see cref="ClassTable.FileName"/> for several
    /// classes.</param>
    /// <param name="predictions">
    /// Grey images, or a folder that "segment predict" wrote: its probability maps are taken, of several classes its masks.
    /// </param>
    /// <param name="options">Which split of the dataset, and whether sizes may differ.</param>
    /// <exception cref="InvalidDatasetException">A folder is missing or empty, or names don't match: one line each.</exception>
    public static IReadOnlyList<PredictedPair> Match(string truth, string predictions, MaskEvaluationOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var truths = Truths(truth, options.Split);
        var several = truths[0].Classes is { Count: > 2 };
        var inner = (several ? [Masks] : new[] { Probabilities, Masks })
            .FirstOrDefault(kind => Directory.Exists(Path.Combine(predictions, kind)));
        var files = ByName(inner is null ? predictions : Path.Combine(predictions, inner));
        // Images of one name in several splits have longer ids; predicted by themselves they keep the name of the file.
        var stems = truths.GroupBy(t => t.Stem).Where(g => g.Count() == 1).Select(g => g.Key).ToHashSet();
        var maps = files.ToDictionary(f => f.Key, f => f.Value);
        foreach (var renamed in truths.Where(t => !files.ContainsKey(t.Id)))
        {
            var name = NormalisedName.Of(renamed.Id);
            if (!files.ContainsKey(name) && stems.Contains(renamed.Stem)) name = renamed.Stem;
            if (!maps.Remove(name, out var file)) continue;
            maps[renamed.Id] = file;
        }
        var faults = new List<string>();
        var missing = truths.Where(t => !maps.ContainsKey(t.Id)).Select(t => t.Id).ToList();
        var extra = maps.Keys.Except(truths.Select(t => t.Id)).Order(StringComparer.Ordinal).ToList();
        var counts = $"({truths.Count} truths, {maps.Count} predictions)";
        if (missing.Count > 0) faults.Add(
            $"{predictions}: no prediction here for {Some(missing, "truth")} {counts}. A prediction has the name of its truth.");
        if (extra.Count > 0) faults.Add(
            $"{truth}: no truth here for {Some(extra, "prediction")} {counts}. Remove what is too much, add masks, or "
                + $"name a split.");
        MaskEvaluator.Demand(faults);
        EmptyMasks.Refuse(truths.Select(t => AsPair(t.Id, t.MaskPath, t.Classes)));
        if (inner != Probabilities) EmptyMasks.Refuse(truths.Select(t => AsPair(t.Id, maps[t.Id], t.Classes)));
        return [
            .. truths.Select(t => new PredictedPair(t.Id, t.Group, t.ImagePath, t.MaskPath, maps[t.Id], options.ResizePredictions)
        {
            Classes = t.Classes,
            MoreTruthPaths = t.More,
            IsProbability = inner == Probabilities,
        })];
    }

    private sealed record Truth(string Id, string? Group, string? ImagePath, string MaskPath, ClassTable? Classes)
    {
        public IReadOnlyList<string> More { get; init; } = [];

        public string Stem => NormalisedName.Of(Path.GetFileNameWithoutExtension(ImagePath ?? MaskPath));
    }

    private static IReadOnlyList<Truth> Truths(string folder, string split)
    {
        var dataset = DatasetFolder.List(folder);
        var pairs = split.Length > 0 ? [.. dataset.Pairs.Where(p => p.Split == split)] : dataset.Pairs;
        if (pairs.Count > 0) return [.. pairs.Select(p => new Truth(p.Id, p.Group, p.ImagePath, p.MaskPath, p.Classes)
        {
            More = p.MoreMaskPaths,
        })];
        if (split.Length > 0) throw new InvalidDatasetException(
            $"{folder}: has no pair in the split '{split}'. Make splits with \"siamorph data split\".");
        var classes = ClassTable.TryRead(folder);
        return [.. ByName(folder).OrderBy(p => p.Key, StringComparer.Ordinal)
            .Select(p => new Truth(p.Key, null, null, p.Value, classes))];
    }

    private static ImageMaskPair AsPair(string id, string mask, ClassTable? classes) => new()
    {
        Id = id, ImagePath = mask, MaskPath = mask, Classes = classes,
    };

    private static Dictionary<string, string> ByName(string folder)
    {
        var byName = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var path in ImageFolder.Files(folder))
        {
            var name = NormalisedName.Of(Path.GetFileNameWithoutExtension(path));
            if (!byName.TryAdd(name, path))
                throw new InvalidDatasetException(
                    $"{folder}: {Path.GetFileName(byName[name])} and {Path.GetFileName(path)} have one name. Remove one.");
        }
        return byName;
    }

    private static string Some(List<string> names, string one) =>
        $"{names.Count} {one}{(names.Count == 1 ? "" : "s")} ({string.Join(", ", names.Take(NamesShown))}"
        + $"{(names.Count > NamesShown ? ", …" : "")})";
}

/// <summary>A truth, its prediction and, where there is one, the image itself, as files.</summary>
/// <param name="Id">Name.</param>
/// <param name="Group">Group, or null.</param>
/// <param name="ImagePath">The image, or null.</param>
/// <param name="TruthPath">The true mask.</param>
/// <param name="PredictionPath">The predicted mask or probability map.</param>
/// <param name="Resizes">Whether a prediction of another size is resized instead of refused.</param>
internal sealed record PredictedPair(
    string Id, string? Group, string? ImagePath, string TruthPath, string PredictionPath, bool Resizes)
{
    /// <summary>The table that the masks' levels are read by; null where they are lesion against background.</summary>
    public ClassTable? Classes { get; init; }

    /// <summary>Further lesions of the truth, in files of their own.</summary>
    public IReadOnlyList<string> MoreTruthPaths { get; init; } = [];

    /// <summary>The prediction is known to hold probabilities: small levels are not class numbers then.</summary>
    public bool IsProbability { get; init; }

    private bool Several => Classes is { Count: > 2 };

    /// <summary>Opens truth and prediction; of several classes, anything but the background.</summary>
    /// <exception cref="InvalidDatasetException">A file is damaged, the sizes differ, or a level is no class.</exception>
    public (LabelMap Truth, ProbabilityMap Prediction) Open()
    {
        if (Several)
        {
            var (labels, found) = OpenClasses();
            return (labels, ProbabilityMap.FromMask(found));
        }
        var truth = ReadTruth();
        var grey = IsProbability ? ImageFile.ReadGrey(PredictionPath) : ImageFile.ReadMaskLevels(PredictionPath);
        DemandSize(grey.Size, truth.Size);
        // A mask of class numbers 0, 1 is meant as 0, 255.
        var numbers = !IsProbability && MaskLevels.AreClassNumbers(grey);
        var levels = numbers ? Array.ConvertAll(grey.Levels, l => l != 0 ? (byte)255 : (byte)0) : grey.Levels;
        return (truth, new(truth.Size, grey.Size == truth.Size ? levels : Resize.Levels(levels, grey.Size, truth.Size, 1)));
    }

    /// <summary>Opens the classes of truth and prediction.</summary>
    /// <exception cref="InvalidDatasetException">A file is damaged, the sizes differ, or a level is no class.</exception>
    /// <exception cref="InvalidOperationException">There is no table.</exception>
    public (LabelMap Truth, LabelMap Found) OpenClasses()
    {
        if (Classes is null) throw new InvalidOperationException("There is no table of classes.");
        LabelMap truth = ReadTruth(), found = PairFiles.ReadMask(PredictionPath, Classes);
        DemandSize(found.Size, truth.Size);
        return (truth, Resize.Mask(found, truth.Size));
    }

    /// <summary>The same as a case to be scored.</summary>
    public MaskCase ToCase() => new(Id, Group, Open) { OpenClasses = Several ? OpenClasses : null };

    private LabelMap ReadTruth() =>
        PairFiles.ReadMask(new ImageMaskPair
        {
            Id = Id, ImagePath = "", MaskPath = TruthPath, MoreMaskPaths = MoreTruthPaths, Classes = Classes,
        });

    private void DemandSize(ImageSize own, ImageSize truth)
    {
        if (own != truth && !Resizes) throw new InvalidDatasetException(
            $"{PredictionPath}: is {own}, its truth {truth}. Predict at the truth's size, or allow resizing.");
    }
}
