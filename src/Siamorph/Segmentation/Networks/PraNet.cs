using TorchSharp.Modules;
using static Siamorph.Segmentation.Networks.Operators;
using static TorchSharp.torch;

namespace Siamorph.Segmentation.Networks;

/// <summary>The numbers of a PraNet; its trunk keeps the classifier that the authors left in it.</summary>
internal sealed record PraNetConfig : DecoderConfig<Res2NetConfig>
{
    /// <summary>The published numbers.</summary>
    public PraNetConfig() : base(new() { ClassifierOutputs = 1000 }, 32) { }

    /// <summary>Channels of the deepest reverse attention branch.</summary>
    public int DeepBranch { get; init; } = 256;

    /// <summary>Channels of the two others.</summary>
    public int ShallowBranch { get; init; } = 64;
}

/// <summary>
/// PraNet (Fan et al. 2020, arXiv 2006.11392): a coarse map from deep features, then three branches that look where the
/// map so far sees nothing.
/// </summary>
internal sealed class PraNet : SegmentationNetwork
{
    private readonly Res2Net resnet;
    private readonly ReceptiveField rfb2_1, rfb3_1, rfb4_1;
    private readonly PartialDecoder agg1;
    private readonly ConvolutionNorm ra4_conv1, ra4_conv2, ra4_conv3, ra4_conv4, ra4_conv5;
    private readonly ConvolutionNorm ra3_conv1, ra3_conv2, ra3_conv3, ra3_conv4;
    private readonly ConvolutionNorm ra2_conv1, ra2_conv2, ra2_conv3, ra2_conv4;

    /// <summary>Makes the network with torch's default initial weights.</summary>
    public PraNet(PraNetConfig config) : base(nameof(PraNet))
    {
        ArgumentNullException.ThrowIfNull(config);
        Config = config;
        var (planes, channels, deep, shallow) =
            (config.Backbone.Planes, config.Channels, config.DeepBranch, config.ShallowBranch);
        resnet = new(config.Backbone);
        rfb2_1 = new(8 * planes, channels);
        rfb3_1 = new(16 * planes, channels);
        rfb4_1 = new(32 * planes, channels);
        agg1 = new(channels, config.Classes);
        ra4_conv1 = new(32 * planes, deep, 1);
        ra4_conv2 = new(deep, deep, 5);
        ra4_conv3 = new(deep, deep, 5);
        ra4_conv4 = new(deep, deep, 5);
        ra4_conv5 = new(deep, config.Classes, 1);
        ra3_conv1 = new(16 * planes, shallow, 1);
        ra3_conv2 = new(shallow, shallow, 3);
        ra3_conv3 = new(shallow, shallow, 3);
        ra3_conv4 = new(shallow, config.Classes, 3);
        ra2_conv1 = new(8 * planes, shallow, 1);
        ra2_conv2 = new(shallow, shallow, 3);
        ra2_conv3 = new(shallow, shallow, 3);
        ra2_conv4 = new(shallow, config.Classes, 3);
        RegisterComponents();
    }

    /// <summary>The numbers it was made from.</summary>
    public PraNetConfig Config { get; }

    /// <inheritdoc/>
    public override nn.Module? Backbone => resnet;

    /// <summary>Logits of the coarse map and after each branch, coarsest first, all [B, Classes, H, W].</summary>
    public override IReadOnlyList<Tensor> Heads(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        using var scope = NewDisposeScope();
        var maps = resnet.forward(input);
        var coarse = agg1.Decode(rfb4_1.forward(maps[3]), rfb3_1.forward(maps[2]), rfb2_1.forward(maps[1]));
        var (after4, after3, after2) = Refine(maps, coarse);
        return [.. new[] { coarse, after4, after3, after2 }.Select(map =>
            ScaleTo(map, input.shape[2], input.shape[3], corners: false).MoveToOuterDisposeScope())];
    }

    private protected override Tensor Decide(IReadOnlyList<Tensor> heads, long height, long width) => heads[^1];

