using System.Diagnostics;
using System.Text.Json.Nodes;
using Siamorph.Evaluation.Masks;
using Siamorph.Imaging;
using Siamorph.Tests.Segmentation;
using static TorchSharp.torch;

namespace Siamorph.Tests.Evaluation;

public class PredictionMetricsTests
{
    [Fact]
    public void StructureMeasure_OnReferenceCases_EqualsTheReference() => ForEachCase((name, node, truth, prediction) =>
    {
        var actual = StructureMeasure.Of(truth, prediction);
        Near(node["pranet"]!["Sm"], actual, 1e-9, name);
        var tie = name.StartsWith("centroid_tie", StringComparison.Ordinal)
            || node["pranet"]!["Sm_undefined_quadrant"]!.GetValue<bool>();
        if (!tie) Near(node["reference_pysodmetrics"]!["Sm"], actual, 1e-9, name);
        // Where a quadrant is empty the reference has no number; here it counts 0.
        if (node["pranet"]!["Sm_undefined_quadrant"]!.GetValue<bool>()) Assert.True(double.IsFinite(actual), name);
    });

    [Fact]
    public void WeightedF_SmoothsWith_TheReferencesKernel()
    {
        var rows = SegmentationFixtures.Json("mask_metrics")["gaussian7_sigma5"]!.AsArray();
        Assert.Equal(rows.Count, WeightedFMeasure.Kernel.Length);
        for (var y = 0; y < rows.Count; y++)
            for (var x = 0; x < rows.Count; x++)
                Near(rows[y]![x], WeightedFMeasure.Kernel[y] * WeightedFMeasure.Kernel[x], 1e-12, $"kernel {y}");
    }

    [Fact]
    public void WeightedF_OnReferenceCases_EqualsTheReference() => ForEachCase((name, node, truth, prediction) =>
    {
        var actual = WeightedFMeasure.Of(truth, prediction);
        Near(node["pranet"]!["wFm"], actual, 1e-9, name);
        Near(node["reference_pysodmetrics"]!["wFm"], actual, 2e-3, name);
    });

    [Fact]
    public void MapMeasures_OnReferenceCases_EqualPySodMetrics() => ForEachCase((name, node, truth, prediction) =>
    {
        var reference = node["reference_pysodmetrics"]!;
        Near(reference["MAE"], ThresholdMetrics.MeanAbsoluteError(truth, prediction), 1e-12, name);
        var e = ThresholdMetrics.Curves(truth, prediction).EMeasure;
        Near(reference["meanEm"], e.Average(), 1e-3, name);
        Near(reference["maxEm"], e.Max(), 1.2e-2, name); // one entry of the float reference's curve
    });

    [Fact]
    public void SurfaceDistances_OnReferenceCases_EqualTheReference() => ForEachCase((name, node, truth, prediction) =>
    {
        var (expected, decision) = (node["surface"]!, prediction.ToMask());
        var actual = SurfaceDistances.Between(truth, decision);
        Assert.Equal(expected["hd"] is null, actual is null);
        Near(expected["hd95_product_convention"], SurfaceDistances.Hd95OrDiagonal(truth, decision, actual), 1e-9, name);
        if (actual is null) return;
        Near(expected["hd"], actual.Hausdorff, 1e-9, name);
        Near(expected["hd95_pooled"], actual.Hd95Pooled, 1e-9, name);
        Near(expected["hd95_max_directed"], actual.Hd95MaxDirected, 1e-9, name);
        Near(expected["asd_pred_to_gt"], actual.PredictionToTruth, 1e-9, name);
        Near(expected["asd_gt_to_pred"], actual.TruthToPrediction, 1e-9, name);
        Near(expected["assd_mean_of_directed"], actual.AverageSymmetric, 1e-9, name);
        Near(expected["assd_pooled_medpy"], actual.AveragePooled, 1e-9, name);
    });

    [Fact]
    public void BoundaryMeasures_OnReferenceCases_EqualTheReference() => ForEachCase((name, node, truth, prediction) =>
    {
        var (expected, decision) = (node["boundary"]!, prediction.ToMask());
        Near(expected["davis_f_bound_0p008"], BoundaryMetrics.FMeasure(truth, decision), 1e-9, name);
        Near(expected["davis_f_bound_2px"], BoundaryMetrics.FMeasure(truth, decision, 2), 1e-9, name);
        Near(expected["boundary_iou_0p02"], BoundaryMetrics.BoundaryIou(truth, decision), 1e-9, name);
        Assert.Equal(expected["n_pred_boundary_davis"]!.GetValue<int>(), BoundaryMetrics.Boundary(decision).Count(b => b != 0));
        Assert.Equal(expected["n_gt_boundary_davis"]!.GetValue<int>(), BoundaryMetrics.Boundary(truth).Count(b => b != 0));
    });

