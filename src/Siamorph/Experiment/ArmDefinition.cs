using System.Text.Json.Nodes;
using Siamorph.Segmentation;
using Siamorph.Siamese;
using Siamorph.Synthesis;
using Siamorph.Training;

namespace Siamorph.Experiment;

/// <summary>What an arm adds to the real pairs.</summary>
public enum AddedPairs
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Pairs that a generator made, which saw the real pairs of the cell alone.</summary>
    Synthetic,

    /// <summary>Images without masks, with the masks that a network of the baseline finds in them (Lee 2013).</summary>
    PseudoLabels,

    /// <summary>Copies of the real pairs, as many as another arm has synthetic ones and mixed in the same way.</summary>
    Copies,
}

/// <summary>
/// One way of using real and synthetic pairs, to be compared with others. It is data: what it trains on, and what it changes
/// in the experiment's options. A design file may hold arms of its own.
/// </summary>
public sealed record ArmDefinition
{
    /// <summary>Its name in options, folders and files.</summary>
    public string Name { get; init; } = "";

    /// <summary>Its name in sentences and charts.</summary>
    public string Title { get; init; } = "";

    /// <summary>What the segmentation network is trained on: one sentence.</summary>
    public string Description { get; init; } = "";

    /// <summary>Whether the real pairs are among the training pairs.</summary>
    public bool UsesReal { get; init; } = true;

    /// <summary>What is added to them.</summary>
    public AddedPairs Added { get; init; }

    /// <summary>Added pairs for each real one; null takes the experiment's number.</summary>
    public double? Ratio { get; init; }

    /// <summary>
    /// Draws from predicted shapes too: the masks that a network of the baseline finds in images without masks. Noisy as labels
    /// of their own image, they are exact labels of the image drawn from them.
    /// </summary>
    public bool PredictedShapes { get; init; }

    /// <summary>
    /// The generator learns from the images without masks as pairs: their masks are what the teacher's network finds in them, as
    /// probabilities (of several classes, as a decision). Images in which it finds nothing are left out.
    /// </summary>
    public bool LabelledGenerator { get; init; }

    /// <summary>
    /// Learns from the images without masks as well: the network has to find in them what its averaged weights find.
    /// </summary>
    public bool MeanTeacher { get; init; }

    /// <summary>
    /// The arm whose network finds the masks of pseudo-labels, predicted shapes and a labelled generator; null is the baseline.
    /// </summary>
    public string? Teacher { get; init; }

    /// <summary>
    /// The network begins with weights that learned to remove noise from the real images and from those without masks.
    /// </summary>
    public bool DenoisingPretrained { get; init; }

    /// <summary>Optimizer steps as a multiple of the others': an arm of more steps says what training alone is worth.</summary>
    public double StepFactor { get; init; } = 1;

    /// <summary>Gives every synthetic image the mask of another: a control that must lower the score.</summary>
    public bool WrongMasks { get; init; }

    /// <summary>Draws more candidates than wanted and lets the quality gate choose.</summary>
    public bool Gate { get; init; }

    /// <summary>How the gate of this arm chooses among the pairs that pass; null takes the experiment's way.</summary>
    public GateSelection? Selection { get; init; }

    /// <summary>Options of the generator that differ from the experiment's, such as <c>{"losses":{"image":0}}</c>.</summary>
    public JsonObject? Generator { get; init; }

    /// <summary>Options of synthesis that differ.</summary>
    public JsonObject? Synthesis { get; init; }

    /// <summary>Options of the segmentation network's training that differ.</summary>
    public JsonObject? Segmentation { get; init; }

    internal bool NeedsLabelling => PredictedShapes || LabelledGenerator || Added == AddedPairs.PseudoLabels;

    internal bool NeedsUnlabelled => NeedsLabelling || DenoisingPretrained || MeanTeacher;

    internal bool UsesSynthetic => Added == AddedPairs.Synthetic;

    /// <summary>It and its teacher, the teacher's own, and so on, as far as they are known and new.</summary>
    internal IReadOnlyList<ArmDefinition> TeachersOf(ExperimentOptions options)
    {
        List<ArmDefinition> chain = [this];
        while (chain[^1].TeacherIn(options) is { } next && chain.All(a => a.Name != next.Name)) chain.Add(next);
        return chain;
    }

