using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Siamorph.Segmentation;

/// <summary>Draws torch's usual initial weights of convolutions, each from its own seed instead of the global generator.</summary>
internal static class InitialWeights
{
    /// <summary>Uniform in ±1/√(inputs of a unit), for weights and biases; batch normalisation stays at 1 and 0.</summary>
    public static void Draw(nn.Module network, Seed seed)
    {
        using var noGrad = no_grad();
        foreach (var (name, module) in network.named_modules())
        {
            (Tensor? weight, Tensor? bias) = module switch
            {
                Conv3x3 conv => (conv.Weight, (Tensor?)null),
                Conv2d conv => (conv.weight, conv.bias),
                ConvTranspose2d conv => (conv.weight, conv.bias),
                _ => (null, null),
            };
            if (weight is null) continue;
            var bound = 1 / Math.Sqrt(weight.shape[1..].Aggregate(1L, (a, b) => a * b));
            using var generator = seed.Derive(name).Generator();
            Fill(weight, bound, generator);
            if (bias is not null) Fill(bias, bound, generator);
        }
    }

    // Not nn.init.uniform_: it takes a generator and ignores it.
    private static void Fill(Tensor tensor, double bound, Generator generator)
    {
        using var scope = NewDisposeScope();
        tensor.copy_(rand(tensor.shape, generator: generator) * (2 * bound) - bound);
    }
}
