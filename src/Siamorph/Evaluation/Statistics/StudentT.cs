namespace Siamorph.Evaluation.Statistics;

/// <summary>Student's t distribution.</summary>
internal static class StudentT
{
    /// <summary>Probability of a value up to <paramref name="t"/>.</summary>
    /// <param name="t">The value.</param>
    /// <param name="degreesOfFreedom">Above 0; need not be whole; infinity gives the normal distribution.</param>
    public static double Cdf(double t, double degreesOfFreedom)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(degreesOfFreedom);
        if (t == 0) return 0.5;
        var df = Math.Min(degreesOfFreedom, 1e7); // by then nothing is left between it and the normal
        var tail = 0.5 * IncompleteBeta(df / (df + t * t), df / 2, 0.5);
        return t > 0 ? 1 - tail : tail;
    }

    /// <summary>The value below which a share of the distribution lies.</summary>
    /// <param name="share">In (0, 1).</param>
    /// <param name="degreesOfFreedom">Above 0.</param>
    public static double Quantile(double share, double degreesOfFreedom)
    {
        if (share is not (> 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(share), share, "A share must be in (0, 1).");
        double low = -1, high = 1;
        while (Cdf(low, degreesOfFreedom) > share) low *= 2;
        while (Cdf(high, degreesOfFreedom) < share) high *= 2;
        for (var i = 0; i < 200 && high - low > 1e-13 * Math.Max(1, Math.Abs(low)); i++)
        {
            var middle = (low + high) / 2;
            if (Cdf(middle, degreesOfFreedom) < share) low = middle;
            else high = middle;
        }
        return (low + high) / 2;
    }

    // The regularised incomplete beta function by Lentz's continued fraction (Abramowitz and Stegun 26.5.8).
    private static double IncompleteBeta(double x, double a, double b)
    {
        if (x <= 0) return 0;
        if (x >= 1) return 1;
        if (x > (a + 1) / (a + b + 2)) return 1 - IncompleteBeta(1 - x, b, a);
        var front = Math.Exp(a * Math.Log(x) + b * Math.Log(1 - x) + LogGamma(a + b) - LogGamma(a) - LogGamma(b)) / a;
        const double tiny = 1e-300;
        double f = 1, c = 1, d = 0;
        for (var i = 0; i <= 2000; i++)
        {
            var m = i / 2;
            var numerator = i == 0 ? 1
                : i % 2 == 0 ? m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
                : -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
            d = 1 + numerator * d;
            d = 1 / (Math.Abs(d) < tiny ? tiny : d);
            c = 1 + numerator / c;
            if (Math.Abs(c) < tiny) c = tiny;
            f *= c * d;
            if (Math.Abs(1 - c * d) < 1e-15) break;
        }
        return front * (f - 1);
    }

    // Stirling's series after raising the argument above 12 (Abramowitz and Stegun 6.1.41).
    private static double LogGamma(double x)
    {
        double shift = 0;
        for (; x < 12; x++) shift += Math.Log(x);
        var y = 1 / (x * x);
        var series = (1.0 / 12 - y * (1.0 / 360 - y * (1.0 / 1260 - y * (1.0 / 1680 - y / 1188)))) / x;
        return (x - 0.5) * Math.Log(x) - x + 0.5 * Math.Log(2 * Math.PI) + series - shift;
    }
}