    [Fact]
    public void SoftDice_OnReferenceCases_EqualsTheReference() => ForEachCase((name, node, truth, prediction) =>
        Near(node["polyp_pvt_val_soft_dice_smooth1"], ThresholdMetrics.SoftDice(truth, prediction), 1e-9, name));

    [Fact]
    public void Sets_OfReferenceCases_EqualTheReference()
    {
        using var scope = NewDisposeScope();
        var cases = ThresholdMetricsTests.Cases(SegmentationFixtures.Tensors("mask_metrics")).ToList();
        foreach (var (name, set) in SegmentationFixtures.Json("mask_metrics")["datasets"]!.AsObject())
        {
            var chosen = set!["ids"]!.AsArray().Select(i => cases[i!.GetValue<int>()])
                .Select(c => new MaskCase($"{c.Id}", c.Id % 2 == 0 ? "even" : null, () => (c.Truth, c.Prediction))).ToList();
            var result = MaskEvaluator.Evaluate(chosen, new(), NullMonitor.Instance);
            Near(set["meanDic"], result.All.Dice, 1e-12, name);
            Near(set["maxDic"], result.All.MaxDice, 1e-12, name);
            Near(set["meanIoU"], result.All.Iou, 1e-12, name);
            Near(set["maxIoU"], result.All.MaxIou, 1e-12, name);
            Near(set["meanSen"], result.All.MeanSensitivity, 1e-12, name);
            Near(set["meanSpe"], result.All.MeanSpecificity, 1e-12, name);
            Near(set["meanEm"], result.All.MeanEMeasure, 1e-12, name);
            Near(set["maxEm"], result.All.MaxEMeasure, 1e-12, name);
            Near(set["Sm"], result.All.SMeasure, 1e-9, name);
            Near(set["wFm"], result.All.WeightedF, 1e-9, name);
            Near(set["MAE"], result.All.Mae, 1e-12, name);
            Near(set["hard_mDice"], result.All.DiceAtHalf, 1e-12, name);
            Near(set["hard_mIoU"], result.All.IouAtHalf, 1e-12, name);
            Near(set["isic_jaccard"], result.All.IouAtHalf, 1e-12, name);
            Near(set["isic_threshold_jaccard"], result.All.ThresholdedIou, 1e-12, name);
            Near(set["mean_of_per_image_maxDic"],
                chosen.Average(c => ThresholdMetrics.Curves(c.Open().Truth, c.Open().Prediction).Dice.Max()), 1e-12, name);
            Assert.Equal(chosen.Count(c => c.Group is not null), Assert.Single(result.Groups).Count);
            Assert.Equal(chosen.Count, result.Sizes.Sum(s => s.Count));
            Assert.Equal(result.Images.OrderBy(i => i.Dice).Select(i => i.Dice), result.Images.Select(i => i.Dice));
        }
    }

    [Fact]
    public void Protocols_OnOneMap_DifferAsTheySay()
    {
        // A faint map: stretched it is perfect, as it is only thresholds up to 100/255 find it, and at 0.5 nothing is claimed.
        var size = new ImageSize(4, 4);
        var truth = new LabelMap(size, [0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0]);
        var map = new ProbabilityMap(size, Array.ConvertAll(truth.Labels, l => l == 0 ? (byte)0 : (byte)100));
        double Dice(string protocol) => MaskEvaluator.Evaluate([new("x", null, () => (truth, map))], new()
        {
            Protocol = protocol,
        }, NullMonitor.Instance).All.Dice;
        Assert.Equal((255 + .4) / 256, Dice("pranet"), 1e-12);
        Assert.Equal((100 + .4) / 256, Dice("uacanet"), 1e-12);
        Assert.Equal(0, Dice("plain@0.5"));
        Assert.Contains("pranet", Assert.Throws<InvalidOptionsException>(() => Dice("other")).Message);
    }

