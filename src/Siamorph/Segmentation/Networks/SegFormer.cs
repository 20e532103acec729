using TorchSharp.Modules;
using static Siamorph.Segmentation.Networks.Operators;
using static TorchSharp.torch;

namespace Siamorph.Segmentation.Networks;

/// <summary>The numbers of a SegFormer.</summary>
internal sealed record SegFormerConfig : DecoderConfig<PyramidTransformerConfig>
{
    /// <summary>The published numbers.</summary>
    public SegFormerConfig() : base(PyramidTransformerConfig.MixTransformer(0), 256) { }

    /// <summary>SegFormer-B0 … B5.</summary>
    public static SegFormerConfig Of(int size) => new()
    {
        Backbone = PyramidTransformerConfig.MixTransformer(size),
        Channels = size < 2 ? 256 : 768,
    };
}

/// <summary>SegFormer (Xie et al. 2021, arXiv 2105.15203): a Mix Transformer, and a head of linear layers alone.</summary>
internal sealed class SegFormer : SegmentationNetwork
{
    private readonly PyramidTransformer backbone;
    private readonly LinearHead decode_head;

    /// <summary>Makes the network with torch's default initial weights.</summary>
    public SegFormer(SegFormerConfig config) : base(nameof(SegFormer))
    {
        ArgumentNullException.ThrowIfNull(config);
        Config = config;
        backbone = new(config.Backbone, Noise);
        decode_head = new(config, Noise);
        RegisterComponents();
    }

    /// <summary>The numbers it was made from.</summary>
    public SegFormerConfig Config { get; }

    /// <inheritdoc/>
    public override nn.Module? Backbone => backbone;

    /// <inheritdoc/>
    public override IReadOnlyList<Tensor> Heads(Tensor input)
    {
        using var scope = NewDisposeScope();
        return [decode_head.Fuse(backbone.forward(input)).MoveToOuterDisposeScope()];
    }

    internal IReadOnlyList<Tensor> Features(Tensor input) => backbone.forward(input);
}

/// <summary>Each stage through a linear layer, scaled to the finest, joined, mixed and read out.</summary>
internal sealed class LinearHead : nn.Module<Tensor, Tensor>
{
    private const double ChannelDropout = 0.1;
    private readonly StageProjection linear_c4, linear_c3, linear_c2, linear_c1;
    private readonly ConvolutionNorm linear_fuse;
    private readonly Conv2d linear_pred;
    private readonly LayerNoise _noise;

    public LinearHead(SegFormerConfig config, LayerNoise noise) : base(nameof(LinearHead))
    {
        var (widths, width) = (config.Backbone.Widths, config.Channels);
        _noise = noise;
        linear_c4 = new(widths[3], width);
        linear_c3 = new(widths[2], width);
        linear_c2 = new(widths[1], width);
        linear_c1 = new(widths[0], width);
        linear_fuse = new(4 * width, width, 1);
        linear_pred = nn.Conv2d(width, config.Classes, 1);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input) => throw new NotSupportedException("The head needs all four stages.");

    public Tensor Fuse(IReadOnlyList<Tensor> maps)
    {
        using var scope = NewDisposeScope();
        Tensor Stage(StageProjection projection, int i) => ScaleTo(projection.forward(maps[i]), maps[0], corners: false);
        var joined = Concat(1, Stage(linear_c4, 3), Stage(linear_c3, 2), Stage(linear_c2, 1), Stage(linear_c1, 0));
        var mixed = _noise.DropChannels(Relu(linear_fuse.forward(joined)), ChannelDropout, training);
        return Run(linear_pred, mixed).MoveToOuterDisposeScope();
    }
}

/// <summary>A linear layer over the channels of a map.</summary>
internal sealed class StageProjection : nn.Module<Tensor, Tensor>
{
    private readonly Linear proj;

    public StageProjection(int channels, int result) : base(nameof(StageProjection))
    {
        proj = nn.Linear(channels, result);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var tokens = Run(proj, PyramidTransformer.TokensOf(input));
        return PyramidTransformer.Grid(tokens, input.shape[2], input.shape[3]).MoveToOuterDisposeScope();
    }
}
