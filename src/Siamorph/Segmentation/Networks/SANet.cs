using Siamorph.Segmentation.Batches;
using TorchSharp.Modules;
using static Siamorph.Segmentation.Networks.Operators;
using static TorchSharp.torch;

namespace Siamorph.Segmentation.Networks;

/// <summary>The numbers of a SANet.</summary>
internal sealed record SANetConfig : DecoderConfig<Res2NetConfig>
{
    /// <summary>The published numbers.</summary>
    public SANetConfig() : base(new(), 64) { }
}

/// <summary>
/// SANet (Wei et al. 2021, arXiv 2108.00882): deep features gate shallow ones by products. Its colour exchange belongs to
/// the training data, see <see cref="ColourExchange"/>, its probability correction to the decision, see
/// <see cref="ProbabilityCorrection"/>.
/// </summary>
internal sealed class SANet : SegmentationNetwork
{
    private readonly Res2Net bkbone;
    private readonly Sequential linear5, linear4, linear3;
    private readonly Conv2d predict;

    /// <summary>Makes the network with torch's default initial weights.</summary>
    public SANet(SANetConfig config) : base(nameof(SANet))
    {
        ArgumentNullException.ThrowIfNull(config);
        Config = config;
        var planes = config.Backbone.Planes;
        bkbone = new(config.Backbone);
        linear5 = Narrowing(32 * planes, config.Channels);
        linear4 = Narrowing(16 * planes, config.Channels);
        linear3 = Narrowing(8 * planes, config.Channels);
        predict = nn.Conv2d(3 * config.Channels, config.Classes, 1);
        RegisterComponents();
    }

    /// <summary>The numbers it was made from.</summary>
    public SANetConfig Config { get; }

    /// <inheritdoc/>
    public override nn.Module? Backbone => bkbone;

    /// <inheritdoc/>
    public override bool AlignCorners => true;

    internal Res2Net Trunk => bkbone;

    /// <summary>Logits at an eighth of the input's size.</summary>
    public override IReadOnlyList<Tensor> Heads(Tensor input)
    {
        using var scope = NewDisposeScope();
        var maps = bkbone.forward(input);
        var shallow = Run(linear3, maps[1]);
        var middle = ScaleTo(Run(linear4, maps[2]), shallow, corners: true);
        var deep = ScaleTo(Run(linear5, maps[3]), shallow, corners: true);
        var gated = Multiply(middle, deep);
        return [Run(predict, Concat(1, deep, gated, Multiply(shallow, gated))).MoveToOuterDisposeScope()];
    }

    private static Sequential Narrowing(int channels, int result) =>
        nn.Sequential(("0", nn.Conv2d(channels, result, 1)), ("1", nn.BatchNorm2d(result)), ("2", nn.ReLU()));
}