    [Fact]
    public void Detection_OfSeparateLesions_CountsThem()
    {
        //  two lesions (one found), one claim beside them; the diagonal touch joins the first lesion
        var truth = Mask("11....", "..1...", "......", "....11", "....11");
        var claim = Mask("11....", "......", "1.....", "......", "......");
        var result = LesionDetection.Of(truth, claim);
        Assert.Equal((2, 1, 1), (result.Lesions.Count, result.Missed, result.FalseAlarms));
        var summary = LesionSummary.Of([result, LesionDetection.Of(truth, truth)]);
        Assert.Equal((4, 1, 50.0, 0.75), (summary.Lesions, summary.Missed, summary.FalseAlarmsPer100Images, summary.Sensitivity));
        Assert.Equal(1, LesionDetection.Of(truth, claim, new() { MinimumOverlap = .9 }).Lesions.Count(l => !l.Found) - 1);
        Assert.Null(LesionSummary.Of([LesionDetection.Of(Mask(".."), Mask(".."))]).Sensitivity);
    }

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(13, 7, 5)]
    [InlineData(7, 13, 20)]
    [InlineData(31, 29, 400)]
    public void DistanceTransform_OnRandomPixels_EqualsTheDirectSearch(int width, int height, int points)
    {
        var random = new Seed(5).Derive(width).Random();
        var set = new byte[width * height];
        for (var i = 0; i < points; i++) set[random.Next(set.Length)] = 1;
        var transform = DistanceTransform.To(new(width, height), set);
        for (var i = 0; i < set.Length; i++)
        {
            var nearest = Enumerable.Range(0, set.Length).Where(j => set[j] != 0)
                .MinBy(j => (long)Distance(i, j) * set.Length + j);
            Assert.Equal(nearest, transform.NearestIndex(i));
            Assert.Equal(Distance(i, nearest), transform.Squared(i));
        }
        int Distance(int i, int j) => (i / width - j / width) * (i / width - j / width)
            + (i % width - j % width) * (i % width - j % width);
    }

    [Fact]
    public void Evaluate_OfManyMasks_IsFastEnough()
    {
        // A tenth of the promised 2,000 in 60 s on two cores, with a wide margin for a busy machine.
        var cases = Enumerable.Range(0, 100).Select(i => new MaskCase($"{i}", null, () => Blob(256, i))).ToList();
        var watch = Stopwatch.StartNew();
        MaskEvaluator.Evaluate(cases, new(), NullMonitor.Instance);
        Assert.True(watch.Elapsed.TotalSeconds < 20, $"{watch.Elapsed}");
    }

    internal static (LabelMap Truth, ProbabilityMap Prediction) Blob(int side, int index)
    {
        var random = new Seed(9).Derive(index).Random();
        var size = new ImageSize(side, side);
        double cx = side * random.Uniform(.3, .7), cy = side * random.Uniform(.3, .7), r = side * random.Uniform(.08, .3),
            shift = random.Uniform(0, .1) * side;
        var (truth, map) = (new LabelMap(size), new ProbabilityMap(size, new byte[side * side]));
        for (var y = 0; y < side; y++)
            for (var x = 0; x < side; x++)
            {
                truth.Labels[y * side + x] = double.Hypot(x - cx, y - cy) < r ? (byte)1 : (byte)0;
                var p = 1 / (1 + Math.Exp((double.Hypot(x - cx - shift, y - cy) - r) / 6)) + random.Uniform(-.05, .05);
                map.Levels[y * side + x] = (byte)Math.Clamp(255 * p, 0, 255);
            }
        return (truth, map);
    }

    private static LabelMap Mask(params string[] rows) =>
        new(new(rows[0].Length, rows.Length), [.. string.Concat(rows).Select(c => c == '1' ? (byte)1 : (byte)0)]);

    private static void ForEachCase(Action<string, JsonNode, LabelMap, ProbabilityMap> check)
    {
        using var scope = NewDisposeScope();
        foreach (var (_, node, truth, prediction) in ThresholdMetricsTests.Cases(SegmentationFixtures.Tensors("mask_metrics")))
            check(node["name"]!.GetValue<string>(), node, truth, prediction);
    }

    private static void Near(JsonNode? expected, double actual, double tolerance, string what)
    {
        if (expected is null) return; // undefined in the reference
        Assert.True(Math.Abs(expected.GetValue<double>() - actual) <= tolerance,
        $"{what} {expected.GetPath()}: {expected} expected, {actual:R} found");
    }
}
