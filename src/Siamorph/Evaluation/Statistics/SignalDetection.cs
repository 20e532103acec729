namespace Siamorph.Evaluation.Statistics;

/// <summary>
/// Sensitivity and criterion of an observer (Green and Swets 1966), from log-linear rates (Hautus 1995), so that 0 and 1 stay
/// finite.
/// </summary>
/// <param name="Sensitivity">d′: distance of both distributions in standard deviations; 0 where nothing is told apart.</param>
/// <param name="Criterion">c: above 0 an observer is slow to say "signal", below 0 quick.</param>
internal readonly record struct SignalDetection(double Sensitivity, double Criterion)
{
    /// <summary>From counts.</summary>
    /// <param name="hits">Signals called signals.</param>
    /// <param name="signals">All signals.</param>
    /// <param name="falseAlarms">Others called signals.</param>
    /// <param name="others">All others.</param>
    public static SignalDetection Of(int hits, int signals, int falseAlarms, int others)
    {
        var (hit, alarm) = (Normal(hits, signals), Normal(falseAlarms, others));
        return new(hit - alarm, -(hit + alarm) / 2);
    }

    private static double Normal(int count, int of) => StudentT.Quantile((count + 0.5) / (of + 1.0), double.PositiveInfinity);
}
