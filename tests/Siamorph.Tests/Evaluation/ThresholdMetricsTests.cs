using System.Text.Json.Nodes;
using Siamorph.Evaluation.Masks;
using Siamorph.Evaluation.Radiomics;
using Siamorph.Imaging;
using Siamorph.Tests.Segmentation;
using static TorchSharp.torch;

namespace Siamorph.Tests.Evaluation;

public class ThresholdMetricsTests
{
    [Fact]
    public void Curves_OnReferenceCases_EqualTheReference()
    {
        using var scope = NewDisposeScope();
        var golden = SegmentationFixtures.Tensors("mask_metrics");
        foreach (var (id, _, truth, prediction) in Cases(golden))
        {
            var curves = ThresholdMetrics.Curves(truth, prediction);
            void Same(string name, IReadOnlyList<double> curve)
            {
                var expected = golden[$"curve_{name}"][id].data<double>().ToArray();
                for (var t = 0; t < 256; t++) Assert.Equal(expected[t], curve[t], 1e-12);
            }
            Same("dice", curves.Dice);
            Same("f1", curves.Dice);
            Same("iou", curves.Iou);
            Same("pre", curves.Precision);
            Same("sen", curves.Sensitivity);
            Same("spe", curves.Specificity);
            Same("em", curves.EMeasure);
        }
    }

    [Fact]
    public void AtHalf_OnReferenceCases_EqualsTheReference()
    {
        using var scope = NewDisposeScope();
        foreach (var (_, node, truth, prediction) in Cases(SegmentationFixtures.Tensors("mask_metrics")))
        {
            var counts = Confusion.AtHalf(truth, prediction);
            var hard = node["hard_at_128"]!;
            Assert.Equal(hard["tp"]!.GetValue<long>(), counts.TruePositive);
            Assert.Equal(hard["fp"]!.GetValue<long>(), counts.FalsePositive);
            Assert.Equal(hard["fn"]!.GetValue<long>(), counts.FalseNegative);
            Assert.Equal(hard["tn"]!.GetValue<long>(), counts.TrueNegative);
            Assert.Equal(Number(hard, "dice"), counts.Dice, 1e-12);
            Assert.Equal(Number(hard, "iou"), counts.Iou, 1e-12);
            Assert.Equal(Number(hard, "precision"), counts.Precision, 1e-12);
            Assert.Equal(Number(hard, "recall"), counts.Recall, 1e-12);
            Assert.Equal(Number(hard, "specificity"), counts.Specificity, 1e-12);
            Assert.Equal(Number(hard, "accuracy"), counts.Accuracy, 1e-12);
            Assert.Equal(Number(node, "isic_threshold_jaccard_065"), counts.ThresholdedIou, 1e-12);
            Assert.Equal(prediction.ToMask().Labels.Count(l => l == 1), counts.TruePositive + counts.FalsePositive);
            Assert.Equal(node["gt_fg"]!.GetValue<long>(), counts.TruePositive + counts.FalseNegative);
            var range = LevelRange.Of(prediction, stretch: true);
            var (low, high) = (node["pred_min"]!.GetValue<int>(), node["pred_max"]!.GetValue<int>());
            Assert.Equal(low == high ? (0, 255) : (low, high - low), (range.Low, range.Span)); // a constant map stays as it is
        }
    }

    [Fact]
    public void PerImage_OnReferenceCases_EqualsTheReference()
    {
        using var scope = NewDisposeScope();
        foreach (var (_, node, truth, prediction) in Cases(SegmentationFixtures.Tensors("mask_metrics")))
        {
            var expected = node["pranet"]!;
            var curves = ThresholdMetrics.Curves(truth, prediction);
            Assert.Equal(Number(expected, "meanDic"), curves.Dice.Average(), 1e-12);
            Assert.Equal(Number(expected, "maxDic"), curves.Dice.Max(), 1e-12);
            void Curve(string suffix, IReadOnlyList<double> curve)
            {
                Assert.Equal(Number(expected, $"mean{suffix}"), curve.Average(), 1e-12);
                Assert.Equal(Number(expected, $"max{suffix}"), curve.Max(), 1e-12);
            }
            Curve("IoU", curves.Iou);
            Curve("Sen", curves.Sensitivity);
            Curve("Spe", curves.Specificity);
            Curve("F1", curves.Dice);
            Curve("Em", curves.EMeasure);
            Assert.Equal(Number(expected, "adaptiveEm"), ThresholdMetrics.AdaptiveEMeasure(truth, prediction), 1e-12);
            Assert.Equal(Number(expected, "MAE"), ThresholdMetrics.MeanAbsoluteError(truth, prediction), 1e-12);
        }
    }

