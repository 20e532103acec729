using Siamorph.Data;
using Siamorph.Experiment.Scheduling;

namespace Siamorph.Experiment.Stages;

/// <summary>What a stage finds around it when it is to run.</summary>
/// <param name="Plan">The experiment.</param>
/// <param name="Store">Its folders.</param>
/// <param name="Runner">Does the work.</param>
/// <param name="Monitor">Watches.</param>
internal sealed record StageWork(ExperimentPlan Plan, StageStore Store, IStageRunner Runner, IMonitor Monitor)
{
    /// <summary>Where a stage writes, and where those that need it read.</summary>
    public string FolderOf(PlannedStage stage) => Store.RunFolderOf(stage);

    /// <summary>The pairs that a stage wrote.</summary>
    public IReadOnlyList<ImageMaskPair> Pairs(PlannedStage stage) => Runner.ReadSynthetic(FolderOf(stage));
}
