using static TorchSharp.torch;

namespace Siamorph.Models;

/// <summary>Sinusoidal embedding of timesteps: cosines first, then sines, frequencies from 1 down to 1/10,000.</summary>
internal static class TimestepEmbedding
{
    /// <summary>Embeds timesteps.</summary>
    /// <param name="timesteps">int64 [B].</param>
    /// <param name="width">Even number of channels.</param>
    /// <param name="dtype">Type of the result; the sines are taken in float32.</param>
    /// <returns>[B, width] on the device of the timesteps.</returns>
    public static Tensor Of(Tensor timesteps, int width, ScalarType dtype = ScalarType.Float32)
    {
        using var scope = NewDisposeScope();
        var half = width / 2;
        var k = arange(half, dtype: float32, device: timesteps.device);
        var frequencies = (k * (float)(-Math.Log(10000) / half)).exp();
        var angles = timesteps.to(float32).unsqueeze(1) * frequencies.unsqueeze(0);
        return cat([angles.cos(), angles.sin()], dim: 1).to(dtype).MoveToOuterDisposeScope();
    }
}
