using System.Text.Json.Nodes;
using Siamorph.Data;
using Siamorph.Imaging;
using Siamorph.Segmentation;
using Siamorph.Siamese;
using Siamorph.Synthesis;

namespace Siamorph.Experiment.Scheduling;

/// <summary>
/// A piece of work with a folder of its own. Its key is the hash of all that decides its result, so equal work has one
/// folder whoever asks for it, and changed work a new one.
/// </summary>
internal abstract record PlannedStage
{
    // Raise a number when the code of that stage comes to other results from the same inputs: old folders are left alone then.
    private const int BaseRevision = 1, GeneratorRevision = 1, SynthesisRevision = 1, GateRevision = 2, SegmentationRevision = 1, RobustnessRevision = 1, LabellingRevision = 1, ExternalRevision = 1,
        PretrainingRevision = 1;

    /// <summary>Every kind, in the order of the method.</summary>
    public static readonly string[] Kinds = ["base", "generator", "pretraining", "labelling", "synthesis", "gate", "segmentation", "robustness", "external"];

    /// <summary>One of <see cref="Kinds"/>.</summary>
    public required string Kind { get; init; }

    /// <summary>What is done, for people: "real only, 50 real pairs, seed 1".</summary>
    public required string Title { get; init; }

    /// <summary>Name of its folder.</summary>
    public required string Folder { get; init; }

    /// <summary>SHA-256 of <see cref="Inputs"/>.</summary>
    public required string Key { get; init; }

    /// <summary>All that decides the result.</summary>
    public required JsonObject Inputs { get; init; }

    /// <summary>The parts of the work as they report themselves, with what each takes.</summary>
    public required IReadOnlyList<WorkPhase> Phases { get; init; }

    /// <summary>The stages whose results it reads.</summary>
    public virtual IReadOnlyList<PlannedStage> Needs => [];

    public static int Revision(string kind) => kind switch
    {
        "base" => BaseRevision,
        "generator" => GeneratorRevision,
        "synthesis" => SynthesisRevision,
        "gate" => GateRevision,
        "robustness" => RobustnessRevision,
        "labelling" => LabellingRevision,
        "external" => ExternalRevision,
        "pretraining" => PretrainingRevision,
        _ => SegmentationRevision,
    };
}

/// <summary>Trains stage base of several generators that differ in stage siamese alone; worth something only while one of them is to be trained.</summary>
internal sealed record SharedBaseStage(IReadOnlyList<ImageMaskPair> Pairs, TrainOptions Options, UnlabelledImages? Unlabelled = null) : PlannedStage;

/// <summary>Trains a generator: both stages, or stage siamese on a shared base, which comes to the same bits.</summary>
internal sealed record GeneratorStage(IReadOnlyList<ImageMaskPair> Pairs, TrainOptions Options, SharedBaseStage? Base, UnlabelledImages? Unlabelled = null) : PlannedStage
{
    public override IReadOnlyList<PlannedStage> Needs => Base is null ? [] : [Base];
}

/// <summary>
/// Gives images without masks the masks that a network of the baseline finds in them: pseudo-labels. Images in which it finds
/// nothing are left out.
/// </summary>
internal sealed record LabellingStage(SegmentationStage Teacher, UnlabelledImages Images) : PlannedStage
{
    public override IReadOnlyList<PlannedStage> Needs => [Teacher];
}

/// <summary>Trains a segmentation network to remove noise from images, before it sees a mask.</summary>
internal sealed record PretrainingStage(IReadOnlyList<ImageMaskPair> Images, SegmentationOptions Options) : PlannedStage;

/// <summary>
/// Makes pairs from those the generator was trained on. Without a generator (strength 0) real pairs are deformed or joined, at the
/// size and with the mirroring of a generator trained as <paramref name="Like"/> says.
/// </summary>
internal sealed record SynthesisStage(
    GeneratorStage? Generator, IReadOnlyList<ImageMaskPair> Masks, SynthesisOptions Options, TrainOptions Like) : PlannedStage
{
    /// <summary>Predicted shapes to draw from as well; null for none.</summary>
    public LabellingStage? Shapes { get; init; }

    public override IReadOnlyList<PlannedStage> Needs => [.. new PlannedStage?[] { Generator, Shapes }.OfType<PlannedStage>()];
}

/// <summary>Judges the pairs of a synthesis and keeps up to a number of them.</summary>
internal sealed record GateStage(
    SynthesisStage Synthesis, IReadOnlyList<ImageMaskPair> Real, int Wanted, GateOptions Options, SegmentationOptions Network) : PlannedStage
{
    public override IReadOnlyList<PlannedStage> Needs => [Synthesis];
}

/// <summary>Trains a segmentation network and tests it.</summary>
internal sealed record SegmentationStage(
    ArmDefinition Arm, IReadOnlyList<ImageMaskPair> Real, SynthesisStage? Synthesis, GateStage? Gate, int Added, SegmentationOptions Options, Seed Seed)
    : PlannedStage
{
    /// <summary>Pseudo-labelled pairs to train on; null for none.</summary>
    public LabellingStage? Labelling { get; init; }

    /// <summary>Images without masks to learn from; empty for none.</summary>
    public IReadOnlyList<ImageMaskPair> Unlabelled { get; init; } = [];

    /// <summary>Where its weights begin; null for at random.</summary>
    public PretrainingStage? Pretraining { get; init; }

    public override IReadOnlyList<PlannedStage> Needs =>
        [.. new PlannedStage?[] { Pretraining, Labelling, Labelling is not null ? null : Gate ?? (PlannedStage?)Synthesis }.OfType<PlannedStage>()];
}

/// <summary>Tests a trained segmentation network on corrupted images.</summary>
internal sealed record RobustnessStage(
    SegmentationStage Network, IReadOnlyList<ImageMaskPair> Test, IReadOnlyList<CorruptionKind> Corruptions, Seed Seed) : PlannedStage
{
    /// <summary>Where the network runs.</summary>
    public ComputeDevice Device { get; init; }

    public override IReadOnlyList<PlannedStage> Needs => [Network];
}

/// <summary>Tests a trained segmentation network on sets of other hospitals.</summary>
internal sealed record ExternalStage(SegmentationStage Network, IReadOnlyList<ExternalSet> Sets) : PlannedStage
{
    /// <summary>Where the network runs.</summary>
    public ComputeDevice Device { get; init; }

    public override IReadOnlyList<PlannedStage> Needs => [Network];
}

/// <summary>A part of a stage's work.</summary>
/// <param name="Units">Steps or images, as the part reports them.</param>
/// <param name="Pace">Which measured speed applies.</param>
/// <param name="Network">Which segmentation network works; null is the first.</param>
internal sealed record WorkPhase(long Units, WorkKind Pace, string? Network = null);

/// <summary>Kinds of work whose speed is measured before an experiment starts.</summary>
internal enum WorkKind
{
    BaseStep,
    SiameseStep,
    SyntheticImage,
    SegmentationStep,
    CorruptedImage,
}
