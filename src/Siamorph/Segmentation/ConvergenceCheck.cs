namespace Siamorph.Segmentation;

/// <summary>Whether a network was trained until more steps would have added little.</summary>
internal static class ConvergenceCheck
{
    /// <summary>A gain of validation Dice in the last half of the steps above which a network was still learning.</summary>
    public const double LargestGain = 0.01;

    /// <summary>How much the best validation Dice rose in the last half of the steps.</summary>
    /// <param name="looks">Step and validation Dice of each look, in order of steps.</param>
    /// <returns>At least 0; null where there are too few looks to tell.</returns>
    public static double? GainOfLastHalf(IReadOnlyList<(long Step, double Dice)> looks)
    {
        ArgumentNullException.ThrowIfNull(looks);
        if (looks.Count < 4) return null;
        var half = looks[^1].Step / 2.0;
        var before = looks.Where(l => l.Step <= half).Select(l => l.Dice).DefaultIfEmpty(double.NaN).Max();
        return double.IsNaN(before) ? null : Math.Max(0, looks.Max(l => l.Dice) - before);
    }
}
