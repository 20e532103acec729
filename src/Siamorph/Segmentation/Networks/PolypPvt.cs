using TorchSharp.Modules;
using static Siamorph.Segmentation.Networks.Operators;
using static TorchSharp.torch;

namespace Siamorph.Segmentation.Networks;

/// <summary>The numbers of a Polyp-PVT.</summary>
internal sealed record PolypPvtConfig : DecoderConfig<PyramidTransformerConfig>
{
    /// <summary>The published numbers.</summary>
    public PolypPvtConfig() : base(PyramidTransformerConfig.PvtV2(2), 32) { }

    /// <summary>Channels of the similarity module's states.</summary>
    public int States { get; init; } = 16;

    /// <summary>The similarity module has the square of this many nodes.</summary>
    public int NodesAlongSide { get; init; } = 4;
}

/// <summary>
/// Polyp-PVT (Dong et al. 2021, arXiv 2108.06932): deep features are fused in cascade, shallow ones guide by similarity.
/// </summary>
internal sealed class PolypPvt : SegmentationNetwork
{
    private readonly PyramidTransformer backbone;
    private readonly ConvolutionNorm Translayer2_0, Translayer2_1, Translayer3_1, Translayer4_1;
    private readonly CascadedFusion CFM;
    private readonly ChannelAttention ca;
    private readonly SpatialAttention sa;
    private readonly SimilarityAggregation SAM;
    private readonly Conv2d out_SAM, out_CFM;

    /// <summary>Makes the network with torch's default initial weights.</summary>
    public PolypPvt(PolypPvtConfig config) : base(nameof(PolypPvt))
    {
        ArgumentNullException.ThrowIfNull(config);
        Config = config;
        var (w, c) = (config.Backbone.Widths, config.Channels);
        backbone = new(config.Backbone, Noise);
        Translayer2_0 = new(w[0], c, 1);
        Translayer2_1 = new(w[1], c, 1);
        Translayer3_1 = new(w[2], c, 1);
        Translayer4_1 = new(w[3], c, 1);
        CFM = new(c);
        ca = new(w[0]);
        sa = new();
        SAM = new(c, config.States, config.NodesAlongSide);
        out_SAM = nn.Conv2d(c, config.Classes, 1);
        out_CFM = nn.Conv2d(c, config.Classes, 1);
        RegisterComponents();
    }

    /// <summary>The numbers it was made from.</summary>
    public PolypPvtConfig Config { get; }

    /// <inheritdoc/>
    public override nn.Module? Backbone => backbone;

    internal PyramidTransformer Transformer => backbone;

    /// <summary>Logits of the fused and of the guided features, both [B, Classes, H, W].</summary>
    public override IReadOnlyList<Tensor> Heads(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        using var scope = NewDisposeScope();
        var inside = Inside(input);
        Tensor AtFullSize(Conv2d layer, Tensor map) =>
            ScaleTo(Run(layer, map), input.shape[2], input.shape[3], corners: false).MoveToOuterDisposeScope();
        return [AtFullSize(out_CFM, inside.Fused), AtFullSize(out_SAM, inside.Guided)];
    }

    internal (IReadOnlyList<Tensor> Stages, Tensor Detail, Tensor Fused, Tensor HalfDetail, Tensor Guided) Inside(Tensor input)
    {
        var maps = backbone.forward(input);
        var detail = sa.forward(ca.forward(maps[0]));
        var fused = CFM.Fuse(Translayer4_1.forward(maps[3]), Translayer3_1.forward(maps[2]), Translayer2_1.forward(maps[1]));
        var small = Translayer2_0.forward(detail);
        var half = ScaleTo(small, Math.Max(1, small.shape[2] / 2), Math.Max(1, small.shape[3] / 2), corners: true);
        return (maps, detail, fused, half, SAM.Guide(fused, half));
    }

    private protected override Tensor Decide(IReadOnlyList<Tensor> heads, long height, long width) => Add(heads[0], heads[1]);
}

