namespace Siamorph.Diffusion;

/// <summary>How much a sample's error counts, by its timestep.</summary>
public enum LossWeighting
{
    /// <summary>All alike; preset official.</summary>
    Uniform,

    /// <summary>min(1 + SNR, 10): what an x0-prediction needs to be a noise loss that doesn't explode near t = 0.</summary>
    TruncatedSnr,
}

/// <summary>Weights by timestep.</summary>
public static class LossWeights
{
    private const double LargestWeight = 10;

    /// <summary>The weight of a sample at a timestep.</summary>
    public static double Of(LossWeighting weighting, NoiseSchedule schedule, long timestep)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        return weighting == LossWeighting.Uniform ? 1 : Math.Min(1 + schedule.SignalToNoise(timestep), LargestWeight);
    }
}
