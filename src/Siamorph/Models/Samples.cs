using static TorchSharp.torch;

namespace Siamorph.Models;

/// <summary>
/// Sampling with two prompts asks for two answers about one latent. Up to the first look at the prompt they are the same, so the
/// networks take fewer latents than prompts and repeat what they have where the prompts come in.
/// </summary>
internal static class Samples
{
    /// <summary>
    /// <paramref name="t"/> as often over, sample after sample, as <paramref name="count"/> samples need; itself when it has
    /// them.
    /// </summary>
    public static Tensor Repeat(Tensor t, long count) =>
        t.shape[0] == count ? t : cat([.. Enumerable.Repeat(t, (int)(count / t.shape[0]))]);

    /// <summary>The sum, the one with fewer samples repeated.</summary>
    public static Tensor Add(Tensor a, Tensor b)
    {
        var count = Math.Max(a.shape[0], b.shape[0]);
        return Repeat(a, count) + Repeat(b, count);
    }
}
