using static TorchSharp.torch;

namespace Siamorph.Segmentation.Networks;

/// <summary>
/// SANet's probability correction: positive logits are divided by their share of the pixels, negative ones by theirs, so
/// the rarer side is raised. No pixel changes sides at 0.5; only scores over many thresholds change.
/// </summary>
internal static class ProbabilityCorrection
{
    /// <summary>Corrects the logits of each image by itself.</summary>
    /// <param name="logits">[…, H, W], of one class.</param>
    /// <returns>The same shape; zeros stay zeros.</returns>
    public static Tensor Apply(Tensor logits)
    {
        ArgumentNullException.ThrowIfNull(logits);
        using var scope = NewDisposeScope();
        var (positive, negative) = (logits > 0, logits < 0);
        Tensor Share(Tensor side) => side.to_type(logits.dtype).mean([-2, -1], keepdim: true).clamp_min(1e-12);
        var raised = where(positive, logits / Share(positive), where(negative, logits / Share(negative), logits));
        return raised.MoveToOuterDisposeScope();
    }
}
