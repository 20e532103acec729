using Siamorph.Acceleration;
using static TorchSharp.torch;

namespace Siamorph.Tests.Acceleration;

public class FastGroupNormTests
{
    [Theory]
    [InlineData(2, 64, 9, 7, true)]
    [InlineData(1, 32, 5, 33, false)]
    [InlineData(3, 96, 1, 1, true)]
    [InlineData(1, 128, 16, 16, true)]
    public void ResultAndGradients_EqualLibtorch(int batch, int channels, int height, int width, bool silu)
    {
        using var scope = NewDisposeScope();
        using var norm = nn.GroupNorm(32, channels);
        using var exact = nn.GroupNorm(32, channels, dtype: float64);
        var (weight, bias) = (KernelComparison.Normal(4, channels), KernelComparison.Normal(5, channels));
        List<Tensor> Run(TorchSharp.Modules.GroupNorm module, ScalarType type, Func<Tensor, Tensor> forward)
        {
            using (no_grad())
            {
                module.weight!.copy_(weight);
                module.bias!.copy_(bias);
            }
            var x = (KernelComparison.Normal(6, batch, channels, height, width) * 2 + 3).to(type).detach().requires_grad_();
            var y = forward(x);
            var gradients = autograd.grad([y], [x, module.weight!, module.bias!], [KernelComparison.Normal(7, y.shape).to(type)]);
            return [y.detach(), .. gradients];
        }
        var expected = Run(exact, float64, x => silu ? nn.functional.silu(exact.call(x)) : exact.call(x));
        var actual = Run(norm, float32, x => FastGroupNorm.Forward(norm, x, silu));
        // A group of one pixel and three channels divides by small deviations.
        for (var i = 0; i < expected.Count; i++)
            Assert.True(KernelComparison.RelativeError(actual[i], expected[i]) < 2e-5, $"part {i}");
    }

    [Fact]
    public void LargeMean_KeepsItsDigits()
    {
        using var scope = NewDisposeScope();
        using var norm = nn.GroupNorm(32, 64);
        var x = KernelComparison.Normal(8, 1, 64, 16, 16) + 1000;
        using var exact = nn.GroupNorm(32, 64, dtype: float64);
        using (no_grad())
        {
            foreach (var module in new[] { norm, exact })
            {
                module.weight!.fill_(1);
                module.bias!.fill_(0);
            }
        }
        var expected = exact.call(x.to(float64));
        var error = KernelComparison.RelativeError(FastGroupNorm.Forward(norm, x, silu: false), expected);
        Assert.True(error < 2e-4, $"relative error {error:E1}");
    }
}
