using System.Globalization;
using Siamorph.Experiment.Stages;

namespace Siamorph.Experiment.Scheduling;

/// <summary>Says what will be done and about how long it takes.</summary>
internal static class PlanText
{
    /// <summary>The cells: each arm with what it trains on, and which comparison answers the question.</summary>
    public static IEnumerable<string> Cells(ExperimentPlan plan)
    {
        var networks = plan.Options.OtherNetworks;
        var repeated = networks.Count == 0 ? "" : $", and as many with each of {string.Join(", ", networks)}";
        yield return $"{plan.Cells.Count} segmentation trainings{repeated}; {plan.Stages.Count} stages:";
        foreach (var arm in plan.Cells.GroupBy(c => c.Arm.Name))
        {
            var sizes = arm.GroupBy(c => c.RealCount).Select(c => (c.Key, Stage: c.First().Stage))
                .Select(c => $"{(c.Stage.Arm.UsesReal ? $"{c.Key} real" : "no real")}"
                + $"{(c.Stage.Added > 0 ? $" + {c.Stage.Added} {AddedText(c.Stage.Arm)}" : "")}"
                + $"{(c.Stage.Unlabelled.Count > 0 ? $" + {c.Stage.Unlabelled.Count} without masks" : "")}");
            yield return $"  {arm.Key}: {string.Join("; ", sizes)}; {arm.Select(c => c.Seed).Distinct().Count()} seeds each";
        }
        if (plan.Options.ResolvedPrimary([.. plan.Cells.Select(c => c.RealCount).Distinct()]) is var (name, baseline, count))
            yield return $"Primary end-point: mean {PrimaryEndPoint.Measure(plan.Options.Primary?.Set)} of {name} against "
                + $"{baseline} with {count} real pairs.";
    }

    public static IEnumerable<string> Lines(
        ExperimentPlan plan, IReadOnlyList<RemainingStage> remaining, StageSpeeds speeds, int processes)
    {
        var options = plan.Options;
        yield return $"Data: {plan.Train.Count} training, {plan.Validation.Count} validation, {plan.Test.Count} test pairs.";
        yield return $"Comparing {string.Join(" with ", options.Arms)} at "
            + $"{string.Join(", ", plan.Cells.Select(c => c.RealCount).Distinct())} real pairs, "
            + $"{options.Seeds.Count} seeds.";
        var done = plan.Stages.Count - remaining.Count;
        if (done > 0) yield return $"{done} of {plan.Stages.Count} stages are already done.";
        foreach (var kind in remaining.GroupBy(s => s.Stage.Kind).OrderBy(k => StageKind.Place(k.Key.Name)))
            yield return $"  {kind.Key.Plan(kind.Count())}: about {Time(kind.Sum(s => s.Seconds(speeds)))}";
        var beside = processes > 1 ? $", {processes} stages in parallel" : "";
        yield return $"About {Time(Seconds(remaining, speeds, processes))} in all{beside}, measured on this machine. You can "
            + $"stop it at any time; the same command continues it.";
    }

    // Side by side as evenly as the longest chain of stages that need each other allows.
    private static double Seconds(IReadOnlyList<RemainingStage> remaining, StageSpeeds speeds, int processes)
    {
        var left = remaining.ToDictionary(s => s.Stage.Key, s => s.Seconds(speeds));
        double Chain(PlannedStage stage) => left.GetValueOrDefault(stage.Key) + stage.Needs.Select(Chain).DefaultIfEmpty(0).Max();
        return Math.Max(left.Values.Sum() / processes, remaining.Max(s => Chain(s.Stage)));
    }

    private static string AddedText(ArmDefinition arm) => arm.Added switch
    {
        AddedPairs.Synthetic => "synthetic",
        AddedPairs.PseudoLabels => "pseudo-labelled",
        _ => "copies",
    };

    internal static string Time(double seconds) => seconds switch
    {
        < 90 => string.Create(CultureInfo.InvariantCulture, $"{Math.Max(1, Math.Round(seconds))} s"),
        < 5400 => string.Create(CultureInfo.InvariantCulture, $"{Math.Ceiling(seconds / 60)} min"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{Math.Round(seconds / 3600, 1)} h"),
    };
}
