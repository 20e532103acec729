namespace Siamorph.Diffusion;

/// <summary>How fast the noise grows with the timestep.</summary>
public enum ScheduleKind
{
    /// <summary>β linear in its square root, as in Stable Diffusion; preset official.</summary>
    ScaledLinear,

    /// <summary>ᾱ follows a squared cosine (Nichol and Dhariwal 2021), β at most 0.999.</summary>
    Cosine,
}

/// <summary>Which schedule, and its numbers.</summary>
public sealed record ScheduleOptions
{
    /// <summary>Shape of the noise schedule.</summary>
    public ScheduleKind Kind { get; init; } = ScheduleKind.ScaledLinear;

    /// <summary>Number of timesteps.</summary>
    public int Timesteps { get; init; } = 1000;

    /// <summary>First β of the scaled linear form.</summary>
    public double BetaStart { get; init; } = 0.00085;

    /// <summary>Last β of the scaled linear form.</summary>
    public double BetaEnd { get; init; } = 0.012;
}

/// <summary>
/// The variance schedule of the forward process: computed in double, rounded once to single, as the reference does.
/// All arrays are indexed by the timestep, 0 the cleanest.
/// </summary>
internal sealed class NoiseSchedule
{
    /// <summary>Computes every table.</summary>
    /// <exception cref="InvalidOptionsException">A number lies outside its range.</exception>
    public NoiseSchedule(ScheduleOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Timesteps < 2) throw new InvalidOptionsException($"Timesteps is {options.Timesteps}; at least 2 are needed.");
        if (!(options.BetaStart > 0 && options.BetaEnd < 1 && options.BetaStart <= options.BetaEnd))
            throw new InvalidOptionsException(
                $"β runs from {options.BetaStart} to {options.BetaEnd}; it must rise within (0, 1).");
        Betas = options.Kind == ScheduleKind.Cosine ? CosineBetas(options.Timesteps) : ScaledLinearBetas(options);
        AlphaBars = new double[Betas.Length];
        var product = 1.0;
        for (var t = 0; t < Betas.Length; t++) AlphaBars[t] = product *= 1 - Betas[t];
        SqrtAlphaBar = Single(a => Math.Sqrt(a));
        SqrtOneMinusAlphaBar = Single(a => Math.Sqrt(1 - a));
        SqrtRecipAlphaBar = Single(a => Math.Sqrt(1 / a));
        SqrtRecipM1AlphaBar = Single(a => Math.Sqrt(1 / a - 1));
        AlphaBar = Single(a => a);
    }

    /// <summary>Number of timesteps.</summary>
    public int Count => Betas.Length;

    /// <summary>β in double.</summary>
    public double[] Betas { get; }

    /// <summary>ᾱ, the running product of 1 − β, in double.</summary>
    public double[] AlphaBars { get; }

    /// <summary>ᾱ in single.</summary>
    public float[] AlphaBar { get; }

    /// <summary>√ᾱ.</summary>
    public float[] SqrtAlphaBar { get; }

    /// <summary>√(1 − ᾱ).</summary>
    public float[] SqrtOneMinusAlphaBar { get; }

    /// <summary>√(1 / ᾱ).</summary>
    public float[] SqrtRecipAlphaBar { get; }

    /// <summary>√(1 / ᾱ − 1).</summary>
    public float[] SqrtRecipM1AlphaBar { get; }

    /// <summary>Signal to noise ratio ᾱ / (1 − ᾱ) at a timestep.</summary>
    public double SignalToNoise(long timestep) => AlphaBars[timestep] / (1 - AlphaBars[timestep]);

    private float[] Single(Func<double, double> ofAlphaBar) => [.. AlphaBars.Select(a => (float)ofAlphaBar(a))];

    private static double[] ScaledLinearBetas(ScheduleOptions options)
    {
        var (from, to) = (Math.Sqrt(options.BetaStart), Math.Sqrt(options.BetaEnd));
        var step = (to - from) / (options.Timesteps - 1);
        var betas = new double[options.Timesteps];
        for (var t = 0; t < betas.Length; t++) betas[t] = Math.Pow(t == betas.Length - 1 ? to : from + t * step, 2);
        return betas;
    }

    private static double[] CosineBetas(int timesteps)
    {
        static double AlphaBarAt(double u) => Math.Pow(Math.Cos((u + 0.008) / 1.008 * Math.PI / 2), 2);
        var betas = new double[timesteps];
        for (var t = 0; t < timesteps; t++)
            betas[t] = Math.Min(0.999, 1 - AlphaBarAt((t + 1.0) / timesteps) / AlphaBarAt((double)t / timesteps));
        return betas;
    }
}
