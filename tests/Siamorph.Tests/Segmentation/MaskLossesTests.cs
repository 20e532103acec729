using Siamorph.Segmentation;
using Siamorph.Segmentation.Losses;
using static TorchSharp.torch;

namespace Siamorph.Tests.Segmentation;

public class MaskLossesTests
{
    [Fact]
    public void Losses_OnReferenceCases_GiveReferenceValuesAndGradients()
    {
        using var scope = NewDisposeScope();
        var golden = SegmentationFixtures.Tensors("losses");
        foreach (var node in SegmentationFixtures.Json("losses")["cases"]!.AsArray())
        {
            var name = node!["name"]!.GetValue<string>();
            double Of(string key) => node[key]!.GetValue<double>();
            void Check(MaskLoss loss, double expected, string gradient)
            {
                var logits = golden[$"{name}.logits"].clone().requires_grad_();
                var value = MaskLosses.Of(loss, logits, golden[$"{name}.mask"]);
                Assert.Equal(expected, value.item<float>(), 1e-5 * Math.Max(1, Math.Abs(expected)));
                value.backward();
                var reference = golden[$"{name}.{gradient}"];
                SegmentationFixtures.Close(reference, logits.grad!.reshape(reference.shape),
                    1e-5 * reference.abs().max().item<float>() + 1e-9, 1e-5, $"{name} {loss}");
            }
            Check(MaskLoss.BceDiceSanet, Of("sanet_bce") + Of("sanet_dice"), "grad_sanet");
            Check(MaskLoss.BceBatchDice, Of("milesial_bce") + Of("milesial_dice_loss"), "grad_milesial");
            Check(MaskLoss.Structure, Of("structure_intended"), "grad_structure_intended");
            Check(MaskLoss.StructureAsExecuted, Of("structure_as_executed"), "grad_structure_as_executed");
            SegmentationFixtures.Close(golden[$"{name}.weight_map"], MaskLosses.BoundaryWeights(golden[$"{name}.mask"]), 1e-5);
        }
    }

    [Fact]
    public void Losses_OfTheirParts_AreTheReferences()
    {
        using var scope = NewDisposeScope();
        var golden = SegmentationFixtures.Tensors("losses");
        foreach (var node in SegmentationFixtures.Json("losses")["cases"]!.AsArray())
        {
            var (logits, masks) = (golden[$"{node!["name"]}.logits"], golden[$"{node["name"]}.mask"]);
            var (bce, iou) = (MaskLosses.WeightedBce(logits, masks), MaskLosses.WeightedIou(logits, masks));
            for (var i = 0; i < logits.shape[0]; i++)
            {
                Assert.Equal((double)node["structure_intended_wbce_per_image"]![i]!, bce[i].item<float>(),
                    1e-5 * Math.Max(1, bce[i].item<float>()));
                Assert.Equal((double)node["structure_wiou_per_image"]![i]!, iou[i].item<float>(), 1e-5);
            }
            void Part(string key, Tensor part) =>
                Assert.Equal((double)node[key]!, part.item<float>(), 1e-5 * Math.Max(1, Math.Abs((double)node[key]!)));
            foreach (var key in new[] { "plain_bce_mean", "sanet_bce", "milesial_bce" }) Part(key, MaskLosses.Bce(logits, masks));
            Part("sanet_dice", MaskLosses.Dice(logits, masks, above: 0, below: 1));
            Part("milesial_dice_loss", MaskLosses.BatchDice(logits, masks));
        }
    }

    [Fact]
    public void CrossEntropyDice_OfSeveralClasses_IsTheReferences()
    {
        using var scope = NewDisposeScope();
        var golden = SegmentationFixtures.Tensors("losses");
        var numbers = SegmentationFixtures.Json("losses")["multiclass"]!;
        var (logits, masks) = (golden["multiclass.logits"].clone().requires_grad_(),
            golden["multiclass.target"].unsqueeze(1).to_type(ScalarType.Float32));
        var loss = MaskLosses.Of(MaskLoss.CrossEntropyDice, logits, masks);
        Assert.Equal((double)numbers["ce"]!, MaskLosses.Of(MaskLoss.CrossEntropy, logits, masks).item<float>(), 1e-5);
        Assert.Equal((double)numbers["dice_loss"]!,
            MaskLosses.ClassDice(logits, golden["multiclass.target"]).item<float>(), 1e-5);
        loss.backward();
        var reference = golden["multiclass.grad"];
        SegmentationFixtures.Close(reference, logits.grad!, 1e-5 * reference.abs().max().item<float>(), 1e-5);
    }

    [Fact]
    public void ContrastiveLoss_OfChosenPixels_IsTheReferences()
    {
        using var scope = NewDisposeScope();
        var golden = SegmentationFixtures.Tensors("losses");
        var features = golden["contrast.features"].clone().requires_grad_();
        var loss = ContrastiveLoss.Of(features, golden["contrast.labels"]);
        foreach (var facts in new[] { SegmentationFixtures.Json("losses")["contrastive"]!,
            SegmentationFixtures.Json("nets")["contrastive_core"]! })
        {
            Assert.Equal((double)facts["loss"]!, loss.item<float>(), 1e-4);
            Assert.Equal(ContrastiveLoss.Temperature, (double)facts["temperature"]!);
            Assert.Equal(ContrastiveLoss.BaseTemperature, (double)facts["base_temperature"]!);
        }
        loss.backward();
        var reference = golden["contrast.grad"];
        SegmentationFixtures.Close(reference, features.grad!, 1e-5 * reference.abs().max().item<float>(), 1e-5);
    }

    [Fact]
    public void BceDice_OfEachImage_IsSmoothedByOne()
    {
        using var scope = NewDisposeScope();
        var logits = tensor(new float[] { 0, 0, 0, 0, 0, 0, 0, 0 }).reshape(2, 1, 2, 2);
        var masks = tensor(new float[] { 1, 1, 0, 0, 0, 0, 0, 0 }).reshape(2, 1, 2, 2);
        // First image: 1 − (2·1 + 1)/(2 + 2 + 1); second, empty: 1 − 1/(2 + 0 + 1).
        Assert.Equal(Math.Log(2) + (0.4 + 2.0 / 3) / 2, MaskLosses.Of(MaskLoss.BceDice, logits, masks).item<float>(), 1e-6);
    }

    [Theory]
    [InlineData(MaskLoss.BceDice)]
    [InlineData(MaskLoss.BceBatchDice)]
    [InlineData(MaskLoss.BceDiceSanet)]
    [InlineData(MaskLoss.Structure)]
    public void Losses_AtExtremeLogits_StayFinite(MaskLoss loss)
    {
        using var scope = NewDisposeScope();
        foreach (var extreme in new[] { -1e4f, 1e4f })
        {
            foreach (var mask in new[] { 0f, 1f })
            {
                var logits = full(2, 1, 40, 40, extreme).requires_grad_();
                var value = MaskLosses.Of(loss, logits, full(2, 1, 40, 40, mask));
                value.backward();
                Assert.True(float.IsFinite(value.item<float>()));
                Assert.True(logits.grad!.isfinite().all().item<bool>());
            }
        }
    }

    [Fact]
    public void Of_ShapesThatDiffer_IsRefused()
    {
        using var scope = NewDisposeScope();
        Assert.Throws<ArgumentException>(() => MaskLosses.Of(MaskLoss.BceDice, zeros(1, 1, 4, 4), zeros(1, 4, 4)));
    }
}
