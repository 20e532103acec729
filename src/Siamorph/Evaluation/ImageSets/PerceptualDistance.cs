using System.Globalization;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Siamorph.Evaluation.ImageSets;

/// <summary>The trunk that LPIPS looks through.</summary>
internal enum PerceptualTrunk
{
    /// <summary>AlexNet.</summary>
    Alex,

    /// <summary>VGG16.</summary>
    Vgg,

    /// <summary>SqueezeNet 1.1.</summary>
    Squeeze,
}

/// <summary>
/// LPIPS version 0.1 (Zhang et al., CVPR 2018): differences of normalised features after each stage of an ImageNet network,
/// weighted per channel. Trunk keys are torchvision's (features.k) or LPIPS' own (net.sliceN.k); linear keys linK.model.1.weight.
/// </summary>
internal sealed class PerceptualDistance : IDisposable
{
    private static readonly float[] Shift = [-.030f, -.088f, -.188f], Scale = [.458f, .448f, .450f];
    private static readonly int[][] VggStages = [[0, 2], [5, 7], [10, 12, 14], [17, 19, 21], [24, 26, 28]];
    private readonly NetworkWeights _trunk;
    private readonly Tensor[] _linear;
    private readonly float[] _shift = Shift, _scale = Scale;

    /// <summary>Puts trunk and linear weights together.</summary>
    /// <param name="trunk">Weights of the trunk; disposed with this object.</param>
    /// <param name="linear">Weights of the linear layers; may be the same object.</param>
    /// <exception cref="WeightsMismatchException">The trunk is unknown, or a tensor is missing.</exception>
    public PerceptualDistance(NetworkWeights trunk, NetworkWeights linear)
    {
        ArgumentNullException.ThrowIfNull(trunk);
        ArgumentNullException.ThrowIfNull(linear);
        (TrunkSource, LinearSource, TrunkHash) = (trunk.Source, linear.Source, trunk.Hash);
        _trunk = trunk.Renamed(Name);
        Trunk = _trunk.Has("features.3.squeeze.weight") ? PerceptualTrunk.Squeeze
            : _trunk.Has("features.28.weight") ? PerceptualTrunk.Vgg
            : _trunk.Has("features.10.weight") ? PerceptualTrunk.Alex
            : throw new WeightsMismatchException(
                $"{trunk.Source}: neither AlexNet, VGG16 nor SqueezeNet 1.1 has these keys. Use torchvision's weights.");
        if (_trunk.Has("scaling_layer.shift"))
            (_shift, _scale) = (_trunk["scaling_layer.shift"].data<float>().ToArray(),
                _trunk["scaling_layer.scale"].data<float>().ToArray());
        var prefix = Trunk.ToString().ToLowerInvariant() + ".";
        var stages = Trunk == PerceptualTrunk.Squeeze ? 7 : 5;
        string Key(int k) => string.Create(CultureInfo.InvariantCulture, $"lin{k}.model.1.weight");
        _linear = [.. Enumerable.Range(0, stages)
            .Select(k => linear[linear.Has(prefix + Key(k)) ? prefix + Key(k) : Key(k)].clone().DetachFromDisposeScope())];
    }

    /// <summary>Which trunk the file holds.</summary>
    public PerceptualTrunk Trunk { get; }

    /// <summary>Name of the trunk's file.</summary>
    public string TrunkSource { get; }

    /// <summary>SHA-256 of the trunk's file.</summary>
    public string TrunkHash { get; }

    /// <summary>Name of the linear layers' file.</summary>
    public string LinearSource { get; }

    /// <summary>Reads both files.</summary>
    /// <exception cref="WeightsFormatException">A file is missing or damaged.</exception>
    /// <exception cref="WeightsMismatchException">The trunk is unknown, or a tensor is missing.</exception>
    public static PerceptualDistance Load(string trunk, string linear)
    {
        using var second = NetworkWeights.Load(linear);
        return new(NetworkWeights.Load(trunk), second);
    }

    /// <summary>The distance of each pair of images.</summary>
    /// <param name="first">float32 [B,3,H,W] in [-1,1].</param>
    /// <param name="second">The same shape.</param>
    /// <returns>[B], 0 where the images are equal.</returns>
    public Tensor Distance(Tensor first, Tensor second)
    {
        using var scope = NewDisposeScope();
        return stack(Layers(first, second).Select(l => l.mean([1, 2, 3])).ToArray(), 0).sum(dim: 0).MoveToOuterDisposeScope();
    }

    /// <summary>The distance of each pixel, stages enlarged to the image's size (bilinear).</summary>
    /// <returns>[B,1,H,W].</returns>
    public Tensor Map(Tensor first, Tensor second)
    {
        ArgumentNullException.ThrowIfNull(first);
        using var scope = NewDisposeScope();
        long[] size = [first.shape[2], first.shape[3]];
        return Layers(first, second).Select(l => F.interpolate(l, size, mode: InterpolationMode.Bilinear, align_corners: false))
            .Aggregate((a, b) => a + b).MoveToOuterDisposeScope();
    }

