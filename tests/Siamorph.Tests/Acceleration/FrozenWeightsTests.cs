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
        var x = KernelComparison.Normal(1, 1, 16, 16, 16);
        var handles = new HashSet<nint>();
        var seenAgain = 0;
        for (ulong i = 0; i < 3000 && seenAgain < 3; i++)
        {
            using var inner = NewDisposeScope();
            var weight = KernelComparison.Normal(i + 2, 16, 16, 3, 3);
            var fast = FastConvolution.Forward(x, weight, null);
            if (handles.Add(weight.Handle)) continue;
            seenAgain++;
            Assert.True(KernelComparison.RelativeError(fast, nn.functional.conv2d(x, weight, padding: [1, 1])) < 2e-5);
        }
        if (seenAgain == 0) Assert.Skip("No handle came twice here, so nothing was shown.");
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
