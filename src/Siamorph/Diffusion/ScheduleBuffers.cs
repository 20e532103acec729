namespace Siamorph.Diffusion;

/// <summary>
/// The constants of a noise schedule that the reference stores in every checkpoint: computed in double, rounded once to
/// single. This project computes them when it needs them; they are written for other programs' sake.
/// </summary>
internal static class ScheduleBuffers
{
    private const double LeastVariance = 1e-20; // the logarithm of the first posterior variance, 0, is cut here

    /// <summary>Every table by the reference's name, [timesteps] each.</summary>
    public static IReadOnlyDictionary<string, float[]> Of(NoiseSchedule schedule)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        var (betas, bars, count) = (schedule.Betas, schedule.AlphaBars, schedule.Count);
        var before = bars.Prepend(1).Take(count).ToArray();
        var variance = Table(count, t => betas[t] * (1 - before[t]) / (1 - bars[t]));
        return new Dictionary<string, double[]>
        {
            ["betas"] = betas,
            ["alphas_cumprod"] = bars,
            ["alphas_cumprod_prev"] = before,
            ["sqrt_alphas_cumprod"] = Table(count, t => Math.Sqrt(bars[t])),
            ["sqrt_one_minus_alphas_cumprod"] = Table(count, t => Math.Sqrt(1 - bars[t])),
            ["log_one_minus_alphas_cumprod"] = Table(count, t => Math.Log(1 - bars[t])),
            ["sqrt_recip_alphas_cumprod"] = Table(count, t => Math.Sqrt(1 / bars[t])),
            ["sqrt_recipm1_alphas_cumprod"] = Table(count, t => Math.Sqrt(1 / bars[t] - 1)),
            ["posterior_variance"] = variance,
            ["posterior_log_variance_clipped"] = Table(count, t => Math.Log(Math.Max(variance[t], LeastVariance))),
            ["posterior_mean_coef1"] = Table(count, t => betas[t] * Math.Sqrt(before[t]) / (1 - bars[t])),
            ["posterior_mean_coef2"] = Table(count, t => (1 - before[t]) * Math.Sqrt(1 - betas[t]) / (1 - bars[t])),
            ["logvar"] = new double[count],
        }.ToDictionary(p => p.Key, p => Array.ConvertAll(p.Value, v => (float)v));
    }

    private static double[] Table(int count, Func<int, double> at) => [.. Enumerable.Range(0, count).Select(at)];
}
