using System.Globalization;
using Siamorph.Segmentation;
using Siamorph.Segmentation.Losses;
using Siamorph.Segmentation.Networks;
using Siamorph.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Siamorph.Tests.Segmentation;

public class UNetTests
{
    [Theory]
    [InlineData("unet_w16_bilinear")]
    [InlineData("unet_w6_transpose")]
    public void Forward_WithReferenceWeights_GivesReferenceActivations(string stem)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var golden = SegmentationFixtures.Tensors(stem);
        using var net = Load(golden.Under("weights."), SegmentationFixtures.Metadata(stem));
        net.eval();
        var facts = SegmentationFixtures.Json("nets")[stem]!;
        Assert.Equal((long)facts["params"]!, net.parameters().Sum(p => p.numel()));
        Assert.Equal(facts["input"]!.AsArray().Select(n => (long)n!), golden["input"].shape);
        Assert.Equal((double)facts["out_absmax"]!, golden["output_eval"].abs().max().item<float>(), 1e-6);
        var (bottom, ascent) = net.Inside(golden["input"]);
        SegmentationFixtures.Close(golden["bottleneck_x5_eval"], bottom, 1e-4);
        SegmentationFixtures.Close(golden["up1_eval"], ascent, 1e-4);
        SegmentationFixtures.Close(golden["output_eval"], net.forward(golden["input"]), 1e-4);
        net.train();
        SegmentationFixtures.Close(golden["output_train"], net.forward(golden["input"]), 1e-4);
        var state = StateDict.Of(net);
        SegmentationFixtures.Close(golden["after_train_inc_bn0_running_mean"], state["inc.double_conv.1.running_mean"], 1e-6);
        SegmentationFixtures.Close(golden["after_train_inc_bn0_running_var"], state["inc.double_conv.1.running_var"], 1e-6, 1e-5);
    }

    [Theory]
    [InlineData(8, false, 486_553)]
    [InlineData(12, false, 1_093_381)]
    [InlineData(8, true, 270_897)]
    [InlineData(16, true, 1_080_929)]
    public void Parameters_OfAWidth_AreAsManyAsPublished(int width, bool bilinear, long expected)
    {
        using var net = new UNet(new() { Width = width, Bilinear = bilinear });
        Assert.Equal(expected, net.parameters().Sum(p => p.numel()));
    }

    [Theory]
    [InlineData(16, 16)]
    [InlineData(37, 51)]
    public void Forward_AnySize_KeepsIt(int height, int width)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach (var bilinear in new[] { true, false })
        {
            using var net = new UNet(new() { Width = 2, Bilinear = bilinear });
            net.eval();
            Assert.Equal([2, 1, height, width], net.forward(zeros(2, 3, height, width)).shape);
        }
    }

    [Fact]
    public void Forward_InEvaluation_DoesNotDependOnTheRestOfTheBatch()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var net = new UNet(new() { Width = 4 });
        net.eval();
        using var generator = new Seed(3).Generator();
        var images = rand(5, 3, 32, 32, generator: generator);
        var together = net.forward(images);
        for (var i = 0; i < 5; i++) SegmentationFixtures.Close(together[i..(i + 1)], net.forward(images[i..(i + 1)]), 1e-5);
    }

    [Fact]
    public void Forward_LeavesNoTensorBehind()
    {
        using var net = new UNet(new() { Width = 2 });
        using var image = zeros(1, 3, 33, 32);
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        using (no_grad()) net.forward(image).Dispose();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Gradients_ByTheFastKernels_AreThoseOfTheReference()
    {
        using var scope = NewDisposeScope();
        var golden = SegmentationFixtures.Tensors("unet_w4_train_step");
        using var net = Load(golden.Under("init."), new Dictionary<string, string>());
        net.train();
        var logits = net.forward(golden["input"]);
        MaskLosses.Of(MaskLoss.BceBatchDice, logits, golden["target"].reshape(logits.shape)).backward();
        CompareGradients(golden.Under("grad0."), net);
    }

    // On libtorch's own kernels: three steps of AdamW carry the fast kernels' other rounding too far to compare weights.
    [Fact]
    public void TrainStep_OfTheReference_GivesItsLossesGradientsAndWeights()
    {
        using var scope = NewDisposeScope();
        const string stem = "unet_w4_train_step";
        var golden = SegmentationFixtures.Tensors(stem);
        var expected = SegmentationFixtures.Json("nets")[stem]!["losses_bce_dice_total"]!.AsArray();
        using var net = Load(golden.Under("init."), new Dictionary<string, string>(), fast: false);
        net.train();
        using var optimizer = optim.AdamW(net.parameters(), lr: 1e-3, weight_decay: 1e-2);
        for (var step = 0; step < expected.Count; step++)
        {
            var logits = net.forward(golden["input"]);
            var loss = MaskLosses.Of(MaskLoss.BceBatchDice, logits, golden["target"].reshape(logits.shape));
            var target = golden["target"].reshape(logits.shape);
            Tensor[] parts = [MaskLosses.Bce(logits, target), MaskLosses.BatchDice(logits, target), loss];
            for (var i = 0; i < parts.Length; i++)
                Assert.Equal(expected[step]![i]!.GetValue<double>(), parts[i].item<float>(), 1e-5);
            optimizer.zero_grad();
            loss.backward();
            if (step == 0)
            {
                CompareGradients(golden.Under("grad0."), net);
                var norm = Math.Sqrt(net.parameters().Sum(p => p.grad!.square().sum().item<float>()));
                Assert.Equal(SegmentationFixtures.Json("nets")[stem]!["grad_global_l2_step0"]!.GetValue<double>(), norm, 1e-4);
            }
            optimizer.step();
            CompareWeights(golden.Under($"after{step + 1}."), golden.Under("grad0."), net);
        }
    }

    private static void CompareGradients(IReadOnlyDictionary<string, Tensor> golden, UNet net)
    {
        var named = net.named_parameters().ToDictionary(p => p.name, p => p.parameter);
        Assert.Equal(named.Keys.Order(), golden.Keys.Order());
        foreach (var (key, gradient) in golden)
            SegmentationFixtures.Close(gradient, named[key].grad!, 1e-6 + 1e-4 * gradient.abs().max().item<float>(), 1e-4, key);
    }

    // AdamW steps by the learning rate times g/|g|: rounding of 3e-8 in a gradient moves a weight by 1e-3 · 3e-8/|g|, at most
    // 1e-3.
    private static void CompareWeights(
        IReadOnlyDictionary<string, Tensor> golden, IReadOnlyDictionary<string, Tensor> gradients, UNet net)
    {
        var state = StateDict.Of(net);
        foreach (var (key, weight) in golden)
        {
            var excess = (state[key] - weight).abs() - 1e-5;
            if (gradients.TryGetValue(key, out var gradient)) excess -= 1e-3 * (3e-8 / gradient.abs()).clamp_max(1);
            Assert.True(excess.max().item<float>() <= 0, $"{key} is off by {excess.max().item<float>():g3} beyond 1e-5");
        }
    }

    private static UNet Load(IReadOnlyDictionary<string, Tensor> weights, IReadOnlyDictionary<string, string> metadata,
        bool fast = true)
    {
        var first = weights["inc.double_conv.0.weight"].shape;
        var net = new UNet(new()
        {
            Width = metadata.TryGetValue("width", out var width) ? int.Parse(width, CultureInfo.InvariantCulture) : (int)first[0],
            Bilinear = !weights.ContainsKey("up1.up.weight"),
            ImageChannels = (int)first[1],
            Classes = (int)weights["outc.conv.weight"].shape[0],
        }, fast);
        var all = new Dictionary<string, Tensor>(weights);
        foreach (var (key, own) in StateDict.Of(net))
        {
            if (key.EndsWith("num_batches_tracked", StringComparison.Ordinal)) all[key] = own.clone();
        }
        StateDict.Apply(net, all, "golden numbers");
        return net;
    }
}
