using Siamorph.Segmentation;
using Siamorph.Segmentation.Losses;
using Siamorph.Segmentation.Networks;
using Siamorph.Tests.Reference;
using static TorchSharp.torch;

namespace Siamorph.Tests.Segmentation;

/// <summary>Small segmentation networks and all losses against stored numbers of our own (Fixtures/README.md).</summary>
public class SegmentationFixtureTests
{
    private const double Forward = 1e-5, Slopes = 1e-4; // shares of the largest number
    // odd sides are padded on the way up; no value of it lies on the edge of a ReLU
    private static readonly Grid Image = Numbers("image b", 2, 3, 36, 21);
    private static readonly Grid Mask = Numbers("mask", 2, 1, 36, 21).Map(x => x > 0.5 ? 1 : 0, _ => 0);
    private static readonly Grid Larger = Numbers("larger image", 2, 3, 64, 96);
    private static readonly Grid Logits = Numbers("logits", 2, 1, 36, 21);
    private static readonly Grid ClassLogits = Numbers("class logits", 2, 3, 8, 6);
    private static readonly Grid Classes = Numbers("classes", 2, 1, 8, 6).Map(x => x > 1 ? 2 : x > 0 ? 1 : 0, _ => 0);
    private static readonly Grid Features = Numbers("features", 4, 3, 5).Times(0.3);
    private static readonly int[] Labels = [0, 1, 1, 0];

    private static readonly SegFormerConfig Former = new()
    {
        Backbone = new() { Widths = [8, 8, 12, 16], Depths = [1, 1, 1, 2], Heads = [1, 2, 3, 4], HiddenRatios = [2, 2, 2, 2] },
            Channels = 8,
    };

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void UNet_EqualsItsFixture_InEvaluationAndTraining(bool bilinear)
    {
        using var scope = NewDisposeScope();
        var golden = OwnFixtures.Read("segmentation");
        using var network = new UNet(Unet(bilinear));
        OwnFixtures.Fill(network);
        network.eval();
        using (no_grad()) OwnFixtures.AssertClose(golden[$"{Name(bilinear)}, evaluation"],
            network.forward(OwnFixtures.Put(Image)), 0, Forward, "evaluation");
        network.train();
        var logits = network.forward(OwnFixtures.Put(Image));
        // variances of four numbers
        OwnFixtures.AssertClose(golden[$"{Name(bilinear)}, training"], logits, 0, 10 * Forward, "training");
        MaskLosses.Of(MaskLoss.BceDice, logits, OwnFixtures.Put(Mask)).backward();
        OwnFixtures.AssertGradients(golden[$"{Name(bilinear)}, gradients"], network, 10 * Slopes, Name(bilinear));
    }

    [Fact]
    public void SegFormer_EqualsItsFixture()
    {
        using var scope = NewDisposeScope();
        var golden = OwnFixtures.Read("segmentation");
        using var network = new SegFormer(Former);
        OwnFixtures.Fill(network);
        network.eval();
        var logits = network.Heads(OwnFixtures.Put(Larger))[0];
        OwnFixtures.AssertClose(golden["segformer"], logits, 0, Forward, "logits");
        logits.square().mean().backward();
        OwnFixtures.AssertGradients(golden["segformer, gradients"], network, Slopes, "segformer");
    }

    public static TheoryData<MaskLoss> Losses => [.. Enum.GetValues<MaskLoss>()];

    [Theory]
    [MemberData(nameof(Losses))]
    public void Loss_AndItsGradient_EqualTheirFixture(MaskLoss loss)
    {
        using var scope = NewDisposeScope();
        var golden = OwnFixtures.Read("mask-losses");
        var (given, masks) = Setting(loss);
        var logits = OwnFixtures.Put(given).requires_grad_();
        var value = MaskLosses.Of(loss, logits, OwnFixtures.Put(masks));
        value.backward();
        OwnFixtures.AssertClose(golden[$"{loss}"], value.reshape(1), 0, 1e-6, $"{loss}");
        OwnFixtures.AssertClose(golden[$"{loss}, gradient"], logits.grad!, 0, 1e-5, $"{loss}, gradient");
        if (given == Logits) // where labels are hard, the losses for soft ones are the same
            OwnFixtures.AssertClose(golden[$"{loss}"], SoftMaskLosses.Of(loss, logits, OwnFixtures.Put(masks), 0.6).reshape(1),
                0, 1e-6, $"{loss}, soft");
    }

    [Fact]
    public void Contrast_AndItsGradient_EqualTheirFixture()
    {
        using var scope = NewDisposeScope();
        var golden = OwnFixtures.Read("mask-losses");
        var features = OwnFixtures.Put(Features).requires_grad_();
        var value = ContrastiveLoss.Of(features, tensor([.. Labels.Select(l => (float)l)]));
        value.backward();
        OwnFixtures.AssertClose(golden["contrast"], value.reshape(1), 0, 1e-6, "contrast");
        OwnFixtures.AssertClose(golden["contrast, gradient"], features.grad!, 0, 1e-5, "contrast, gradient");
    }

    [Fact]
    public void Fixtures_AreWhatTheirCodeMakes()
    {
        var made = new Dictionary<string, Grid>();
        foreach (var bilinear in new[] { true, false })
        {
            var weights = new NamedWeights();
            var reference = new UNetReference(Unet(bilinear), weights);
            made[$"{Name(bilinear)}, evaluation"] = reference.Forward(Image, training: false);
            var logits = made[$"{Name(bilinear)}, training"] = reference.Forward(Image, training: true);
            made[$"{Name(bilinear)}, gradients"] =
                OwnFixtures.Gradients(weights, MaskLossReference.Of(MaskLoss.BceDice, logits, Mask));
            using var network = new UNet(Unet(bilinear));
            OwnFixtures.AssertShapes(weights, network);
        }
        var former = new NamedWeights();
        var map = made["segformer"] = new SegFormerReference(Former, former).Forward(Larger);
        made["segformer, gradients"] = OwnFixtures.Gradients(former, map.Times(map).Mean());
        using var own = new SegFormer(Former);
        OwnFixtures.AssertShapes(former, own);
        OwnFixtures.AssertMade("segmentation", made);
        OwnFixtures.AssertMade("mask-losses", LossNumbers());
    }

    private static Dictionary<string, Grid> LossNumbers()
    {
        var made = new Dictionary<string, Grid>();
        foreach (var loss in Enum.GetValues<MaskLoss>())
        {
            var (given, masks) = Setting(loss);
            Add($"{loss}", given, logits => MaskLossReference.Of(loss, logits, masks));
        }
        Add("contrast", Features, features => MaskLossReference.Contrast(features, Labels));
        return made;

        void Add(string name, Grid given, Func<Grid, Grid> of)
        {
            var input = new Grid(given.Shape, given.Data, trained: true);
            var value = made[name] = of(input);
            value.Backward();
            made[$"{name}, gradient"] = new(input.Shape, input.Gradient!);
        }
    }

    private static (Grid Logits, Grid Masks) Setting(MaskLoss loss) =>
        loss is MaskLoss.CrossEntropy or MaskLoss.CrossEntropyDice ? (ClassLogits, Classes) : (Logits, Mask);

    private static UNetConfig Unet(bool bilinear) => new() { Width = bilinear ? 8 : 4, Bilinear = bilinear };

    private static string Name(bool bilinear) => bilinear ? "unet, bilinear" : "unet, transposed";

    private static Grid Numbers(string name, params int[] shape) =>
        new(shape, NamedWeights.Uniform(name, shape.Aggregate(1, (a, b) => a * b), 2));
}
