using Siamorph.Data;
using Siamorph.Siamese;

namespace Siamorph.Experiment.Stages;

/// <summary>Trains a generator: both stages, or siamese training on a shared base, which comes to the same bits.</summary>
internal sealed record GeneratorStage(
    IReadOnlyList<ImageMaskPair> Pairs, TrainOptions Options, SharedBaseStage? Base, UnlabelledImages? Unlabelled = null)
        : PlannedStage
{
    public static readonly StageKind Of =
        new("generator", 1, n => $"train {n} {(n == 1 ? "generator" : "generators")}", "training generators")
        {
            MakesPairs = true,
        };

    public override StageKind Kind => Of;

    public override object Run(StageWork work) =>
        work.Runner.Train(this, Base is null ? null : work.FolderOf(Base), Labelled is null ? [] : work.Pairs(Labelled),
            work.FolderOf(this), work.Monitor);

    /// <summary>Images without masks, with predicted ones, to learn from as well; null for none.</summary>
    public LabellingStage? Labelled { get; init; }

    public override IReadOnlyList<PlannedStage> Needs => [.. new PlannedStage?[] { Base, Labelled }.OfType<PlannedStage>()];
}
