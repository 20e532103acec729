using Siamorph.Data;
using Siamorph.Experiment.Scheduling;

namespace Siamorph.Experiment.Results;

/// <summary>Compares arms on sets of other hospitals, one by one and together: a function of scores and options alone.</summary>
internal static class ExternalAnalysis
{
    public static IReadOnlyList<ExternalResult> Compare(
        ExperimentPlan plan, IReadOnlyList<CellResult> cells, IReadOnlyDictionary<string, StageRecord> records) =>
        plan.External.Count == 0 ? [] : Compare(
            plan.Options, [.. plan.Cells.Zip(cells, (p, c) => (c, records[p.External!.Key].As<ExternalOutcome>()))],
            [.. plan.External.Select(e => e.Pairs)]);

    /// <summary>Each arm on each set; all sets together first, where there are several.</summary>
    /// <param name="options">Arms, seeds, draws.</param>
    /// <param name="scored">Every cell with its scores.</param>
    /// <param name="sets">The pairs of each set.</param>
    internal static IReadOnlyList<ExternalResult> Compare(
        ExperimentOptions options, IReadOnlyList<(CellResult Cell, ExternalOutcome Outcome)> scored,
        IReadOnlyList<IReadOnlyList<ImageMaskPair>> sets)
    {
        var results = new List<ExternalResult>();
        // A patient of one hospital is nobody in another.
        List<string?[]> groups = [.. sets.Select((s, i) => s.Select(p => p.Group is null ? null : $"{i} {p.Group}").ToArray())];
        foreach (var count in scored.Select(s => s.Cell.RealCount).Distinct())
            foreach (var arm in options.Arms)
            {
                var (own, baseline) = (Of(arm), Of(options.Arms[0]));
                if (sets.Count > 1) results.Add(
                    Result(null, [.. groups.SelectMany(g => g)], s => s.SelectMany(x => x.Dice), s => s.SelectMany(x => x.Iou)));
                for (var i = 0; i < sets.Count; i++)
                {
                    var at = i;
                    results.Add(Result(own[0].Sets[i].Name, groups[i], s => s[at].Dice, s => s[at].Iou));
                }

                List<ExternalOutcome> Of(string name) =>
                    [.. options.Seeds.Select(seed =>
                        scored.Single(s => s.Cell.Arm == name && s.Cell.RealCount == count && s.Cell.Seed == seed).Outcome)];

                ExternalResult Result(string? set, string?[] units, Func<IReadOnlyList<ExternalScores>, IEnumerable<double>> dice,
                    Func<IReadOnlyList<ExternalScores>, IEnumerable<double>> iou)
                {
                    List<double[]> mine = [.. own.Select(o => dice(o.Sets).ToArray())];
                    return new()
                    {
                        RealCount = count,
                        Arm = arm,
                        Set = set,
                        Images = units.Length,
                        Dice = Rounded(mine.Average(m => m.Average())),
                        Iou = Rounded(own.Average(o => iou(o.Sets).Average())),
                        Difference = arm == options.Arms[0] ? null
                            : Difference(mine, [.. baseline.Select(o => dice(o.Sets).ToArray())], units, $"{arm} {count} {set}"),
                    };
                }
            }
        return results;

        ArmDifference Difference(List<double[]> arm, List<double[]> baseline, string?[] units, string what) =>
            ArmDifference.Of(arm, baseline, units, options.BootstrapDraws, options.Seeds[0].Derive("external").Derive(what));
    }

    private static double Rounded(double value) => Math.Round(value, 6);
}
