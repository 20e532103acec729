using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Siamorph.Segmentation.Losses;

/// <summary>
/// The losses of <see cref="MaskLosses"/> for soft labels. Cross-entropy takes probabilities as they are; in Dice and IoU
/// the common part is min(p, t) = (p + t − |p − t|) / 2 in place of p · t, which is the same where t is 0 or 1 and, unlike the
/// product, has its best value at p = t (Wang et al. 2023, arXiv 2303.16296 and 2302.05666: with the product, the best answer
/// to a soft label is a hard one).
/// </summary>
internal static class SoftMaskLosses
{
    private static readonly long[] PerImage = [1, 2, 3];
    private static readonly long[] WholeBatch = [0, 1, 2, 3];

    /// <summary>The chosen loss.</summary>
    /// <param name="loss">One for a single class.</param>
    /// <param name="logits">[B,1,H,W]; receives the gradient.</param>
    /// <param name="labels">[B,1,H,W] in [0,1].</param>
    /// <param name="agreementWeight">a in each pixel's weight 1 − a · (1 − |2t − 1|); 0 counts all alike, 1 leaves out pixels at
    /// ½.</param>
    /// <returns>A scalar, finite for finite logits.</returns>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The loss is for several classes.</exception>
    public static Tensor Of(MaskLoss loss, Tensor logits, Tensor labels, double agreementWeight)
    {
        ArgumentNullException.ThrowIfNull(logits);
        ArgumentNullException.ThrowIfNull(labels);
        if (!logits.shape.SequenceEqual(labels.shape))
            throw new ArgumentException($"Logits [{string.Join(",", logits.shape)}], labels [{string.Join(",", labels.shape)}].",
                nameof(labels));
        using var scope = NewDisposeScope();
        var agreed = agreementWeight == 0 ? ones_like(labels) : 1 - agreementWeight * (1 - (2 * labels - 1).abs());
        var boundary = agreed * MaskLosses.BoundaryWeights(labels);
        var result = loss switch
        {
            MaskLoss.BceDice => CrossEntropy(logits, labels, agreed, WholeBatch) + Dice(logits, labels, agreed, PerImage, 1, 1),
            MaskLoss.BceBatchDice => CrossEntropy(logits, labels, agreed, WholeBatch)
                + Dice(logits, labels, agreed, WholeBatch, 1e-6, 1e-6),
            MaskLoss.BceDiceSanet => CrossEntropy(logits, labels, agreed, WholeBatch)
                + Dice(logits, labels, agreed, PerImage, 0, 1),
            MaskLoss.Structure => CrossEntropy(logits, labels, boundary, PerImage) + Iou(logits, labels, boundary),
            MaskLoss.StructureAsExecuted => CrossEntropy(logits, labels, agreed, WholeBatch) + Iou(logits, labels, boundary),
            _ => throw new ArgumentOutOfRangeException(nameof(loss)),
        };
        return result.MoveToOuterDisposeScope();
    }

    private static Tensor CrossEntropy(Tensor logits, Tensor labels, Tensor weights, long[] over)
    {
        var each = functional.binary_cross_entropy_with_logits(logits, labels, reduction: Reduction.None);
        return ((weights * each).sum(over) / weights.sum(over).clamp_min(1e-6)).mean();
    }

    private static Tensor Dice(Tensor logits, Tensor labels, Tensor weights, long[] over, double numerator, double denominator)
    {
        var p = logits.sigmoid();
        var common = (minimum(p, labels) * weights).sum(over);
        var total = ((p + labels) * weights).sum(over);
        return (1 - (2 * common + numerator) / (total + denominator)).mean();
    }

    private static Tensor Iou(Tensor logits, Tensor labels, Tensor weights)
    {
        var p = logits.sigmoid();
        var common = (minimum(p, labels) * weights).sum(PerImage);
        var total = ((p + labels) * weights).sum(PerImage);
        return (1 - (common + 1) / (total - common + 1)).mean();
    }
}