    /// <summary>The stages' maps [B,1,h,w]; their spatial means add up to the distance.</summary>
    public IReadOnlyList<Tensor> Layers(Tensor first, Tensor second)
    {
        using var noGrad = no_grad();
        return [.. Stages(Scaled(first)).Zip(Stages(Scaled(second)), _linear).Select(s => Layer(s.First, s.Second, s.Third))];
    }

    /// <summary>One stage: squared difference of features normalised over channels, weighted; [B,1,h,w].</summary>
    public static Tensor Layer(Tensor first, Tensor second, Tensor? weights)
    {
        using var scope = NewDisposeScope();
        static Tensor Unit(Tensor x) => x / (x.square().sum(1, keepdim: true).sqrt() + 1e-10);
        var difference = (Unit(first) - Unit(second)).square();
        return (weights is null ? difference.sum(1, keepdim: true) : F.conv2d(difference, weights)).MoveToOuterDisposeScope();
    }

    /// <summary>The network's own scaling of images in [-1,1].</summary>
    internal Tensor Scaled(Tensor x) =>
        (x - tensor(_shift, device: x.device).reshape(1, 3, 1, 1)) / tensor(_scale, device: x.device).reshape(1, 3, 1, 1);

    internal List<Tensor> Stages(Tensor x) => Trunk switch
    {
        PerceptualTrunk.Alex => Alex(x),
        PerceptualTrunk.Vgg => Vgg(x),
        _ => Squeeze(x),
    };

    /// <summary>Where it runs.</summary>
    public Placement Place { get; private set; } = new(CPU, ScalarType.Float32);

    /// <summary>Moves the network.</summary>
    public void MoveTo(Placement place)
    {
        ArgumentNullException.ThrowIfNull(place);
        _trunk.MoveTo(place);
        for (var i = 0; i < _linear.Length; i++)
        {
            var moved = place.Put(_linear[i]);
            if (moved.Handle == _linear[i].Handle) continue;
            _linear[i].Dispose();
            _linear[i] = moved.DetachFromDisposeScope();
        }
        Place = place;
    }

    /// <summary>Frees the weights.</summary>
    public void Dispose()
    {
        _trunk.Dispose();
        foreach (var tensor in _linear) tensor.Dispose();
    }

    private List<Tensor> Alex(Tensor x)
    {
        var first = F.conv2d(x, _trunk["features.0.weight"], _trunk["features.0.bias"], strides: [4, 4], padding: [2, 2]).relu();
        var second = Conv(F.max_pool2d(first, 3, 2), "features.3");
        var third = Conv(F.max_pool2d(second, 3, 2), "features.6");
        var fourth = Conv(third, "features.8");
        return [first, second, third, fourth, Conv(fourth, "features.10")];
    }

    private List<Tensor> Vgg(Tensor x)
    {
        var stages = new List<Tensor>();
        foreach (var stage in VggStages)
        {
            if (stages.Count > 0) x = F.max_pool2d(x, 2, 2);
            foreach (var k in stage) x = Conv(x, $"features.{k}");
            stages.Add(x);
        }
        return stages;
    }

    private List<Tensor> Squeeze(Tensor x)
    {
        static Tensor Pool(Tensor t) => F.max_pool2d(t, 3, 2, ceil_mode: true);
        var first = _trunk.Conv(x, "features.0", stride: 2, same: false).relu();
        var second = Fire(Fire(Pool(first), 3), 4);
        var third = Fire(Fire(Pool(second), 6), 7);
        var fourth = Fire(Pool(third), 9);
        var fifth = Fire(fourth, 10);
        var sixth = Fire(fifth, 11);
        return [first, second, third, fourth, fifth, sixth, Fire(sixth, 12)];
    }

    private Tensor Fire(Tensor x, int k)
    {
        var narrow = Conv(x, $"features.{k}.squeeze");
        return cat([Conv(narrow, $"features.{k}.expand1x1"), Conv(narrow, $"features.{k}.expand3x3")], 1);
    }

    private Tensor Conv(Tensor x, string key) => _trunk.Conv(x, key).relu_();

    // net.slice2.3.weight and features.3.weight are the same tensor.
    private static string? Name(string key)
    {
        if (key.StartsWith("features.", StringComparison.Ordinal)
            || key.StartsWith("scaling_layer.", StringComparison.Ordinal)) return key;
        if (!key.StartsWith("net.slice", StringComparison.Ordinal)) return null;
        return "features." + key.Split('.', 3)[2];
    }
}
