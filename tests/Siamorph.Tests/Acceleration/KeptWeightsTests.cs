using Siamorph.Acceleration;
using static TorchSharp.torch;

namespace Siamorph.Tests.Acceleration;

public class KeptWeightsTests
{
    [Theory]
    [InlineData(3, 4, 64, 3, 1, 9, 7)]
    [InlineData(2, 64, 4, 3, 1, 8, 8)]
    [InlineData(1, 32, 48, 3, 2, 9, 12)]
    [InlineData(2, 24, 20, 1, 1, 5, 5)]
    [InlineData(8, 64, 64, 3, 1, 4, 4)]
    [InlineData(2, 32, 32, 3, 1, 16, 12)] // by Winograd
    public void Result_EqualsLibtorch(int batch, int channels, int outChannels, int size, int stride, int height, int width)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var convolution = nn.Conv2d(channels, outChannels, size, stride: stride, padding: size / 2);
        convolution.weight!.copy_(KernelComparison.Normal(1, convolution.weight.shape) / Math.Sqrt(size * size * channels));
        convolution.bias!.copy_(KernelComparison.Normal(2, outChannels));
        var x = KernelComparison.Normal(3, batch, channels, height, width);
        var plain = convolution.call(x);
        var (shift, addend) = (KernelComparison.Normal(4, batch, outChannels), KernelComparison.Normal(5, plain.shape));
        var expected = plain + shift.unsqueeze(2).unsqueeze(3) + addend;
        using var weights = new FrozenWeights();
        using var use = weights.Use();
        for (var again = 0; again < 2; again++)
        {
            Assert.True(KernelComparison.RelativeError(FastConvolution.Forward(convolution, x), plain) < 1e-5);
            Assert.True(KernelComparison.RelativeError(FastConvolution.Forward(convolution, x, shift, addend), expected) < 1e-5);
        }
    }
}
