using Siamorph.Acceleration;
using static TorchSharp.torch;

namespace Siamorph.Tests.Acceleration;

public class FrozenWeightsTests
{
    public FrozenWeightsTests()
    {
        if (!KernelUse.IsOn) Assert.Skip("Kernels are off, or this processor has no AVX2.");
    }

    [Fact]
    public void WeightAtTheAddressOfAnEarlierOne_IsNotTakenForIt()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var weights = new FrozenWeights();
        using var use = weights.Use();
        var x = KernelComparison.Normal(1, 2, 16, 16, 16);
        var handles = new HashSet<nint>();
        var seenAgain = 0;
        for (ulong i = 0; i < 200; i++)
        {
            using var weight = KernelComparison.Normal(i + 2, 16, 16, 3, 3);
            if (!handles.Add(weight.Handle)) seenAgain++;
            using var fast = FastConvolution.Forward(x, weight, null);
            using var ordinary = nn.functional.conv2d(x, weight, padding: [1, 1]);
            Assert.True(KernelComparison.RelativeError(fast, ordinary) < 2e-5);
        }
        Assert.True(seenAgain > 0, "No handle came twice: the test shows nothing.");
    }

    [Fact]
    public void WeightChangedInPlace_IsSeen()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var weights = new FrozenWeights();
        using var use = weights.Use();
        foreach (var size in new[] { 1, 3 })
        {
            using var layer = nn.Conv2d(16, 16, size, padding: size / 2, stride: size == 1 ? 1 : 2);
            var x = KernelComparison.Normal(1, 2, 16, 16, 16);
            for (ulong i = 0; i < 3; i++)
            {
                layer.weight!.copy_(KernelComparison.Normal(i + 2, layer.weight.shape));
                Assert.True(KernelComparison.RelativeError(FastConvolution.Forward(layer, x), layer.call(x)) < 2e-5);
            }
        }
    }
}
