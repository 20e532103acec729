using Siamorph.Weights;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Siamorph.Segmentation.Networks;

/// <summary>Reads convolutions of a MobileNetV2 file, with their batch normalisation folded into them.</summary>
internal sealed class MobileWeights
{
    private const double Epsilon = 1e-5;
    private readonly WeightsFile _file;
    private readonly string _prefix, _path;
    private readonly bool _normalised;
    private readonly HashSet<string> _keys = [];

    public MobileWeights(WeightsFile file, string prefix, string path)
    {
        (_file, _prefix, _path) = (file, prefix, path);
        _normalised = file.Contains($"{prefix}features.0.1.running_mean");
    }

    /// <summary>What was read so far.</summary>
    public IReadOnlyCollection<string> Keys => _keys;

    /// <summary>Weight and bias of one convolution, in its own shape.</summary>
    /// <exception cref="WeightsMismatchException">A tensor is missing or has another shape.</exception>
    public (Tensor Weight, Tensor Bias) Convolution(string name, Conv2d convolution)
    {
        var own = convolution.weight!.shape;
        var weight = Read($"{name}.weight");
        var bias = _normalised ? null : Read($"{name}.bias");
        if (_normalised) (weight, bias) = Folded(weight, name);
        if (_normalised && own[1] == 3 && convolution.groups == 1) (weight, bias) = ForUnitRange(weight, bias!);
        if (convolution.stride[0] == 2) weight = Widened(weight);
        if (!weight.shape.SequenceEqual(own) || !bias!.shape.SequenceEqual(convolution.bias!.shape))
            throw Misfit($"of another shape {name}.weight");
        return (weight, bias);
    }

    private (Tensor, Tensor) Folded(Tensor weight, string name)
    {
        var norm = NormOf(name);
        var (scale, shift, mean, variance) = (Read($"{norm}.weight"), Read($"{norm}.bias"),
            Read($"{norm}.running_mean"), Read($"{norm}.running_var"));
        var factor = scale / (variance + Epsilon).sqrt();
        return (weight * factor.reshape(-1, 1, 1, 1), shift - mean * factor);
    }

    // features.0.0 → features.0.1, features.4.conv.1.0 → features.4.conv.1.1, features.4.conv.2 → features.4.conv.3.
    private static string NormOf(string name)
    {
        var dot = name.LastIndexOf('.');
        return $"{name[..dot]}.{int.Parse(name[(dot + 1)..], System.Globalization.CultureInfo.InvariantCulture) + 1}";
    }

    // torchvision's networks see (pixel − mean) / deviation of levels in [0,1]; this one sees [-1,1]. Zeros around the image
    // differ in meaning by that: a grey instead of the mean colour, on its outermost pixels.
    private static (Tensor, Tensor) ForUnitRange(Tensor weight, Tensor bias)
    {
        var factor = tensor(SegmentationNetwork.ImageNetFactor).reshape(1, 3, 1, 1);
        var shift = tensor(SegmentationNetwork.ImageNetShift).reshape(1, 3, 1, 1);
        return (weight * factor, bias + (weight * shift).sum([1, 2, 3]));
    }

    // Three rows and columns within five: centred as torchvision pads, or below and right of it as TensorFlow does.
    private Tensor Widened(Tensor weight) => _normalised
        ? nn.functional.pad(weight, [1, 1, 1, 1]) : nn.functional.pad(weight, [2, 0, 2, 0]);

    private Tensor Read(string key)
    {
        if (!_file.Contains(_prefix + key)) throw Misfit($"missing {key}");
        _keys.Add(_prefix + key);
        return _file.Read(_prefix + key).to_type(ScalarType.Float32);
    }

    private WeightsMismatchException Misfit(string fault) => new(
        $"{_path}: doesn't fit a MobileNetV2 of width 1: {fault}. Use weights in torchvision's layout, with batch normalisation "
            + $"or with it folded into biases.");
}
