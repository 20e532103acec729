using Siamorph.Data;
using Siamorph.Segmentation;
using Siamorph.Synthesis;

namespace Siamorph.Experiment.Stages;

/// <summary>Judges the pairs of a synthesis and keeps up to a number of them.</summary>
internal sealed record GateStage(
    SynthesisStage Synthesis, IReadOnlyList<ImageMaskPair> Real, int Wanted, GateOptions Options, SegmentationOptions Network)
        : PlannedStage
{
    public static readonly StageKind Of = new("gate", 2, n => $"judge {n} {(n == 1 ? "set" : "sets")} of pairs", "judging pairs");

    public override StageKind Kind => Of;

    public override object Run(StageWork work) =>
        work.Runner.Judge(this, work.FolderOf(Synthesis), work.FolderOf(this), work.Monitor);

    public override IReadOnlyList<PlannedStage> Needs => [Synthesis];
}