/// <summary>Weighs channels by what their means and maxima over the map tell, and multiplies.</summary>
internal sealed class ChannelAttention : nn.Module<Tensor, Tensor>
{
    private const int Reduction = 16;
    private readonly Conv2d fc1, fc2;

    public ChannelAttention(int channels) : base(nameof(ChannelAttention))
    {
        var middle = Math.Max(1, channels / Reduction);
        fc1 = nn.Conv2d(channels, middle, 1, bias: false);
        fc2 = nn.Conv2d(middle, channels, 1, bias: false);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        Tensor Weigh(Tensor summary) => Run(fc2, Relu(Run(fc1, summary)));
        var weights = Sigmoid(Add(Weigh(MeanOver(input, 2, 3)), Weigh(MaxOver(input, 2, 3))));
        return Multiply(weights, input).MoveToOuterDisposeScope();
    }
}

/// <summary>Weighs pixels by what mean and maximum over the channels tell, and multiplies.</summary>
internal sealed class SpatialAttention : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d conv1;

    public SpatialAttention() : base(nameof(SpatialAttention))
    {
        conv1 = nn.Conv2d(2, 1, 7, padding: 3, bias: false);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var weights = Sigmoid(Run(conv1, Concat(1, MeanOver(input, 1), MaxOver(input, 1))));
        return Multiply(weights, input).MoveToOuterDisposeScope();
    }
}

/// <summary>Three maps from coarse to fine: the coarser gates the finer, then they are joined step by step.</summary>
internal sealed class CascadedFusion : nn.Module<Tensor, Tensor>
{
    private readonly ConvolutionNorm conv_upsample1, conv_upsample2, conv_upsample3, conv_upsample4, conv_upsample5;
    private readonly ConvolutionNorm conv_concat2, conv_concat3, conv4;

    public CascadedFusion(int channels) : base(nameof(CascadedFusion))
    {
        conv_upsample1 = new(channels, channels, 3);
        conv_upsample2 = new(channels, channels, 3);
        conv_upsample3 = new(channels, channels, 3);
        conv_upsample4 = new(channels, channels, 3);
        conv_upsample5 = new(2 * channels, 2 * channels, 3);
        conv_concat2 = new(2 * channels, 2 * channels, 3);
        conv_concat3 = new(3 * channels, 3 * channels, 3);
        conv4 = new(3 * channels, channels, 3);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input) => throw new NotSupportedException("The fusion needs three maps.");

    public Tensor Fuse(Tensor coarse, Tensor middle, Tensor fine)
    {
        using var scope = NewDisposeScope();
        var layers = new FusionLayers(
            conv_upsample1, conv_upsample2, conv_upsample3, conv_upsample4, conv_upsample5, conv_concat2, conv_concat3, conv4);
        return layers.Fuse(coarse, middle, fine).MoveToOuterDisposeScope();
    }
}

/// <summary>The layers of a cascaded fusion, and how it runs through them; its owners differ in keys alone.</summary>
internal sealed record FusionLayers(
    ConvolutionNorm Up1, ConvolutionNorm Up2, ConvolutionNorm Up3, ConvolutionNorm Up4, ConvolutionNorm Up5,
    ConvolutionNorm Join2, ConvolutionNorm Join3, ConvolutionNorm Last)
{
    public Tensor Fuse(Tensor coarse, Tensor middle, Tensor fine)
    {
        var coarseUp = ScaleTo(coarse, middle, corners: true);
        var a = Multiply(Up1.forward(coarseUp), middle);
        var b = Multiply(
            Multiply(Up2.forward(ScaleTo(coarseUp, fine, corners: true)),
                Up3.forward(ScaleTo(middle, fine, corners: true))), fine);
        var both = Join2.forward(Concat(1, a, Up4.forward(coarseUp)));
        var all = Join3.forward(Concat(1, b, Up5.forward(ScaleTo(both, fine, corners: true))));
        return Last.forward(all);
    }
}
