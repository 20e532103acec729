using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Siamorph.Segmentation.Losses;

/// <summary>Losses of mask logits [B,1,H,W] against masks of the same shape in [0,1]; each returns a scalar.</summary>
internal static class MaskLosses
{
    /// <summary>The chosen loss.</summary>
    /// <param name="loss">Which one.</param>
    /// <param name="logits">[B,1,H,W]; receives the gradient.</param>
    /// <param name="masks">[B,1,H,W] in [0,1].</param>
    /// <returns>A scalar, finite for finite logits.</returns>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    public static Tensor Of(MaskLoss loss, Tensor logits, Tensor masks)
    {
        ArgumentNullException.ThrowIfNull(logits);
        ArgumentNullException.ThrowIfNull(masks);
        if (loss is MaskLoss.CrossEntropyDice or MaskLoss.CrossEntropy) return OfClasses(loss, logits, masks);
        if (!logits.shape.SequenceEqual(masks.shape))
            throw new ArgumentException($"Logits [{string.Join(",", logits.shape)}], masks [{string.Join(",", masks.shape)}].",
                nameof(masks));
        using var scope = NewDisposeScope();
        var result = loss switch
        {
            MaskLoss.BceDice => Bce(logits, masks) + Dice(logits, masks, above: 1, below: 1),
            MaskLoss.BceBatchDice => Bce(logits, masks) + BatchDice(logits, masks),
            MaskLoss.BceDiceSanet => Bce(logits, masks) + Dice(logits, masks, above: 0, below: 1),
            MaskLoss.Structure => (WeightedBce(logits, masks) + WeightedIou(logits, masks)).mean(),
            MaskLoss.StructureAsExecuted => Bce(logits, masks) + WeightedIou(logits, masks).mean(),
            _ => throw new ArgumentOutOfRangeException(nameof(loss)),
        };
        return result.MoveToOuterDisposeScope();
    }

    // One logit is the foreground's against a background at 0, so softmax over both is the sigmoid.
    private static Tensor OfClasses(MaskLoss loss, Tensor logits, Tensor masks)
    {
        if (masks.dim() != 4 || masks.shape[1] != 1 || logits.shape[0] != masks.shape[0]
            || !logits.shape.AsSpan(2).SequenceEqual(masks.shape.AsSpan(2)))
            throw new ArgumentException($"Logits [{string.Join(",", logits.shape)}], masks [{string.Join(",", masks.shape)}].",
            nameof(masks));
        using var scope = NewDisposeScope();
        if (logits.shape[1] == 1) logits = cat([zeros_like(logits), logits], 1);
        var truth = masks.round().to_type(ScalarType.Int64).squeeze(1);
        var value = functional.cross_entropy(logits, truth);
        if (loss == MaskLoss.CrossEntropyDice) value += ClassDice(logits, truth);
        return value.MoveToOuterDisposeScope();
    }

    /// <summary>1 − Dice of all classes and the whole batch together.</summary>
    internal static Tensor ClassDice(Tensor logits, Tensor truth)
    {
        const double smooth = 1e-6;
        using var scope = NewDisposeScope();
        var p = functional.softmax(logits, 1);
        var t = functional.one_hot(truth, logits.shape[1]).permute(0, 3, 1, 2).to_type(p.dtype);
        return (1 - (2 * (p * t).sum() + smooth) / (p.sum() + t.sum() + smooth)).MoveToOuterDisposeScope();
    }

    internal static Tensor Bce(Tensor logits, Tensor masks) => functional.binary_cross_entropy_with_logits(logits, masks);

    /// <summary>Mean over images of 1 − Dice, with what is added above and below the fraction line.</summary>
    internal static Tensor Dice(Tensor logits, Tensor masks, double above, double below) =>
        Dice(logits, masks, [1, 2, 3], above, below);

    /// <summary>1 − Dice of all images together, smoothed by 1e-6.</summary>
    internal static Tensor BatchDice(Tensor logits, Tensor masks) => Dice(logits, masks, [0, 1, 2, 3], 1e-6, 1e-6);

    private static Tensor Dice(Tensor logits, Tensor masks, long[] over, double above, double below)
    {
        var p = logits.sigmoid();
        var common = (p * masks).sum(over);
        var total = p.sum(over) + masks.sum(over);
        return (1 - (2 * common + above) / (total + below)).mean();
    }

    // Pixels near a boundary, seen in a 31×31 window, count up to six times.
    internal static Tensor BoundaryWeights(Tensor masks) =>
        1 + 5 * (functional.avg_pool2d(masks, 31, stride: 1, padding: 15) - masks).abs();

    // One value an image, [B,1].
    internal static Tensor WeightedBce(Tensor logits, Tensor masks)
    {
        var weights = BoundaryWeights(masks);
        var each = functional.binary_cross_entropy_with_logits(logits, masks, reduction: Reduction.None);
        return (weights * each).sum([2, 3]) / weights.sum([2, 3]);
    }

    internal static Tensor WeightedIou(Tensor logits, Tensor masks)
    {
        var weights = BoundaryWeights(masks);
        var p = logits.sigmoid();
        var common = (p * masks * weights).sum([2, 3]);
        var total = ((p + masks) * weights).sum([2, 3]);
        return 1 - (common + 1) / (total - common + 1);
    }
}
