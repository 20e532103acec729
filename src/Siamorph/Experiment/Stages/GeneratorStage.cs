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
        work.Runner.Train(this, Base is null ? null : work.FolderOf(Base), work.FolderOf(this), work.Monitor);

    public override IReadOnlyList<PlannedStage> Needs => Base is null ? [] : [Base];
}
