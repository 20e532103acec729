using Siamorph.Acceleration;
using TorchSharp;
using static TorchSharp.torch;

namespace Siamorph.Tests.Acceleration;

public class DifferentiableTests
{
    private const int Operations = 6;

    public DifferentiableTests()
    {
        if (!KernelUse.IsOn) Assert.Skip("Kernels are off, or this processor has no AVX2.");
    }

    [Fact]
    public void BackwardPass_LetsGoOfTheMapsThatWereKept_WhileTheGraphIsThere()
    {
        using var scope = NewDisposeScope();
        using var layer = nn.Conv2d(16, 16, 3, padding: 1);
        var x = KernelComparison.Normal(1, 3, 16, 79, 83).requires_grad_(); // of a size that no other test asks for
        var y = Chain(x, t => FastConvolution.Forward(layer, t));
        Assert.Equal(0, MapPool.Waiting(x.numel())); // each is the next one's input
        autograd.backward([y], [ones_like(y)]);
        Assert.InRange(MapPool.Waiting(x.numel()), Operations - 1, 2 * Operations);
        Assert.True(y.requires_grad); // and so the graph is
    }

    [Fact]
    public void BackwardPass_LeavesNoHandlesBehind_ButThoseOfTheLastOperation()
    {
        using var scope = NewDisposeScope();
        using var norm = nn.GroupNorm(4, 16);
        var x = KernelComparison.Normal(1, 3, 16, 9, 9).requires_grad_();
        var y = Chain(x, t => FastGroupNorm.Forward(norm, t, silu: true));
        var gradient = ones_like(y);
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        autograd.backward([y], [gradient]);
        Assert.InRange(DisposeScopeManager.Statistics.ThreadTotalLiveCount - before, 0, 3); // of an image, a weight and a bias
    }

    private static Tensor Chain(Tensor x, Func<Tensor, Tensor> operation)
    {
        var y = operation(x);
        for (var i = 1; i < Operations; i++)
        {
            var next = operation(y);
            y.Dispose();
            y = next;
        }
        return y;
    }
}
