using TorchSharp.Modules;
using static Siamorph.Segmentation.Networks.Operators;
using static TorchSharp.torch;

namespace Siamorph.Segmentation.Networks;

/// <summary>The numbers of a Res2Net trunk, version 1b, with four groups of channels in each block.</summary>
internal sealed record Res2NetConfig
{
    /// <summary>
    /// Channels of the first stage's inner width; they double each stage, a stage's output has four times as many.
    /// </summary>
    public int Planes { get; init; } = 64;

    /// <summary>Channels of the stem's first two convolutions; its third has twice as many.</summary>
    public int StemWidth { get; init; } = 32;

    /// <summary>Blocks of each of the four stages.</summary>
    public IReadOnlyList<int> Depths { get; init; } = [3, 4, 6, 3];

    /// <summary>Logits of the classifier that some authors leave in the trunk, unused; 0 where there is none.</summary>
    public int ClassifierOutputs { get; init; }
}

/// <summary>Res2Net-50 v1b 26w × 4s (Gao et al. 2019, arXiv 1904.01169) and smaller ones: features at a 4th to a 32nd.</summary>
internal sealed class Res2Net : nn.Module<Tensor, IReadOnlyList<Tensor>>
{
    private readonly Sequential conv1;
    private readonly BatchNorm2d bn1;
    private readonly Sequential layer1, layer2, layer3, layer4;
    private readonly Linear? fc;

    public Res2Net(Res2NetConfig config) : base(nameof(Res2Net))
    {
        var (planes, half) = (config.Planes, config.StemWidth);
        conv1 = nn.Sequential(
            ("0", nn.Conv2d(3, half, 3, 2, 1, bias: false)), ("1", nn.BatchNorm2d(half)), ("2", nn.ReLU()),
            ("3", nn.Conv2d(half, half, 3, 1, 1, bias: false)), ("4", nn.BatchNorm2d(half)), ("5", nn.ReLU()),
            ("6", nn.Conv2d(half, 2 * half, 3, 1, 1, bias: false)));
        bn1 = nn.BatchNorm2d(2 * half);
        layer1 = Stage(2 * half, planes, config.Depths[0], 1);
        layer2 = Stage(4 * planes, 2 * planes, config.Depths[1], 2);
        layer3 = Stage(8 * planes, 4 * planes, config.Depths[2], 2);
        layer4 = Stage(16 * planes, 8 * planes, config.Depths[3], 2);
        if (config.ClassifierOutputs > 0) fc = nn.Linear(32 * planes, config.ClassifierOutputs);
        RegisterComponents();
    }

    /// <summary>Feature maps at a 4th, 8th, 16th and 32nd of the image's size.</summary>
    public override IReadOnlyList<Tensor> forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var stem = Relu(Run(bn1, Run(conv1, input)));
        var x = Note(nn.functional.max_pool2d(stem, 3, 2, 1), "MaxPool", [stem],
            ("kernel_shape", (long[])[3, 3]), ("strides", (long[])[2, 2]), ("pads", (long[])[1, 1, 1, 1]));
        var maps = new List<Tensor>(4);
        foreach (var stage in new[] { layer1, layer2, layer3, layer4 }) maps.Add(x = Run(stage, x));
        foreach (var map in maps) map.MoveToOuterDisposeScope();
        return maps;
    }

    private static Sequential Stage(int channels, int planes, int depth, int stride) => nn.Sequential([..
        Enumerable.Range(0, depth).Select(i => (
            $"{i}", (nn.Module<Tensor, Tensor>)new Res2NetBlock(i == 0 ? channels : 4 * planes, planes, i == 0 ? stride
                : 1, first: i == 0)))]);
}

/// <summary>
/// A residual block whose middle is split in four groups. In ordinary blocks each group also sees the result of the one
/// before it; in the first of a stage they stand alone.
/// </summary>
internal sealed class Res2NetBlock : nn.Module<Tensor, Tensor>
{
    private const int Groups = 4;
    private readonly Conv2d conv1;
    private readonly BatchNorm2d bn1;
    private readonly ModuleList<Conv2d> convs;
    private readonly ModuleList<BatchNorm2d> bns;
    private readonly Conv2d conv3;
    private readonly BatchNorm2d bn3;
    private readonly Sequential? downsample;
    private readonly int _width;
    private readonly AvgPool2d? _pool;

    public Res2NetBlock(int channels, int planes, int stride, bool first) : base(nameof(Res2NetBlock))
    {
        _width = Math.Max(1, planes * 26 / 64);
        conv1 = nn.Conv2d(channels, _width * Groups, 1, bias: false);
        bn1 = nn.BatchNorm2d(_width * Groups);
        convs = new([.. Enumerable.Range(1, Groups - 1).Select(_ => nn.Conv2d(_width, _width, 3, stride, 1, bias: false))]);
        bns = new([.. Enumerable.Range(1, Groups - 1).Select(_ => nn.BatchNorm2d(_width))]);
        conv3 = nn.Conv2d(_width * Groups, 4 * planes, 1, bias: false);
        bn3 = nn.BatchNorm2d(4 * planes);
        if (first)
        {
            downsample = nn.Sequential(
                ("0", nn.AvgPool2d(stride, stride, ceil_mode: true, count_include_pad: false)),
                ("1", nn.Conv2d(channels, 4 * planes, 1, bias: false)),
                ("2", nn.BatchNorm2d(4 * planes)));
            _pool = nn.AvgPool2d(3, stride, 1);
        }
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = Relu(Run(bn1, Run(conv1, input)));
        var parts = new Tensor[Groups];
        for (var i = 0; i < Groups; i++)
        {
            var part = Narrow(x, 1, i * _width, _width);
            if (i == Groups - 1) parts[i] = _pool is null ? part : Run(_pool, part);
            else parts[i] = Relu(Run(bns[i], Run(convs[i], i == 0 || _pool is not null ? part : Add(parts[i - 1], part))));
        }
        var result = Run(bn3, Run(conv3, Concat(1, parts)));
        return Relu(Add(result, downsample is null ? input : Run(downsample, input))).MoveToOuterDisposeScope();
    }
}
