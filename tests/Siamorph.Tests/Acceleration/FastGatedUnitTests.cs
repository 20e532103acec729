using Siamorph.Acceleration;
using static TorchSharp.torch;

namespace Siamorph.Tests.Acceleration;

public class FastGatedUnitTests
{
    private static Tensor Reference(Tensor x)
    {
        var halves = x.chunk(2, dim: -1);
        return halves[0] * nn.functional.gelu(halves[1]);
    }

    [Theory]
    [InlineData(3, 70, 16)]
    [InlineData(1, 1, 48)]
    [InlineData(2, 5, 10)] // falls back
    public void ResultAndGradients_EqualLibtorch(int batch, int rows, int columns)
    {
        using var scope = NewDisposeScope();
        KernelComparison.AssertAgrees(t => FastGatedUnit.Forward(t[0]), t => Reference(t[0]), 2e-6,
            KernelComparison.Normal(1, batch, rows, columns) * 2);
    }
}
