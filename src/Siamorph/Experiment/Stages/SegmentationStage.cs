using Siamorph.Data;
using Siamorph.Experiment.Scheduling;
using Siamorph.Segmentation;

namespace Siamorph.Experiment.Stages;

/// <summary>Trains a segmentation network and tests it.</summary>
internal sealed record SegmentationStage(
    ArmDefinition Arm, IReadOnlyList<ImageMaskPair> Real, SynthesisStage? Synthesis, GateStage? Gate, int Added,
    SegmentationOptions Options, Seed Seed)
    : PlannedStage
{
    public static readonly StageKind Of =
        new("segmentation", 1, n => $"train and test {n} segmentation {(n == 1 ? "network" : "networks")}",
        "training and testing segmentation");

    public override StageKind Kind => Of;

    public override object Run(StageWork work) => work.Runner.Segment(Training(work), work.FolderOf(this), work.Monitor);

    /// <summary>The pairs that are added to the real ones: pseudo-labelled, synthetic, or those that a gate kept.</summary>
    public IReadOnlyList<ImageMaskPair> PairsToAdd(StageWork work)
    {
        if (Labelling is not null) return work.Pairs(Labelling);
        if (Gate is not null) return [.. work.Pairs(Gate).Where(p => p.Origin?.GateVerdict == "kept")];
        return Synthesis is null ? [] : work.Pairs(Synthesis);
    }

    private SegmentationWork Training(StageWork work)
    {
        IReadOnlyList<ImageMaskPair> train = [.. TrainingPairs.Of(Arm, Real, PairsToAdd(work), Added, Seed), .. Unlabelled];
        if (train.Count == 0) throw new InvalidDatasetException(
            $"{Title}: the gate refused every pair, none is left to train on. Raise gate.candidates.");
        // A gate may refuse every pair: the real ones are left, and nothing to mix them with.
        var options = train.Any(p => p.Source == PairSource.Synthetic) ? Options : Options with { SyntheticFraction = null };
        if (Pretraining is not null) options = options with { InitialWeights = work.FolderOf(Pretraining) };
        return new SegmentationWork(options, train, work.Plan.Validation, work.Plan.Test);
    }

    /// <summary>Pseudo-labelled pairs to train on; null for none.</summary>
    public LabellingStage? Labelling { get; init; }

    /// <summary>Images without masks to learn from; empty for none.</summary>
    public IReadOnlyList<ImageMaskPair> Unlabelled { get; init; } = [];

    /// <summary>Where its weights begin; null for at random.</summary>
    public PretrainingStage? Pretraining { get; init; }

    public override IReadOnlyList<PlannedStage> Needs =>
        [.. new PlannedStage?[]
        {
            Pretraining, Labelling, Labelling is not null ? null : Gate ?? (PlannedStage?)Synthesis,
        }.OfType<PlannedStage>()];
}
