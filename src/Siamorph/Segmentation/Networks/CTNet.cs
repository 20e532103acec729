using TorchSharp.Modules;
using static Siamorph.Segmentation.Networks.Operators;
using static TorchSharp.torch;

namespace Siamorph.Segmentation.Networks;

/// <summary>The numbers of a CTNet.</summary>
internal sealed record CTNetConfig : DecoderConfig<PyramidTransformerConfig>
{
    /// <summary>The published numbers.</summary>
    public CTNetConfig() : base(PyramidTransformerConfig.MixTransformer(3), 32) { }
}

/// <summary>
/// CTNet, a contrastive transformer for polyps, as far as its published code says: its <c>utils</c> package is missing, so
/// the scaling of the low-resolution path (bilinear, corners not aligned) and the contrastive loss are inferred.
/// </summary>
internal sealed class CTNet : SegmentationNetwork
{
    private readonly PyramidTransformer backbone;
    private readonly ConvolutionNorm Translayer1, Translayer2, Translayer3, Translayer4;
    private readonly ProjectionHead contrasthead;
    private readonly ScaleInteraction Smim;
    private readonly CascadedInteraction cim;
    private readonly Sequential uper, prediction;

    /// <summary>Makes the network with torch's default initial weights.</summary>
    public CTNet(CTNetConfig config) : base(nameof(CTNet))
    {
        ArgumentNullException.ThrowIfNull(config);
        Config = config;
        var (w, c) = (config.Backbone.Widths, config.Channels);
        backbone = new(config.Backbone, Noise);
        Translayer1 = new(w[0], c, 1);
        Translayer2 = new(w[1], c, 1);
        Translayer3 = new(w[2], c, 1);
        Translayer4 = new(w[3], c, 1);
        contrasthead = new(c);
        Smim = new(c);
        cim = new(c);
        uper = Doubling(c);
        prediction = nn.Sequential(("0", new ConvolutionNorm(c, c, 3)), ("1", nn.Conv2d(c, config.Classes, 1)));
        RegisterComponents();
    }

    /// <summary>The numbers it was made from.</summary>
    public CTNetConfig Config { get; }

    /// <inheritdoc/>
    public override nn.Module? Backbone => backbone;

    /// <summary>Logits [B, Classes, H, W] alone.</summary>
    public override IReadOnlyList<Tensor> Heads(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        using var scope = NewDisposeScope();
        return [Logits(Narrowed(input), input.shape[2], input.shape[3]).MoveToOuterDisposeScope()];
    }

    /// <summary>The logits, and the embedding that the contrastive loss compares pixels by.</summary>
    /// <param name="input">[B,3,H,W], normalised.</param>
    /// <returns>Logits [B, Classes, H, W]; unit vectors [B, Channels, about H/4, about W/4].</returns>
    public (Tensor Logits, Tensor Embedding) LogitsAndEmbedding(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        using var scope = NewDisposeScope();
        var maps = Narrowed(input);
        return (Logits(maps, input.shape[2], input.shape[3]).MoveToOuterDisposeScope(),
            contrasthead.forward(maps[3]).MoveToOuterDisposeScope());
    }

    internal override (IReadOnlyList<Tensor> Heads, Tensor? Embedding) HeadsAndEmbedding(Tensor input)
    {
        var (logits, embedding) = LogitsAndEmbedding(input);
        return ([logits], embedding);
    }

    // What the golden numbers look at, from the four narrowed maps.
    internal (Tensor Embedding, Tensor Scale4, Tensor Scale3, Tensor Scale2, Tensor Cascade, Tensor Prediction) Decode(
        IReadOnlyList<Tensor> maps)
    {
        var (s4, s3, s2) = (Smim.forward(maps[3]), Smim.forward(maps[2]), Smim.forward(maps[1]));
        var cascade = cim.Join(s4, s3, s2);
        var fine = Add(maps[0], ScaleTo(Run(uper, cascade), maps[0], corners: false));
        return (contrasthead.forward(maps[3]), s4, s3, s2, cascade, Run(prediction, fine));
    }

    internal static Sequential Doubling(int channels) => nn.Sequential(
        ("0", nn.ConvTranspose2d(channels, channels, 4, 2, 1)), ("1", new ConvolutionNorm(channels, channels, 3)));

    private Tensor[] Narrowed(Tensor input)
    {
        var maps = backbone.forward(input);
        return [Translayer1.forward(maps[0]), Translayer2.forward(maps[1]), Translayer3.forward(maps[2]),
            Translayer4.forward(maps[3])];
    }

