using Siamorph.Segmentation;

namespace Siamorph.Tests.Reference;

/// <summary>The segmentation losses once more, from their formulas.</summary>
internal static class MaskLossReference
{
    /// <summary>A loss of logits [B,1,H,W], or [B,classes,H,W], against masks [B,1,H,W].</summary>
    public static Grid Of(MaskLoss loss, Grid logits, Grid masks) => loss switch
    {
        MaskLoss.BceDice => Bce(logits, masks).Mean().Plus(Dice(logits, masks, logits.Shape[0], 1, 1)),
        MaskLoss.BceBatchDice => Bce(logits, masks).Mean().Plus(Dice(logits, masks, 1, 1e-6, 1e-6)),
        MaskLoss.BceDiceSanet => Bce(logits, masks).Mean().Plus(Dice(logits, masks, logits.Shape[0], 0, 1)),
        MaskLoss.Structure => WeightedBce(logits, masks).Plus(WeightedIou(logits, masks)),
        MaskLoss.StructureAsExecuted => Bce(logits, masks).Mean().Plus(WeightedIou(logits, masks)),
        MaskLoss.CrossEntropy => CrossEntropy(logits, masks),
        _ => CrossEntropy(logits, masks).Plus(ClassDice(logits, masks)),
    };

    /// <summary>Supervised contrast of [anchors, views, C], unit or not, with the class of each anchor.</summary>
    public static Grid Contrast(Grid features, int[] labels)
    {
        int anchors = features.Shape[0], views = features.Shape[1], width = features.Shape[2], n = anchors * views;
        var rows = features.Reshape(n, width); // row r is view r % views of anchor r / views
        double[] Pairs(Func<int, int, bool> which) => [.. Enumerable.Range(0, n * n).Select(i => which(i / n, i % n) ? 1.0 : 0)];
        bool Alike(int a, int b) => labels[a / views] == labels[b / views];
        int[] square = [n, n];
        Grid positives = new(square, Pairs((a, b) => a != b && Alike(a, b))),
            negatives = new(square, Pairs((a, b) => !Alike(a, b)));
        var likeness = rows.Linear(rows).Times(1 / 0.1);
        var powers = likeness.Map(Math.Exp, Math.Exp);
        var others = powers.Times(negatives).Sums(n).Pick(square, p => p[0]);
        var shares = likeness.Minus(powers.Plus(others).Map(Math.Log, x => 1 / x));
        var means = positives.Times(shares).Sums(n).Over(positives.Sums(n));
        return means.Mean().Times(-0.1 / 0.07);
    }

    // −t·ln p − (1 − t)·ln(1 − p), with ln p = −ln(1 + e^−x).
    private static Grid Bce(Grid logits, Grid masks)
    {
        static double Softplus(double x) => Math.Max(x, 0) + Math.Log(1 + Math.Exp(-Math.Abs(x)));
        return logits.Map(Softplus, GridMath.Sigmoid).Minus(logits.Times(masks));
    }

    // Mean over parts of the batch of 1 − (2·Σpt + above) / (Σp + Σt + below).
    private static Grid Dice(Grid logits, Grid masks, int parts, double above, double below)
    {
        var p = logits.Sigmoid();
        var share = p.Times(masks).Sums(parts).Times(2).Plus(above).Over(p.Plus(masks).Sums(parts).Plus(below));
        return share.Mean().Times(-1).Plus(1);
    }

    private static Grid WeightedBce(Grid logits, Grid masks)
    {
        var (weights, images) = (BoundaryWeights(masks), logits.Shape[0]);
        return weights.Times(Bce(logits, masks)).Sums(images).Over(weights.Sums(images)).Mean();
    }

    private static Grid WeightedIou(Grid logits, Grid masks)
    {
        var (weights, images, p) = (BoundaryWeights(masks), logits.Shape[0], logits.Sigmoid());
        var common = p.Times(masks).Times(weights).Sums(images);
        var total = p.Plus(masks).Times(weights).Sums(images);
        return common.Plus(1).Over(total.Minus(common).Plus(1)).Mean().Times(-1).Plus(1);
    }

    /// <summary>1 + 5·|mean of the 31×31 pixels around, 0 outside the picture, − the pixel|.</summary>
    public static Grid BoundaryWeights(Grid masks)
    {
        int height = masks.Shape[2], width = masks.Shape[3];
        double Mean(int at)
        {
            var (image, row, column) = (at / (height * width), at / width % height, at % width);
            var sum = 0.0;
            for (var r = Math.Max(row - 15, 0); r <= Math.Min(row + 15, height - 1); r++)
                for (var c = Math.Max(column - 15, 0); c <= Math.Min(column + 15, width - 1); c++)
                    sum += masks.Data[(image * height + r) * width + c];
            return sum / (31 * 31);
        }
        return new(masks.Shape, [.. masks.Data.Select((m, at) => 1 + 5 * Math.Abs(Mean(at) - m))]);
    }

    private static Grid CrossEntropy(Grid logits, Grid masks)
    {
        var (shares, chosen) = (Softmax(logits), Chosen(logits, masks));
        return shares.Map(Math.Log, x => 1 / x).Times(chosen).Sums(1).Times(-1.0 / masks.Count);
    }

    private static Grid ClassDice(Grid logits, Grid masks)
    {
        var (shares, chosen) = (Softmax(logits), Chosen(logits, masks));
        return shares.Times(chosen).Sums(1).Times(2).Plus(1e-6).Over(shares.Plus(chosen).Sums(1).Plus(1e-6)).Times(-1).Plus(1);
    }

    private static Grid Softmax(Grid logits)
    {
        var (classes, size, powers) = (logits.Shape[1], logits.Shape[2] * logits.Shape[3], logits.Map(Math.Exp, Math.Exp));
        var byPixel = powers.Pick([logits.Shape[0] * size, classes], p => (p[0] / size * classes + p[1]) * size + p[0] % size);
        var sums = byPixel.Sums(logits.Shape[0] * size);
        return powers.Over(sums.Pick(logits.Shape, p => p[0] * size + p[2] * logits.Shape[3] + p[3]));
    }

    private static Grid Chosen(Grid logits, Grid masks)
    {
        var (classes, size) = (logits.Shape[1], logits.Shape[2] * logits.Shape[3]);
        return new(logits.Shape, [.. Enumerable.Range(0, logits.Count).Select(i =>
            masks.Data[i / (classes * size) * size + i % size] == i / size % classes ? 1.0 : 0)]);
    }
}
