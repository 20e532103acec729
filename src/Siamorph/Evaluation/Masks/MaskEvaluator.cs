using Siamorph.Data;
using Siamorph.Imaging;

namespace Siamorph.Evaluation.Masks;

/// <summary>What a user chooses about scoring masks.</summary>
internal sealed record MaskEvaluationOptions
{
    /// <summary>Protocol of Dice and IoU: pranet, uacanet, plain@0.5 or isic2018.</summary>
    public string Protocol { get; init; } = MaskProtocol.Pranet.Name;

    /// <summary>Split of the dataset that is scored, such as "test"; empty takes all pairs.</summary>
    public string Split { get; init; } = "";

    /// <summary>
    /// Resizes predictions of another size to their truth (bilinear; of classes the nearest pixel) instead of refusing them.
    /// </summary>
    public bool ResizePredictions { get; init; }

    /// <summary>When a lesion counts as found.</summary>
    public LesionDetectionOptions Detection { get; init; } = new();

    /// <summary>Classes of lesion size.</summary>
    public SizeClasses Sizes { get; init; } = SizeClasses.Default;

    /// <summary>Checks the values.</summary>
    /// <exception cref="InvalidOptionsException">A value is out of range; the message lists all.</exception>
    public void Validate()
    {
        _ = MaskProtocol.Named(Protocol);
        Detection.Validate();
        if (!(0 < Sizes.Small && Sizes.Small < Sizes.Large && Sizes.Large < 1))
            throw new InvalidOptionsException(
                $"Sizes {Sizes.Small}, {Sizes.Large}: give shares of the image with 0 < small < large < 1.");
    }
}

/// <summary>One prediction with its truth, opened when it is needed.</summary>
/// <param name="Id">Name of the image.</param>
/// <param name="Group">Its group, or null.</param>
/// <param name="Open">Gives truth and prediction, of one size; of several classes, anything but the background.</param>
internal sealed record MaskCase(string Id, string? Group, Func<(LabelMap Truth, ProbabilityMap Prediction)> Open)
{
    /// <summary>Gives the class of each pixel in truth and prediction; null where masks are lesion against background.</summary>
    public Func<(LabelMap Truth, LabelMap Found)>? OpenClasses { get; init; }
}

/// <summary>A scored set of predictions.</summary>
internal sealed record MaskEvaluation
{
    /// <summary>The options it was made with.</summary>
    public required MaskEvaluationOptions Options { get; init; }

    /// <summary>What the protocol does.</summary>
    public required string Protocol { get; init; }

    /// <summary>What an image without a lesion scores, and what the distances do without a border.</summary>
    public required string EmptyMasks { get; init; }

    /// <summary>When a lesion counts as found.</summary>
    public required string DetectionRule { get; init; }

    /// <summary>All images.</summary>
    public required MaskSummary All { get; init; }

    /// <summary>By class of the truth's area, smallest first.</summary>
    public required IReadOnlyList<MaskSummary> Sizes { get; init; }

    /// <summary>By group, in order of name; empty where no image has one.</summary>
    public required IReadOnlyList<MaskSummary> Groups { get; init; }

    /// <summary>Each class against all others, in the table's order; empty where masks are lesion against background.</summary>
    public required IReadOnlyList<MaskSummary> Classes { get; init; }

    /// <summary>How classes were scored, and which are in no image; null where masks are lesion against background.</summary>
    public string? ClassRule { get; init; }

    /// <summary>Mean curves over 256 thresholds, from the strictest.</summary>
    public required ThresholdCurves Curves { get; init; }

    /// <summary>Every image, worst Dice first, then by name.</summary>
    public required IReadOnlyList<PredictionMetrics> Images { get; init; }
}

/// <summary>Scores predictions, several images at a time; the result is the same on any number of cores.</summary>
internal static class MaskEvaluator
{
    private const int Batch = 64, FaultsShown = 10;

