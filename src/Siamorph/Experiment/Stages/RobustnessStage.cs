using Siamorph.Data;
using Siamorph.Imaging;

namespace Siamorph.Experiment.Stages;

/// <summary>Tests a trained segmentation network on corrupted images.</summary>
internal sealed record RobustnessStage(
    SegmentationStage Network, IReadOnlyList<ImageMaskPair> Test, IReadOnlyList<CorruptionKind> Corruptions, Seed Seed)
        : PlannedStage
{
    public static readonly StageKind Of =
        new("robustness", 1, n => $"test {n} {(n == 1 ? "network" : "networks")} on corrupted images",
        "testing on corrupted images");

    public override StageKind Kind => Of;

    public override object Run(StageWork work) => work.Runner.Corrupt(this, work.FolderOf(Network), work.Monitor);

    /// <summary>Where the network runs.</summary>
    public ComputeDevice Device { get; init; }

    public override IReadOnlyList<PlannedStage> Needs => [Network];
}
