using System.Globalization;
using Siamorph.Segmentation;

namespace Siamorph.Experiment.Results;

/// <summary>
/// The alarm that withholds an experiment's verdict: more data can't help a network that has not yet used what it has.
/// </summary>
internal static class Undertraining
{
    private const double Noise = 0.005;

    /// <summary>Why nothing can be concluded, one sentence; null where the networks were trained enough.</summary>
    public static string? Alarm(IReadOnlyList<ArmSummary> arms, IReadOnlyList<CellResult> cells)
    {
        var reasons = cells.GroupBy(c => c.RealCount).Select(g => Reason(arms, [.. g], g.Key)).OfType<string>().ToList();
        return reasons.Count == 0 ? null
            : $"These networks are not trained enough, so there is no verdict. {string.Join(" ", reasons)} Give them more steps "
            + $"(segmentation.steps).";
    }

    private static string? Reason(IReadOnlyList<ArmSummary> arms, List<CellResult> cells, int count)
    {
        var baseline = cells.Where(c => c.Arm == arms[0].Name).ToList();
        var gains = baseline.Select(c =>
            ConvergenceCheck.GainOfLastHalf([.. c.Outcome.Validation.Steps.Zip(c.Outcome.Validation.Values)]))
            .OfType<double>().ToList();
        if (gains.Count > 0 && gains.Average() is var gain && gain > ConvergenceCheck.LargestGain)
            return string.Create(CultureInfo.InvariantCulture,
                $"With {count} real pairs, {arms[0].Title} still gained {100 * gain:0.0} points of validation Dice in the last "
                    + $"half of its steps.");
        double[] Of(string arm) => [.. cells.Where(c => c.Arm == arm).Select(c => c.Outcome.Dice)];
        var (plain, classical) = Of(Arms.LightAugmentation.Name) is { Length: > 0 } light ? (light, Of(Arms.RealOnly.Name))
            : (Of(Arms.RealOnly.Name), Of(Arms.Classical.Name));
        return plain.Length > 0 && classical.Length > 0 && plain.Average() - classical.Average() is var lost && lost > Noise
            ? string.Create(CultureInfo.InvariantCulture,
                $"With {count} real pairs, stronger augmentation cost {100 * lost:0.0} points, which happens only when networks "
                    + $"are not trained long enough.")
            : null;
    }
}