    /// <summary>Opens and scores every case.</summary>
    /// <param name="cases">Truths with their predictions.</param>
    /// <param name="options">Protocol and rules.</param>
    /// <param name="monitor">Sees each batch and may stop.</param>
    /// <param name="classes">The table of the masks' classes, where there are several.</param>
    /// <exception cref="InvalidDatasetException">There is no case, or files can't be used: one line each.</exception>
    /// <exception cref="InvalidOptionsException">The options are out of range.</exception>
    /// <exception cref="OperationCanceledException">The monitor asked to stop.</exception>
    public static MaskEvaluation Evaluate(
        IReadOnlyList<MaskCase> cases, MaskEvaluationOptions options, IMonitor monitor, ClassTable? classes = null)
    {
        ArgumentNullException.ThrowIfNull(cases);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(monitor);
        options.Validate();
        if (cases.Count == 0) throw new InvalidDatasetException("There are no predictions to score. Check the folders.");
        var all = new MaskAccumulator("all", options);
        List<MaskAccumulator> perClass = [.. (classes?.Classes.Skip(1) ?? []).Select(c => new MaskAccumulator(c.Name, options))];
        var (sizes, groups) = (new SortedDictionary<int, MaskAccumulator>(),
            new SortedDictionary<string, MaskAccumulator>(StringComparer.Ordinal));
        var images = new List<PredictionMetrics>(cases.Count);
        var faults = new List<string>();
        using var stage = monitor.Begin("Scoring masks", cases.Count);
        for (var first = 0; first < cases.Count; first += Batch)
        {
            monitor.Cancellation.ThrowIfCancellationRequested();
            foreach (var (measured, ofClasses, fault) in Measured(cases, first, Math.Min(Batch, cases.Count - first), options,
                perClass.Count))
            {
                if (measured is null)
                {
                    faults.Add(fault!);
                    continue;
                }
                foreach (var (set, one) in perClass.Zip(ofClasses)) if (one is not null) set.Add(one);
                all.Add(measured);
                images.Add(measured.Measures);
                var size = options.Sizes.Names.ToList().IndexOf(measured.Measures.Size);
                Into(sizes, size, measured.Measures.Size).Add(measured);
                if (measured.Measures.Group is { } group) Into(groups, group, group).Add(measured);
            }
            stage.Report(Math.Min(first + Batch, cases.Count));
        }
        Demand(faults);
        var protocol = MaskProtocol.Named(options.Protocol);
        return new()
        {
            Options = options,
            Protocol = $"{protocol.Name}: {protocol.Description}",
            EmptyMasks = $"{protocol.EmptyMasks} HD95 is 0 where both masks are empty, the image's diagonal where one is; the "
                + $"other surface distances leave such images out.",
            DetectionRule = options.Detection.Describe(),
            All = all.Summary(),
            Sizes = [.. sizes.Values.Select(s => s.Summary())],
            Groups = [.. groups.Values.Select(g => g.Summary())],
            Classes = [.. perClass.Where(c => c.Count > 0).Select(c => c.Summary())],
            ClassRule = perClass.Count == 0 ? null : ClassRule([.. perClass.Where(c => c.Count == 0).Select(c => c.Name)]),
            Curves = all.MeanCurves(),
            Images = [.. images.OrderBy(i => i.Dice).ThenBy(i => i.Id, StringComparer.Ordinal)],
        };

        MaskAccumulator Into<TKey>(SortedDictionary<TKey, MaskAccumulator> sets, TKey key, string name) where TKey : notnull
        {
            if (!sets.TryGetValue(key, out var set)) sets.Add(key, set = new(name, options));
            return set;
        }
    }

    /// <summary>Throws one exception with a line for each fault, the first ten of them.</summary>
    internal static void Demand(IReadOnlyList<string> faults)
    {
        if (faults.Count == 0) return;
        var rest = faults.Count > FaultsShown ? $"\n… and {faults.Count - FaultsShown} more." : "";
        throw new InvalidDatasetException(string.Join('\n', faults.Take(FaultsShown)) + rest);
    }

    private static string ClassRule(IReadOnlyList<string> absent) =>
        "\"all\" is anything but the background. Each class is scored against all others, from predicted masks instead of "
        + "probabilities, over the images where it is or was claimed."
        + (absent.Count > 0 ? $" In no image: {string.Join(", ", absent)}." : "");

    private static (MeasuredMask? Measured, MeasuredMask?[] OfClasses, string? Fault)[] Measured(
        IReadOnlyList<MaskCase> cases, int first, int count, MaskEvaluationOptions options, int classes)
    {
        var results = new (MeasuredMask?, MeasuredMask?[], string?)[count];
        Parallel.For(0, count, i =>
        {
            try
            {
                var one = cases[first + i];
                var (truth, prediction) = one.Open();
                results[i] = (MeasuredMask.Of(one.Id, one.Group, truth, prediction, options), classes > 0
                    ? OfClasses(one, classes, options) : [], null);
            }
            catch (SiamorphException e)
            {
                results[i] = (null, [], e.Message);
            }
        });
        return results;
    }

    // Null for a class that is neither in the truth nor claimed.
    private static MeasuredMask?[] OfClasses(MaskCase one, int classes, MaskEvaluationOptions options)
    {
        var (truth, found) = (one.OpenClasses ?? throw new ArgumentException($"{one.Id} has no classes.", nameof(one)))();
        return [.. Enumerable.Range(1, classes).Select(c => (truth.Labels.Contains((byte)c) || found.Labels.Contains((byte)c))
            ? MeasuredMask.Of(one.Id, one.Group, truth.Only(c), ProbabilityMap.FromMask(found.Only(c)), options)
            : null)];
    }
}
