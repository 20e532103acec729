using Siamorph.Data;
using Siamorph.Evaluation;
using Siamorph.Imaging;

namespace Siamorph.Segmentation;

/// <summary>The scores of one class against all others.</summary>
/// <param name="Class">Its name.</param>
/// <param name="Scores">As of a mask of this class alone, decided where the class is the likeliest.</param>
public sealed record ClassScores(string Class, MaskScores Scores)
{
    /// <summary>Scores a network of several classes on files, each at the size of its own mask.</summary>
    /// <returns>A record for each class but the background, in the order of the table.</returns>
    /// <exception cref="InvalidDatasetException">A file is damaged, or the pairs have another table of classes than the network.</exception>
    /// <exception cref="OperationCanceledException">The monitor asked to stop.</exception>
    public static IReadOnlyList<ClassScores> Evaluate(Predictor predictor, IReadOnlyList<ImageMaskPair> pairs, IMonitor monitor)
    {
        ArgumentNullException.ThrowIfNull(predictor);
        ArgumentNullException.ThrowIfNull(pairs);
        ArgumentNullException.ThrowIfNull(monitor);
        var classes = predictor.Classes ?? throw new InvalidDatasetException("The network knows lesion and background alone. Score it with \"segment evaluate\".");
        if (pairs.FirstOrDefault(p => p.Classes is not { } own || !own.Classes.Select(c => c.Name).SequenceEqual(classes.Classes.Select(c => c.Name))) is { } other)
            throw new InvalidDatasetException($"{other.MaskPath}: its folder has another table of classes than the network ({string.Join(", ", classes.Classes.Select(c => c.Name))}).");
        var scoring = classes.Classes.Skip(1).Select(_ => new MaskScoring()).ToList();
        using var stage = monitor.Begin("Evaluating", pairs.Count);
        for (var i = 0; i < pairs.Count; i++)
        {
            monitor.Cancellation.ThrowIfCancellationRequested();
            var (truth, found) = (PairFiles.ReadMask(pairs[i]), predictor.PredictLabels(PairFiles.ReadImage(pairs[i])));
            if (found.Size != truth.Size) found = Resize.Mask(found, truth.Size);
            for (var c = 0; c < scoring.Count; c++) scoring[c].Add(pairs[i].Id, Only(truth, c + 1), ProbabilityMap.FromMask(Only(found, c + 1)));
            stage.Report(i + 1);
        }
        return [.. scoring.Select((s, c) => new ClassScores(classes.Classes[c + 1].Name, s.Result()))];
    }

    private static LabelMap Only(LabelMap labels, int number) => new(labels.Size, Array.ConvertAll(labels.Labels, l => l == number ? (byte)1 : (byte)0));
}