    [Fact]
    public void Sets_OfReferenceCases_EqualTheReference()
    {
        using var scope = NewDisposeScope();
        var cases = Cases(SegmentationFixtures.Tensors("mask_metrics")).ToList();
        foreach (var (name, set) in SegmentationFixtures.Json("mask_metrics")["datasets"]!.AsObject())
        {
            var scoring = new MaskScoring();
            foreach (var id in set!["ids"]!.AsArray().Select(i => i!.GetValue<int>()))
                scoring.Add($"{name}-{id}", cases[id].Truth, cases[id].Prediction);
            var scores = scoring.Result();
            Assert.Equal(Number(set, "meanDic"), scores.MeanDice, 1e-12);
            Assert.Equal(Number(set, "maxDic"), scores.MaxDice, 1e-12);
            Assert.Equal(Number(set, "meanIoU"), scores.MeanIou, 1e-12);
            Assert.Equal(Number(set, "maxIoU"), scores.MaxIou, 1e-12);
            Assert.Equal(Number(set, "meanSen"), scores.MeanSensitivity, 1e-12);
            Assert.Equal(Number(set, "maxSen"), scores.MaxSensitivity, 1e-12);
            Assert.Equal(Number(set, "meanSpe"), scores.MeanSpecificity, 1e-12);
            Assert.Equal(Number(set, "maxSpe"), scores.MaxSpecificity, 1e-12);
            Assert.Equal(Number(set, "meanEm"), scores.MeanEMeasure, 1e-12);
            Assert.Equal(Number(set, "maxEm"), scores.MaxEMeasure, 1e-12);
            Assert.Equal(Number(set, "MAE"), scores.Mae, 1e-12);
            Assert.Equal(Number(set, "hard_mDice"), scores.Dice, 1e-12);
            Assert.Equal(Number(set, "hard_mIoU"), scores.Iou, 1e-12);
            Assert.Equal(Number(set, "isic_threshold_jaccard"), scores.ThresholdedIou, 1e-12);
        }
    }

    [Theory]
    [InlineData("perfect", 255 + .4, 255 + .25)]
    [InlineData("graded", 51 * 2 / 3.0 + 102 * 6 / 7.0 + 51 + 51 * 8 / 9.0 + .4, 51 * .5 + 102 * .75 + 51 + 51 * .8 + .25)]
    [InlineData("low contrast", 128 * 6 / 7.0 + 127 + .4, 128 * .75 + 127 + .25)]
    [InlineData("black", .4, .25)]
    [InlineData("white", 256 * .4, 256 * .25)]
    public void Curves_OnWorkedExamples_AverageAsWorkedOut(string name, double dice, double iou)
    {
        byte[] map = name switch
        {
            "perfect" => [0, 0, 0, 0, 0, 255, 255, 0, 0, 255, 255, 0, 0, 0, 0, 0],
            "graded" => [51, 0, 0, 0, 0, 255, 204, 0, 0, 102, 255, 0, 0, 0, 0, 0],
            "low contrast" => [51, 51, 51, 51, 51, 153, 153, 51, 51, 153, 102, 51, 51, 51, 51, 51],
            "black" => new byte[16],
            _ => [.. Enumerable.Repeat((byte)255, 16)],
        };
        var size = new ImageSize(4, 4);
        var truth = new LabelMap(size, [0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0]);
        var curves = ThresholdMetrics.Curves(truth, new(size, map));
        Assert.Equal(dice / 256, curves.Dice.Average(), 1e-12);
        Assert.Equal(iou / 256, curves.Iou.Average(), 1e-12);
    }

    [Fact]
    public void Scores_OfEmptyMasks_FollowTheStatedPolicy()
    {
        var size = new ImageSize(8, 8);
        var (nothing, all) = (new LabelMap(size), new LabelMap(size, [.. Enumerable.Repeat((byte)1, 64)]));
        var scoring = new MaskScoring();
        var both = scoring.Add("both empty", nothing, ProbabilityMap.FromMask(nothing));
        var one = scoring.Add("one empty", nothing, ProbabilityMap.FromMask(all));
        Assert.Equal((1, 1, 0, 0), (both.Dice, both.Iou, both.MeanDice, both.MeanIou));
        Assert.Equal((0, 0, 0, 0), (one.Dice, one.Iou, one.MeanDice, one.MeanIou));
        Assert.Equal(2, scoring.Result().EmptyTruths);
    }

    [Fact]
    public void FromProbabilities_AtAHalf_IsForeground()
    {
        var map = ProbabilityMap.FromProbabilities(new(5, 1), [0, 0.4999f, 0.5f, 1, 1.5f]);
        Assert.Equal([0, 127, 128, 255, 255], map.Levels);
        Assert.Equal([0, 0, 1, 1, 1], map.ToMask().Labels);
    }

    [Fact]
    public void Metrics_OfSizesThatDiffer_AreRefused()
    {
        var (truth, prediction) = (new LabelMap(new(4, 2)), new ProbabilityMap(new(2, 4), new byte[8]));
        Assert.Throws<ArgumentException>(() => ThresholdMetrics.Curves(truth, prediction));
        Assert.Throws<ArgumentException>(() => Confusion.AtHalf(truth, prediction));
        Assert.Throws<InvalidOperationException>(() => new MaskScoring().Result());
    }

    internal static IEnumerable<(int Id, JsonNode Node, LabelMap Truth, ProbabilityMap Prediction)> Cases(
        IReadOnlyDictionary<string, Tensor> golden)
    {
        foreach (var node in SegmentationFixtures.Json("mask_metrics")["cases"]!.AsArray())
        {
            var id = node!["id"]!.GetValue<int>();
            var (truth, prediction) = (golden[$"gt_{id:00}"], golden[$"pred_{id:00}"]);
            var size = new ImageSize((int)truth.shape[1], (int)truth.shape[0]);
            var labels = Array.ConvertAll(truth.data<byte>().ToArray(), grey => grey > 128 ? (byte)1 : (byte)0);
            yield return (id, node, new(size, labels), new(size, prediction.data<byte>().ToArray()));
        }
    }

    internal static double Number(JsonNode node, string key) => node[key]!.GetValue<double>();
}
