using Siamorph.Data;
using Siamorph.Siamese;

namespace Siamorph.Experiment.Stages;

/// <summary>
/// Trains base training of several generators that differ in siamese training alone; worth something only while one of them is to
/// be trained.
/// </summary>
internal sealed record SharedBaseStage(
    IReadOnlyList<ImageMaskPair> Pairs, TrainOptions Options, UnlabelledImages? Unlabelled = null) : PlannedStage
{
    public static readonly StageKind Of =
        new("base", 1, n => $"train {n} base {(n == 1 ? "model" : "models")} that generators share",
        "training the base that generators share") { MakesPairs = true };

    public override StageKind Kind => Of;

    public override object Run(StageWork work) => work.Runner.TrainBase(this, work.FolderOf(this), work.Monitor);
}
