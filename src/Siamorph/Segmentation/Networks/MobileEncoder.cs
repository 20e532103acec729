using Siamorph.Weights;
using TorchSharp.Modules;
using static Siamorph.Segmentation.Networks.Operators;
using static TorchSharp.torch;

namespace Siamorph.Segmentation.Networks;

/// <summary>
/// The convolutions of MobileNetV2 (Sandler et al. 2018) without its last one and its classifier, with torchvision's keys. Batch
/// normalisation is folded into weights and biases, so that small batches do not disturb what it knows. Where a map is halved,
/// kernels have five rows and columns: that holds the three of torchvision, which look one pixel up and left, and those of
/// TensorFlow, which look down and right alone, each with zeros around it.
/// </summary>
internal sealed class MobileEncoder : nn.Module<Tensor, Tensor>
{
    private static readonly (int Expansion, int Channels, int Repeats, int Stride)[] Settings =
        [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)];

    // The last block of each resolution, from a half to a thirty-second.
    private static readonly int[] Taps = [1, 3, 6, 13, 17];

    private readonly Sequential features;

    /// <summary>Channels of the maps of <see cref="Maps"/>, finest first.</summary>
    public static IReadOnlyList<int> Widths { get; } = [16, 24, 32, 96, 320];

    /// <summary>Makes the encoder with torch's default initial weights.</summary>
    public MobileEncoder() : base(nameof(MobileEncoder))
    {
        const int stem = 32;
        var blocks = new List<(string, nn.Module<Tensor, Tensor>)>
        {
            ("0", nn.Sequential(("0", nn.Conv2d(3, stem, 5, stride: 2, padding: 2)), ("2", nn.ReLU6()))),
        };
        var channels = stem;
        foreach (var (expansion, result, repeats, stride) in Settings)
            for (var i = 0; i < repeats; i++, channels = result)
                blocks.Add(($"{blocks.Count}", new InvertedResidual(channels, result, i == 0 ? stride : 1, expansion)));
        features = nn.Sequential(blocks);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => throw new NotSupportedException("A decoder needs all five maps.");

    /// <summary>The last map of every resolution, finest first; the caller disposes them.</summary>
    /// <param name="input">[B,3,H,W] in [-1,1].</param>
    public IReadOnlyList<Tensor> Maps(Tensor input)
    {
        using var scope = NewDisposeScope();
        var (x, k, maps) = (input, 0, new List<Tensor>());
        foreach (var block in features.children().Cast<nn.Module<Tensor, Tensor>>())
        {
            x = Run(block, x);
            if (Taps.Contains(k++)) maps.Add(x.MoveToOuterDisposeScope());
        }
        return maps;
    }

    /// <summary>
    /// Takes weights in torchvision's layout, or with normalisation folded as TensorFlow's converted files have it.
    /// </summary>
    /// <param name="file">The file.</param>
    /// <param name="prefix">What its keys begin with.</param>
    /// <param name="path">How to call it in an error.</param>
    /// <returns>The keys that were read.</returns>
    /// <exception cref="WeightsMismatchException">A tensor is missing or has another shape.</exception>
    public IReadOnlyCollection<string> Load(WeightsFile file, string prefix, string path)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var read = new MobileWeights(file, prefix, path);
        foreach (var (name, module) in named_modules())
            if (module is Conv2d convolution)
            {
                var (weight, bias) = read.Convolution(name, convolution);
                convolution.weight!.copy_(weight);
                convolution.bias!.copy_(bias);
            }
        return read.Keys;
    }
}

/// <summary>
/// Widens by a 1×1 convolution, convolves each channel alone, narrows again; added to its input where the shape stays.
/// </summary>
internal sealed class InvertedResidual : nn.Module<Tensor, Tensor>
{
    private readonly Sequential conv;
    private readonly bool _adds;

    public InvertedResidual(int channels, int result, int stride, int expansion) : base(nameof(InvertedResidual))
    {
        var wide = channels * expansion;
        var kernel = stride == 1 ? 3 : 5;
        var parts = new List<nn.Module<Tensor, Tensor>>();
        if (expansion > 1) parts.Add(nn.Sequential(("0", nn.Conv2d(channels, wide, 1)), ("2", nn.ReLU6())));
        parts.Add(nn.Sequential(
            ("0", nn.Conv2d(wide, wide, kernel, stride: stride, padding: kernel / 2, groups: wide)), ("2", nn.ReLU6())));
        parts.Add(nn.Conv2d(wide, result, 1));
        conv = nn.Sequential(parts.Select((p, i) => ($"{i}", p)).ToArray());
        _adds = stride == 1 && channels == result;
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = Run(conv, input);
        return (_adds ? Add(input, x) : x).MoveToOuterDisposeScope();
    }
}
