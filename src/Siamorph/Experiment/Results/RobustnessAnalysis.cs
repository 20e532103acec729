using Siamorph.Experiment.Scheduling;
using Siamorph.Imaging;

namespace Siamorph.Experiment.Results;

/// <summary>Compares arms on corrupted test images: a function of scores and options alone.</summary>
internal static class RobustnessAnalysis
{
    private const int MostDraws = 2000; // many intervals that support, none that decides

    /// <summary>The scores of a network: clean, and under each condition.</summary>
    /// <param name="Cell">Whose.</param>
    /// <param name="Outcome">On corrupted images.</param>
    internal sealed record Scored(CellResult Cell, RobustnessOutcome Outcome);

    public static IReadOnlyList<RobustnessResult> Compare(
        ExperimentPlan plan, string? network, IReadOnlyList<CellResult> cells, IReadOnlyDictionary<string, StageRecord> records,
        DataCard data)
    {
        if (plan.Options.Corruptions.Count == 0) return [];
        return Compare(plan.Options, [.. plan.CellsOf(network)
            .Zip(cells, (p, c) => new Scored(c, records[p.Robustness!.Key].As<RobustnessOutcome>()))],
            [.. Analysis.TestFacts(cells[0], data).Select(f => f.Group)]);
    }

    /// <summary>Each arm under each condition, the mean over all conditions first.</summary>
    /// <param name="options">Arms, seeds, draws.</param>
    /// <param name="scored">Every cell.</param>
    /// <param name="groups">Group of each test image.</param>
    internal static IReadOnlyList<RobustnessResult> Compare(
        ExperimentOptions options, IReadOnlyList<Scored> scored, IReadOnlyList<string?> groups)
    {
        var results = new List<RobustnessResult>();
        foreach (var count in scored.Select(s => s.Cell.RealCount).Distinct())
            foreach (var arm in options.Arms)
            {
                var (own, baseline) = (Of(arm), Of(options.Arms[0]));
                RobustnessResult Result(CorruptionKind? kind, int strength, Func<RobustnessOutcome, IReadOnlyList<double>> images)
                {
                    var mine = own.Select(s => images(s.Outcome)).ToList();
                    return new()
                    {
                        RealCount = count,
                        Arm = arm,
                        Corruption = kind,
                        Strength = strength,
                        Dice = Rounded(mine.Average(i => i.Average())),
                        CleanDice = Rounded(own.Average(s => s.Cell.Outcome.Dice)),
                        Difference = arm == options.Arms[0] ? null
                            : Difference(mine, [.. baseline.Select(s => images(s.Outcome))], $"{arm} {count} {kind} {strength}"),
                    };
                }
                results.Add(Result(null, 0, o => MeanOfConditions(o)));
                var conditions = own[0].Outcome.Conditions;
                for (var i = 0; i < conditions.Count; i++)
                {
                    var at = i;
                    results.Add(Result(conditions[i].Corruption, conditions[i].Strength, o => o.Conditions[at].Images));
                }

                List<Scored> Of(string name) =>
                    [.. options.Seeds.Select(seed =>
                        scored.Single(s => s.Cell.Arm == name && s.Cell.RealCount == count && s.Cell.Seed == seed))];
            }
        return results;

        ArmDifference Difference(List<IReadOnlyList<double>> arm, List<IReadOnlyList<double>> baseline, string what) =>
            ArmDifference.Of(arm, baseline, groups, Math.Min(MostDraws, options.BootstrapDraws),
            options.Seeds[0].Derive("robustness").Derive(what));
    }

    private static double[] MeanOfConditions(RobustnessOutcome outcome)
        => [.. Enumerable.Range(0, outcome.Conditions[0].Images.Count).Select(i => outcome.Conditions.Average(c => c.Images[i]))];

    private static double Rounded(double value) => Math.Round(value, 6);
}
