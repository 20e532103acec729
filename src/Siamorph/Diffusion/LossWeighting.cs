using static TorchSharp.torch;

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
internal static class LossWeights
{
    private const double LargestWeight = 10;

    /// <summary>The weight of a sample at a timestep.</summary>
    public static double Of(LossWeighting weighting, NoiseSchedule schedule, long timestep)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        return weighting == LossWeighting.Uniform ? 1 : Math.Min(1 + schedule.SignalToNoise(timestep), LargestWeight);
    }

    /// <summary>The weights of a batch.</summary>
    /// <param name="weighting">Which form.</param>
    /// <param name="schedule">The noise schedule.</param>
    /// <param name="timesteps">int64 [B].</param>
    /// <returns>float [B] on the timesteps' device.</returns>
    public static Tensor Of(LossWeighting weighting, NoiseSchedule schedule, Tensor timesteps)
    {
        var values = timesteps.cpu().data<long>().Select(t => (float)Of(weighting, schedule, t)).ToArray();
        return tensor(values, device: timesteps.device);
    }
}