    private (Tensor, Tensor, Tensor) Refine(IReadOnlyList<Tensor> maps, Tensor coarse)
    {
        var (so4, seen4) = Look(coarse, maps[3]);
        var x = ra4_conv1.forward(seen4);
        foreach (var layer in new[] { ra4_conv2, ra4_conv3, ra4_conv4 }) x = Relu(layer.forward(x));
        var after4 = Add(ra4_conv5.forward(x), so4);
        var (so3, seen3) = Look(after4, maps[2]);
        x = Relu(ra3_conv3.forward(Relu(ra3_conv2.forward(ra3_conv1.forward(seen3)))));
        var after3 = Add(ra3_conv4.forward(x), so3);
        var (so2, seen2) = Look(after3, maps[1]);
        x = Relu(ra2_conv3.forward(Relu(ra2_conv2.forward(ra2_conv1.forward(seen2)))));
        return (after4, after3, Add(ra2_conv4.forward(x), so2));
    }

    // The map so far at a feature map's size, and the features where that map sees nothing.
    private static (Tensor Scaled, Tensor Unseen) Look(Tensor map, Tensor features)
    {
        var scaled = ScaleTo(map, features, corners: false);
        return (scaled, Multiply(Affine(Sigmoid(Surest(scaled)), [-1], [1]), features));
    }

    // Of several classes, the one that is surest of a pixel speaks.
    private static Tensor Surest(Tensor logits) => logits.shape[1] == 1 ? logits : MaxOver(logits, 1);
}

/// <summary>Four branches with ever wider views of a map, joined, and added to the map itself.</summary>
internal sealed class ReceptiveField : nn.Module<Tensor, Tensor>
{
    private readonly Sequential branch0, branch1, branch2, branch3;
    private readonly ConvolutionNorm conv_cat, conv_res;

    public ReceptiveField(int channels, int result) : base(nameof(ReceptiveField))
    {
        branch0 = nn.Sequential(("0", new ConvolutionNorm(channels, result, 1)));
        branch1 = Branch(channels, result, 3);
        branch2 = Branch(channels, result, 5);
        branch3 = Branch(channels, result, 7);
        conv_cat = new(4 * result, result, 3);
        conv_res = new(channels, result, 1);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var views = Concat(1, Run(branch0, input), Run(branch1, input), Run(branch2, input), Run(branch3, input));
        return Relu(Add(conv_cat.forward(views), conv_res.forward(input))).MoveToOuterDisposeScope();
    }

    private static Sequential Branch(int channels, int result, int reach) => nn.Sequential(
        ("0", new ConvolutionNorm(channels, result, 1)),
        ("1", new ConvolutionNorm(result, result, (1, reach))),
        ("2", new ConvolutionNorm(result, result, (reach, 1))),
        ("3", new ConvolutionNorm(result, result, 3, dilation: reach)));
}

/// <summary>PraNet's partial decoder: a cascaded fusion with a readout.</summary>
internal sealed class PartialDecoder : nn.Module<Tensor, Tensor>
{
    private readonly ConvolutionNorm conv_upsample1, conv_upsample2, conv_upsample3, conv_upsample4, conv_upsample5;
    private readonly ConvolutionNorm conv_concat2, conv_concat3, conv4;
    private readonly Conv2d conv5;

    public PartialDecoder(int channels, int classes) : base(nameof(PartialDecoder))
    {
        conv_upsample1 = new(channels, channels, 3);
        conv_upsample2 = new(channels, channels, 3);
        conv_upsample3 = new(channels, channels, 3);
        conv_upsample4 = new(channels, channels, 3);
        conv_upsample5 = new(2 * channels, 2 * channels, 3);
        conv_concat2 = new(2 * channels, 2 * channels, 3);
        conv_concat3 = new(3 * channels, 3 * channels, 3);
        conv4 = new(3 * channels, 3 * channels, 3);
        conv5 = nn.Conv2d(3 * channels, classes, 1);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input) => throw new NotSupportedException("The decoder needs three maps.");

    public Tensor Decode(Tensor coarse, Tensor middle, Tensor fine)
    {
        using var scope = NewDisposeScope();
        var layers = new FusionLayers(
            conv_upsample1, conv_upsample2, conv_upsample3, conv_upsample4, conv_upsample5, conv_concat2, conv_concat3, conv4);
        return Run(conv5, layers.Fuse(coarse, middle, fine)).MoveToOuterDisposeScope();
    }
}
