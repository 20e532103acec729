using Siamorph.Acceleration;
using static TorchSharp.torch;

namespace Siamorph.Tests.Acceleration;

public class FastResidualTests
{
    [Theory]
    [InlineData(2, 16, 33, 30)]
    [InlineData(1, 24, 40, 28)]
    [InlineData(1, 12, 9, 9)] // falls back
    public void ResultAndGradients_EqualLibtorch(int batch, int channels, int height, int width)
    {
        using var scope = NewDisposeScope();
        List<Tensor> Run(ScalarType type, bool fast)
        {
            var (first, second) = (nn.Conv2d(channels, channels, 3, padding: 1, dtype: type),
                nn.Conv2d(channels, channels, 3, padding: 1, dtype: type));
            var parameters = new[] { first.weight!, first.bias!, second.weight!, second.bias! };
            using (no_grad())
                for (var i = 0; i < parameters.Length; i++)
                    parameters[i].copy_(KernelComparison.Normal((ulong)i, parameters[i].shape) / Math.Sqrt(9 * channels));
            var x = KernelComparison.Normal(8, batch, channels, height, width).to(type).detach().requires_grad_();
            var y = fast ? FastResidual.Forward(first, second, x).ToTensor()
                : nn.functional.silu(second.call(nn.functional.silu(first.call(x))) + x);
            return [y.detach(), .. autograd.grad([y], [x, .. parameters], [KernelComparison.Normal(9, y.shape).to(type)])];
        }
        var (expected, actual) = (Run(float64, false), Run(float32, true));
        for (var i = 0; i < expected.Count; i++)
        {
            var error = KernelComparison.RelativeError(actual[i], expected[i]);
            Assert.True(error < 5e-5, $"part {i}: relative error {error:E1}");
        }
    }
}
