
namespace Siamorph.Experiment.Stages;

/// <summary>Tests a trained segmentation network on sets of other hospitals.</summary>
internal sealed record ExternalStage(SegmentationStage Network, IReadOnlyList<ExternalSet> Sets) : PlannedStage
{
    public static readonly StageKind Of =
        new("external", 1, n => $"test {n} {(n == 1 ? "network" : "networks")} on other sets", "testing on other sets");

    public override StageKind Kind => Of;

    public override object Run(StageWork work) => work.Runner.TestElsewhere(this, work.FolderOf(Network), work.Monitor);

    /// <summary>Where the network runs.</summary>
    public ComputeDevice Device { get; init; }

    public override IReadOnlyList<PlannedStage> Needs => [Network];
}
