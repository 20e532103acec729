using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Siamorph.Segmentation.Networks;

/// <summary>
/// Draws initial weights, each from its own seed instead of the global generator: those of the authors in transformer
/// backbones, torch's usual ones elsewhere.
/// </summary>
internal static class InitialWeights
{
    /// <summary>
    /// Uniform in ±1/√(inputs of a unit), for weights and biases; normalisation stays at 1 and 0. In a transformer, linear
    /// layers are normal with deviation 0.02, convolutions with √(2 / outputs of a unit), biases 0. MobileNetV2, which has no
    /// normalisation here, is normal with √(2 / inputs of a unit), biases 0.
    /// </summary>
    public static void Draw(nn.Module network, Seed seed)
    {
        using var noGrad = no_grad();
        var owner = network as SegmentationNetwork;
        foreach (var (name, module) in network.named_modules())
        {
            (Tensor? weight, Tensor? bias) = module switch
            {
                Conv3x3 conv => (conv.Weight, (Tensor?)null),
                Conv2d conv => (conv.weight, conv.bias),
                ConvTranspose2d conv => (conv.weight, conv.bias),
                Conv1d conv => (conv.weight, conv.bias),
                Linear linear => (linear.weight, linear.bias),
                _ => (null, null),
            };
            if (weight is null) continue;
            var bound = 1 / Math.Sqrt(weight.shape[1..].Aggregate(1L, (a, b) => a * b));
            using var generator = seed.Derive(name).Generator();
            if (NormalDeviation(owner, name, module, weight) is { } deviation)
            {
                FillNormal(weight, deviation, generator);
                bias?.zero_();
                continue;
            }
            Fill(weight, bound, generator);
            if (bias is not null) Fill(bias, bound, generator);
        }
    }

    // Of backbones that are drawn from a normal distribution; null elsewhere.
    private static double? NormalDeviation(SegmentationNetwork? owner, string name, nn.Module module, Tensor weight)
    {
        if (owner?.Backbone is null || !name.StartsWith(owner.BackbonePrefix, StringComparison.Ordinal)) return null;
        return (owner.Backbone, module) switch
        {
            (PyramidTransformer, Conv2d conv) =>
                Math.Sqrt(2.0 * conv.groups / (conv.out_channels * conv.kernel_size.Aggregate(1L, (a, b) => a * b))),
            (PyramidTransformer, _) => 0.02,
            (MobileEncoder, _) => Math.Sqrt(2.0 / weight.shape[1..].Aggregate(1L, (a, b) => a * b)),
            _ => null,
        };
    }

    // Not nn.init.uniform_: it takes a generator and ignores it.
    private static void Fill(Tensor tensor, double bound, Generator generator)
    {
        using var scope = NewDisposeScope();
        tensor.copy_(rand(tensor.shape, generator: generator) * (2 * bound) - bound);
    }

    private static void FillNormal(Tensor tensor, double deviation, Generator generator)
    {
        using var scope = NewDisposeScope();
        tensor.copy_(randn(tensor.shape, generator: generator) * deviation);
    }
}
