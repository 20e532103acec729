using Siamorph.Data;

namespace Siamorph.Experiment.Stages;

/// <summary>
/// Gives images without masks the masks that a network of the baseline finds in them: pseudo-labels. Images in which it finds
/// nothing are left out.
/// </summary>
internal sealed record LabellingStage(SegmentationStage Teacher, UnlabelledImages Images) : PlannedStage
{
    public static readonly StageKind Of =
        new("labelling", 1, n => $"label the images without masks {n} {(n == 1 ? "time" : "times")}",
        "labelling images without masks");

    public override StageKind Kind => Of;

    /// <summary>Whether the masks hold probabilities.</summary>
    public bool Soft { get; init; }

    public override object Run(StageWork work) =>
        work.Runner.Label(this, work.FolderOf(Teacher), work.FolderOf(this), work.Monitor);

    public override IReadOnlyList<PlannedStage> Needs => [Teacher];
}
