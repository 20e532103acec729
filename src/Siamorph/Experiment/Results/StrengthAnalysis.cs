using Siamorph.Synthesis;

namespace Siamorph.Experiment.Results;

/// <summary>How an arm that starts from images does at its strength.</summary>
/// <param name="RealCount">Real training pairs.</param>
/// <param name="Start">"real" or "paste".</param>
/// <param name="Strength">0 (the image as it was deformed or pasted) to 1 (pure noise).</param>
/// <param name="Arm">Name of the arm.</param>
/// <param name="Dice">Mean test Dice over seeds.</param>
internal sealed record StrengthPoint(int RealCount, string Start, double Strength, string Arm, double Dice);

/// <summary>Finds the arms that differ in how far images are noised before they are denoised.</summary>
internal static class StrengthAnalysis
{
    /// <summary>The points of each start that has several strengths, by rising strength.</summary>
    public static IReadOnlyList<StrengthPoint> Of(ExperimentOptions options, IReadOnlyList<CellResult> cells)
    {
        var arms = options.Arms.Select(options.Arm).Where(a => a.UsesSynthetic && !a.WrongMasks && !a.Gate)
            .Select(a => (a.Name, Synthesis: a.SynthesisOptions(options.Synthesis)))
            .Where(a => a.Synthesis.Start is SampleStart.Real or SampleStart.Paste).ToList();
        return [.. cells.Select(c => c.RealCount).Distinct().SelectMany(count => arms
            .GroupBy(a => a.Synthesis.Start).Where(g => g.Select(a => a.Synthesis.ResolvedStrength).Distinct().Count() > 1)
            .SelectMany(g => g.OrderBy(a => a.Synthesis.ResolvedStrength)).Select(a => new StrengthPoint(
                count, a.Synthesis.Start.ToString().ToLowerInvariant(), a.Synthesis.ResolvedStrength, a.Name,
                cells.Where(c => c.RealCount == count && c.Arm == a.Name).Average(c => c.Outcome.Dice))))];
    }
}
