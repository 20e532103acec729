using Siamorph.Data;
using Siamorph.Segmentation;

namespace Siamorph.Experiment.Stages;

/// <summary>Trains a segmentation network to remove noise from images, before it sees a mask.</summary>
internal sealed record PretrainingStage(IReadOnlyList<ImageMaskPair> Images, SegmentationOptions Options) : PlannedStage
{
    public static readonly StageKind Of =
        new("pretraining", 1, n => $"pretrain {n} segmentation {(n == 1 ? "network" : "networks")} by denoising",
        "pretraining by denoising");

    public override StageKind Kind => Of;

    public override object Run(StageWork work) => work.Runner.Pretrain(this, work.FolderOf(this), work.Monitor);
}
