using Siamorph.Evaluation.ImageSets;
using Siamorph.Evaluation.Masks;
using Siamorph.Evaluation.Radiomics;
using Siamorph.Imaging;
using static TorchSharp.torch;

namespace Siamorph.Evaluation;

/// <summary>One measure on a case small enough to work out by hand.</summary>
/// <param name="Measure">Which.</param>
/// <param name="Case">The case in words.</param>
/// <param name="Expected">Worked out by hand.</param>
/// <param name="Found">Computed now.</param>
internal sealed record SelfTestLine(string Measure, string Case, double Expected, double Found)
{
    /// <summary>Found is expected, but for rounding.</summary>
    public bool Passed => Math.Abs(Found - Expected) <= 1e-6 * Math.Max(1, Math.Abs(Expected));
}

/// <summary>
/// Every measure beside its expected value, so that a user sees that this machine computes what the reference says.
/// </summary>
internal static class SelfTest
{
    /// <summary>Runs all cases; takes well under a second.</summary>
    public static IReadOnlyList<SelfTestLine> Run()
    {
        using var scope = NewDisposeScope();
        return [.. Masks(), .. Borders(), .. Sets(), .. Pictures()];
    }

    private static IEnumerable<SelfTestLine> Masks()
    {
        var size = new ImageSize(4, 4);
        LabelMap truth = new(size, [0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0]),
            half = new(size, [0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
        ProbabilityMap perfect = ProbabilityMap.FromMask(truth), part = ProbabilityMap.FromMask(half);
        var faint = new ProbabilityMap(size, Array.ConvertAll(truth.Labels, l => (byte)(100 * l)));
        const string square = "2×2 lesion in 4×4, found exactly", faintly = "2×2 lesion in 4×4, found at level 100 of 255",
            halved = "half of a 2×2 lesion in 4×4 found";
        MaskSummary Score(ProbabilityMap map, string protocol) =>
            MaskEvaluator.Evaluate([new("case", null, () => (truth, map))], new()
            {
                Protocol = protocol,
            }, NullMonitor.Instance).All;
        yield return new("meanDice, pranet", square, 255.4 / 256, Score(perfect, "pranet").Dice);
        yield return new("meanIoU, pranet", square, 255.25 / 256, Score(perfect, "pranet").Iou);
        yield return new("maxDice, pranet", square, 1, Score(perfect, "pranet").MaxDice);
        yield return new("meanDice, pranet", faintly, 255.4 / 256, Score(faint, "pranet").Dice);
        yield return new("meanDice, uacanet", faintly, 100.4 / 256, Score(faint, "uacanet").Dice);
        yield return new("Dice, plain@0.5", faintly, 0, Score(faint, "plain@0.5").Dice);
        var scores = Score(part, "isic2018");
        yield return new("Dice, plain@0.5", halved, 2 / 3.0, Score(part, "plain@0.5").Dice);
        yield return new("IoU, isic2018", halved, .5, scores.Iou);
        yield return new("thresholded IoU, isic2018", halved, 0, scores.ThresholdedIou);
        yield return new("precision", halved, 1, scores.Precision);
        yield return new("recall", halved, .5, scores.Recall);
        yield return new("specificity", halved, 1, scores.Specificity);
        yield return new("MAE", halved, 2 / 16.0, scores.Mae);
        yield return new("S-measure", square, 1, StructureMeasure.Of(truth, perfect));
        yield return new("E-measure, best threshold", square, 16 / 15.0, Score(perfect, "pranet").MaxEMeasure);
        yield return new("weighted F", square, 1, WeightedFMeasure.Of(truth, perfect));
        yield return new("missed lesions", "one of two lesions found, one false alarm", 1, Detection().Missed);
        yield return new("false alarms", "one of two lesions found, one false alarm", 1, Detection().FalseAlarms);
    }

    private static LesionDetection Detection()
    {
        var size = new ImageSize(8, 1);
        return LesionDetection.Of(new(size, [1, 1, 0, 1, 0, 0, 0, 0]), new(size, [1, 1, 0, 0, 0, 0, 1, 0]));
    }

    private static IEnumerable<SelfTestLine> Borders()
    {
        var size = new ImageSize(9, 9);
        LabelMap first = new(size), second = new(size), square = new(size);
        (first.Labels[4 * 9 + 1], second.Labels[4 * 9 + 4]) = (1, 1);
        for (var y = 3; y < 6; y++) for (var x = 3; x < 6; x++) square.Labels[y * 9 + x] = 1;
        var distances = SurfaceDistances.Between(first, second)!;
        const string apart = "two single pixels, 3 apart", three = "3×3 square";
        yield return new("HD95, pooled", apart, 3, distances.Hd95Pooled);
        yield return new("HD95, larger direction", apart, 3, distances.Hd95MaxDirected);
        yield return new("average surface distance", apart, 3, distances.AverageSymmetric);
        yield return new("HD95 of one empty mask", "9×9 image: its diagonal", Math.Sqrt(162),
            SurfaceDistances.Hd95OrDiagonal(first, new(size), null));
        yield return new("boundary F", apart + ", tolerance 1 pixel", 0, BoundaryMetrics.FMeasure(first, second));
        yield return new("boundary IoU", apart, 0, BoundaryMetrics.BoundaryIou(first, second));
        var shape = RegionShape.Of(square)!;
        yield return new("solidity", three, 1, shape.Solidity);
        yield return new("eccentricity", three, 0, shape.Eccentricity);
        yield return new("compactness", three, 36 * Math.PI / 64, shape.Compactness);
        var edge = new GreyImage(size, Array.ConvertAll(square.Labels, l => (byte)(l * 40 + 10)), true);
        yield return new("difference at the boundary", three + ", 40 levels brighter", 40,
            BoundaryContrast.Of(edge, square)!.RegionDifference);
    }

    private static IEnumerable<SelfTestLine> Sets()
    {
        Tensor Column(params double[] values) => tensor(values, [values.Length, 1]);
        Tensor grid = tensor(new double[] { 0, 0, 1, 0, 0, 1, 1, 1 }, [4, 2]), x = Column(0, 1, 2, 3), y = Column(.5, 10, 11, 12);
        yield return new("Fréchet distance (FID)", "four points in the plane, moved by 3 in both directions", 18,
            FrechetDistance.Between(grid, grid + 3));
        yield return new("KID, unbiased", "{0, 1} against {2, 3}", 297.5, KernelDistance.Unbiased(Column(0, 1), Column(2, 3)));
        var shares = NeighbourMetrics.Prdc(x, y, 1);
        const string line = "{0, 1, 2, 3} against {0.5, 10, 11, 12}, k = 1";
        yield return new("precision of sets", line, .25, shares.Precision);
        yield return new("recall of sets", line, 1, shares.Recall);
        yield return new("density", line, .5, shares.Density!.Value);
        yield return new("coverage", line, .5, shares.Coverage!.Value);
        yield return new("improved precision", line, .25, NeighbourMetrics.Improved(x, y, 1).Precision);
        yield return new("CMMD", "{0} against {10}", 2000 * (1 - Math.Exp(-.5)), EmbeddingMetrics.Cmmd(Column(0), Column(10)));
        double[] straight = [1, 0], turned = [.6, .8];
        Tensor first = tensor(straight, [1, 2]), second = tensor(turned, [1, 2]);
        yield return new("CLIP-I", "(1, 0) and (0.6, 0.8)", .6, EmbeddingMetrics.PairedCosine(first, second));
        double[][] rows = [[0, 0], [1, 0], [0, 1], [1, 1]], moved = [.. rows.Select(r => Array.ConvertAll(r, v => v + .5))];
        yield return new("FRD-lite, means alone", "four points in the plane, moved by one deviation (0.5) in both directions", 2,
            RadiomicDistance.Between(rows, moved).MeansOnly);
        double[] from = [0, 2], to = [1, 3];
        yield return new("Wasserstein distance", "{0, 2} against {1, 3}, in deviations (1)", 1,
            ValueDistance.Between("x", from, to).Wasserstein);
    }

    private static IEnumerable<SelfTestLine> Pictures()
    {
        Tensor first = tensor(new float[] { 3, 4 }, [1, 2, 1, 1]), second = tensor(new float[] { 2, 0 }, [1, 2, 1, 1]);
        yield return new("LPIPS, one stage", "features (3, 4) and (2, 0), weights 1", .8,
            PerceptualDistance.Layer(first, second, null).item<float>());
        var picture = (arange(176 * 176).reshape(1, 1, 176, 176) % 251).to_type(ScalarType.Float32);
        yield return new("MS-SSIM", "an image and itself", 1, StructuralSimilarity.MultiScale(picture, picture).item<double>());
        var size = new ImageSize(2, 2);
        var region = RadiomicRegion.Of(new(size, [0, 16, 0, 16], true), new(size, [1, 1, 1, 1]));
        var bins = region.BinsOfWidth(16);
        yield return new("radiomic entropy", "half 0, half 16, bins of 16", 1, FirstOrderFeatures.Of(region, bins)["Entropy"]);
        yield return new("radiomic contrast", "the same in two columns: 1, 1, 0 and 1 in four directions", .75,
            GlcmFeatures.Of(size, bins)["Contrast"]);
    }
}