    private Tensor Logits(Tensor[] maps, long height, long width)
    {
        var cascade = cim.Join(Smim.forward(maps[3]), Smim.forward(maps[2]), Smim.forward(maps[1]));
        var fine = Add(maps[0], ScaleTo(Run(uper, cascade), maps[0], corners: false));
        return ScaleTo(Run(prediction, fine), height, width, corners: false);
    }
}

/// <summary>A path at full and one at half resolution that exchange what they see, twice (CTNet's SMIM).</summary>
internal sealed class ScaleInteraction : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d h2l_0, h2h_0;
    private readonly BatchNorm2d bnl_0, bnh_0;
    private readonly Conv2d h2h_1, h2l_1, l2h_1, l2l_1;
    private readonly BatchNorm2d bnl_1, bnh_1;
    private readonly Conv2d h2h_2, l2h_2;
    private readonly BatchNorm2d bnh_2;
    private readonly AvgPool2d _halve = nn.AvgPool2d(2, 2);

    public ScaleInteraction(int channels) : base(nameof(ScaleInteraction))
    {
        Conv2d Layer() => nn.Conv2d(channels, channels, 3, padding: 1);
        (h2l_0, h2h_0) = (Layer(), Layer());
        (bnl_0, bnh_0) = (nn.BatchNorm2d(channels), nn.BatchNorm2d(channels));
        (h2h_1, h2l_1, l2h_1, l2l_1) = (Layer(), Layer(), Layer(), Layer());
        (bnl_1, bnh_1) = (nn.BatchNorm2d(channels), nn.BatchNorm2d(channels));
        (h2h_2, l2h_2) = (Layer(), Layer());
        bnh_2 = nn.BatchNorm2d(channels);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        Tensor Half(Tensor map) => map.shape[2] > 1 && map.shape[3] > 1 ? Run(_halve, map) : map;
        Tensor Full(Tensor map) => ScaleTo(map, input, corners: false);
        var high = Relu(Run(bnh_0, Run(h2h_0, input)));
        var low = Relu(Run(bnl_0, Run(h2l_0, Half(input))));
        var high1 = Relu(Run(bnh_1, Add(Run(h2h_1, high), Run(l2h_1, Full(low)))));
        var low1 = Relu(Run(bnl_1, Add(Run(l2l_1, low), Run(h2l_1, Half(high)))));
        var high2 = Relu(Run(bnh_2, Add(Run(h2h_2, high1), Run(l2h_2, Full(low1)))));
        return Add(high2, input).MoveToOuterDisposeScope();
    }
}

/// <summary>Gates finer maps by coarser ones, with one enlarging layer for all (CTNet's CIM).</summary>
internal sealed class CascadedInteraction : nn.Module<Tensor, Tensor>
{
    private readonly Sequential uper;

    public CascadedInteraction(int channels) : base(nameof(CascadedInteraction))
    {
        uper = CTNet.Doubling(channels);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input) => throw new NotSupportedException("The module needs three maps.");

    public Tensor Join(Tensor coarse, Tensor middle, Tensor fine)
    {
        using var scope = NewDisposeScope();
        Tensor Gate(Tensor from, Tensor to) => Add(Multiply(ScaleTo(Run(uper, from), to, corners: false), to), to);
        return Gate(Gate(coarse, middle), Gate(middle, fine)).MoveToOuterDisposeScope();
    }
}

/// <summary>Enlarges the deepest map eightfold and gives every pixel a vector of length 1.</summary>
internal sealed class ProjectionHead : nn.Module<Tensor, Tensor>
{
    private readonly Sequential pro;

    public ProjectionHead(int channels) : base(nameof(ProjectionHead))
    {
        var layers = new List<(string, nn.Module<Tensor, Tensor>)>();
        for (var i = 0; i < 9; i += 3)
        {
            layers.Add(($"{i}", nn.ConvTranspose2d(channels, channels, 4, 2, 1)));
            layers.Add(($"{i + 1}", nn.BatchNorm2d(channels)));
            layers.Add(($"{i + 2}", nn.ReLU()));
        }
        layers.Add(("9", nn.Conv2d(channels, channels, 1)));
        pro = nn.Sequential([.. layers]);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        return nn.functional.normalize(Run(pro, input), 2, 1).MoveToOuterDisposeScope();
    }
}
