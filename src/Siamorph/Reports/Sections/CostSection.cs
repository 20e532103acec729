using System.Globalization;
using Siamorph.Experiment.Results;
using Siamorph.Experiment.Stages;

namespace Siamorph.Reports.Sections;

/// <summary>What it cost, and what it saved in real images where it did.</summary>
internal static class CostSection
{
    public static Section Cost(ExperimentResult result, ExperimentTimes times)
    {
        var time = MethodSections.Time(times);
        var lines = result.Comparisons.Where(c => c.Statistics is { } s && (s.Primary || result.Arms.Count == 2))
            .Select(c => Equivalent(result, c)).OfType<string>().ToList();
        var perSet = times.Stages.Where(s => StageKind.Named(s.Kind) is { MakesPairs: true }).Sum(s => s.Seconds);
        if (result.Generators.Count > 0)
            lines.Insert(0, $"One generator with its synthetic pairs took {Format.Duration(perSet / result.Generators.Count)} "
                + $"here, on average over {Format.Count(result.Generators.Count, "generator")}.");
        return new Section("Cost", lines.Count > 0 ? [new BulletList(lines), .. time.Blocks] : time.Blocks);
    }

    // The real-only curve read backwards: a straight line over the logarithm of the number between two measured sizes.
    private static string? Equivalent(ExperimentResult result, Comparison c)
    {
        var curve = result.Cells.Where(x => x.Arm == c.Baseline).GroupBy(x => x.RealCount).OrderBy(g => g.Key)
            .Select(g => (N: g.Key, Dice: g.Average(x => x.Outcome.Dice))).ToList();
        if (curve.Count < 2) return null;
        var arm = ExperimentSentences.Title(result, c.Arm);
        var start = $"{arm} with {c.RealCount} real images has test Dice {Format.Score(c.ArmDice)}";
        for (var i = 1; i < curve.Count; i++)
        {
            var (a, b) = (curve[i - 1], curve[i]);
            if (c.ArmDice < Math.Min(a.Dice, b.Dice) || c.ArmDice > Math.Max(a.Dice, b.Dice) || a.Dice == b.Dice) continue;
            var n = Math.Exp(Math.Log(a.N) + (Math.Log(b.N) - Math.Log(a.N)) * (c.ArmDice - a.Dice) / (b.Dice - a.Dice));
            return string.Create(CultureInfo.InvariantCulture,
                $"{start}; without synthetic pairs about {n:0} would be needed (estimated between {a.N} and {b.N} on the "
                    + $"learning curve).");
        }
        var (first, last) = (curve[0], curve[^1]);
        return c.ArmDice > curve.Max(p => p.Dice)
            ? $"{start}, above the whole learning curve without synthetic pairs: more than {last.N} real images would be needed."
            : $"{start}, below the whole learning curve without synthetic pairs: fewer than {first.N} real images alone "
            + $"do as well.";
    }
}