    private ArmDefinition? TeacherIn(ExperimentOptions options) =>
        NeedsLabelling && (Teacher ?? (options.Arms.Count > 0 ? options.Arms[0] : null)) is { } name ? options.Find(name) : null;

    /// <summary>Whether a generator has to be trained for it: pairs of strength 0 need none.</summary>
    internal bool UsesGenerator(ExperimentOptions options) => UsesSynthetic && SynthesisOptions(options.Synthesis).NeedsModel;

    internal TrainOptions GeneratorOptions(TrainOptions options) =>
        OptionsFile.Changed(options, Generator, $"arm '{Name}', generator");

    internal SynthesisOptions SynthesisOptions(SynthesisOptions options) =>
        OptionsFile.Changed(options, Synthesis, $"arm '{Name}', synthesis");

    internal SegmentationOptions SegmentationOptions(SegmentationOptions options) =>
        OptionsFile.Changed(options, Segmentation, $"arm '{Name}', segmentation");

    internal IEnumerable<string> Faults(ExperimentOptions options)
    {
        if (Name.Length == 0) yield return "customArms: an arm has no name.";
        if (Title.Length == 0) yield return $"arm '{Name}': give it a title.";
        if (Teacher is not null && !NeedsLabelling)
            yield return $"arm '{Name}': a teacher finds masks for pseudo-labels, predicted shapes and a labelled generator; it "
                + "has none of them.";
        if (Teacher is not null && TeachersOf(options)[^1].NeedsLabelling)
            yield return $"arm '{Name}': teacher '{Teacher}' is unknown, or its own teachers end where they began.";
        if (!UsesReal && Added == AddedPairs.None) yield return $"arm '{Name}': it has neither real nor added pairs.";
        if (Ratio is not null && !(Ratio > 0 && double.IsFinite(Ratio.Value)))
            yield return FormattableString.Invariant($"arm '{Name}': ratio is {Ratio}; it has to be above 0.");
        if (NeedsUnlabelled && options.Generator.Unlabelled is null)
            yield return $"arm '{Name}': it needs images without masks. Name their folder as generator.unlabelled.";
        if (!(StepFactor > 0 && double.IsFinite(StepFactor)))
            yield return FormattableString.Invariant($"arm '{Name}': stepFactor is {StepFactor}; it has to be above 0.");
        if (NeedsLabelling && Teacher is null && Name == options.Arms[0])
            yield return $"arm '{Name}': the baseline labels the images of others, so it can't need labels itself.";
        if (PredictedShapes && Added != AddedPairs.Synthetic)
            yield return $"arm '{Name}': predicted shapes are masks to generate from, so the arm needs added synthetic pairs.";
        if (LabelledGenerator && !UsesGenerator(options))
            yield return $"arm '{Name}': labelledGenerator says what a generator learns from, and this arm has none.";
        if ((WrongMasks || Gate) && Added != AddedPairs.Synthetic)
            yield return $"arm '{Name}': wrong masks and gate need added synthetic pairs.";
        if (Selection is not null && !Gate) yield return $"arm '{Name}': selection is the gate's; set gate to true.";
        foreach (var fault in PartFaults(options)) yield return fault;
        string[] equal = ["steps", "batchSize", "imageSize", "validateEvery", "seed"];
        foreach (var (key, _) in Segmentation ?? [])
            if (equal.Contains(key, StringComparer.OrdinalIgnoreCase))
                yield return $"arm '{Name}', segmentation.{key}: all arms have the same; set it for the whole experiment.";
    }

    private List<string> PartFaults(ExperimentOptions options)
    {
        var faults = new List<string>();
        void Try(Action part)
        {
            try
            {
                part();
            }
            catch (InvalidOptionsException e)
            {
                faults.AddRange(e.Message.Split(Environment.NewLine)
                    .Select(f => f.StartsWith("arm '", StringComparison.Ordinal) ? f : $"arm '{Name}': {f}"));
            }
        }
        Try(() => GeneratorOptions(options.Generator).Validate());
        Try(() => SynthesisOptions(options.Synthesis).Validate());
        Try(() => SegmentationOptions(options.Segmentation).Validate());
        return faults;
    }
}
