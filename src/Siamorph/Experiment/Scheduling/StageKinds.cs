namespace Siamorph.Experiment.Scheduling;

/// <summary>The order of kinds of stages, for plans and reports.</summary>
internal static class StageKinds
{
    /// <summary>The place of a kind; one that is not known comes last.</summary>
    public static int Place(string kind) => Array.IndexOf(PlannedStage.Kinds, kind) is >= 0 and var place ? place : int.MaxValue;
}
