using Siamorph.Acceleration;
using TorchSharp;
using static TorchSharp.torch;

namespace Siamorph.Tests.Acceleration;

public class FastConvolutionTests
{
    public FastConvolutionTests()
    {
        if (!KernelUse.IsOn) Assert.Skip("Kernels are off, or this processor has no AVX2.");
    }

    private const double Tolerance = 5e-5;

    private static Tensor Reference(Tensor[] t) => nn.functional.conv2d(t[0], t[1], t[2], padding: [1, 1]);

    private static Tensor Fast(Tensor[] t) => FastConvolution.Forward(t[0], t[1], t[2]);

    private static Tensor[] Inputs(int batch, int height, int width, int channels, int outChannels) =>
    [
        KernelComparison.Normal(1, batch, channels, height, width),
        KernelComparison.Normal(2, outChannels, channels, 3, 3) / Math.Sqrt(9 * channels),
        KernelComparison.Normal(3, outChannels),
    ];

    [Theory]
    [InlineData(1, 32, 32, 16, 16)]
    [InlineData(1, 29, 35, 8, 24)]
    [InlineData(3, 13, 17, 24, 40)]
    [InlineData(5, 16, 12, 40, 8)]
    [InlineData(60, 1, 1, 8, 8)]
    [InlineData(2, 1, 150, 16, 8)]
    [InlineData(2, 64, 64, 32, 64)]
    [InlineData(16, 8, 8, 128, 64)]
    [InlineData(5, 64, 61, 16, 32)] // weight gradients in parts
    [InlineData(2, 127, 130, 8, 24)]
    public void ResultAndGradients_EqualLibtorch(int batch, int height, int width, int channels, int outChannels)
    {
        using var scope = NewDisposeScope();
        var inputs = Inputs(batch, height, width, channels, outChannels);
        Assert.True(FastConvolution.Applies(inputs[0], inputs[1]));
        KernelComparison.AssertAgrees(Fast, Reference, Tolerance, inputs);
    }

    [Theory]
    [InlineData(5, 64, 61, 16, 32)]
    [InlineData(2, 40, 40, 96, 96)]
    public void WeightGradient_IsTheSameToTheBit_ForAnyNumberOfThreads(int batch, int height, int width, int channels, int outs)
    {
        using var scope = NewDisposeScope();
        var (x, dy) = (KernelComparison.Normal(1, batch, height, width, channels),
            KernelComparison.Normal(2, batch, height, width, outs));
        var before = get_num_threads();
        float[] Of(int threads)
        {
            set_num_threads(threads);
            return FastConvolution.WeightGradient(x, dy).data<float>().ToArray();
        }
        try
        {
            Assert.Equal(Of(1), Of(2));
        }
        finally
        {
            set_num_threads(before);
        }
    }

    // The result is larger than a cache, and so written past it.
    [Fact]
    public void LargeMaps_EqualLibtorch()
    {
        using var scope = NewDisposeScope();
        var inputs = Inputs(1, 259, 258, 32, 32);
        KernelComparison.AssertAgrees(Fast, Reference, Tolerance, inputs);
    }

    [Theory]
    [InlineData(2, 8, 8, 3, 16)]   // channels that fill no vector
    [InlineData(4, 8, 8, 16, 4)]
    [InlineData(1, 4, 4, 16, 16)]  // too few tiles
    public void OtherShapes_FallBack(int batch, int height, int width, int channels, int outChannels)
    {
        using var scope = NewDisposeScope();
        var inputs = Inputs(batch, height, width, channels, outChannels);
        Assert.False(FastConvolution.Applies(inputs[0], inputs[1]));
        KernelComparison.AssertAgrees(Fast, Reference, Tolerance, inputs);
    }

    [Theory]
    [InlineData(2, 32, 32, 3, 16)]
    [InlineData(1, 29, 35, 2, 8)]
    public void Pictures_OfFewChannels_AreFilledUp(int batch, int height, int width, int channels, int outChannels)
    {
        using var scope = NewDisposeScope();
        var inputs = Inputs(batch, height, width, channels, outChannels);
        var (picture, exact) = (inputs[0], inputs[0].to(float64));
        KernelComparison.AssertAgrees(
            t => FastConvolution.Forward(picture, t[0], t[1]), t =>
                nn.functional.conv2d(exact, t[0], t[1], padding: [1, 1]), Tolerance, inputs[1], inputs[2]);
    }

    [Fact]
    public void NoBias_IsZeroBias()
    {
        using var scope = NewDisposeScope();
        var inputs = Inputs(1, 32, 32, 16, 16);
        float[] Run(Tensor? bias) => FastConvolution.Forward(inputs[0], inputs[1], bias).contiguous().data<float>().ToArray();
        Assert.Equal(Run(zeros(16)), Run(null));
    }

    [Fact]
    public void Sample_DoesNotDependOnItsBatch()
    {
        using var scope = NewDisposeScope();
        var inputs = Inputs(5, 36, 30, 24, 16);
        var together = Fast(inputs);
        var alone = FastConvolution.Forward(inputs[0].narrow(0, 3, 1), inputs[1], inputs[2]);
        Assert.Equal(together.narrow(0, 3, 1).contiguous().data<float>().ToArray(), alone.contiguous().data<float>().ToArray());
    }

    [Fact]
    public void Result_DoesNotDependOnThreads()
    {
        using var scope = NewDisposeScope();
        var inputs = Inputs(3, 40, 40, 24, 32);
        var before = get_num_threads();
        List<float[]> Run(int threads)
        {
            set_num_threads(threads);
            return [.. KernelComparison.ResultAndGradients(Fast, float32, inputs)
                .Select(t => t.contiguous().data<float>().ToArray())];
        }
        try
        {
            var (one, two) = (Run(1), Run(2));
            for (var i = 0; i < one.Count; i++) Assert.Equal(one[i], two[i]);
        }
        finally
        {
            set_num_threads(before);
        }
    }

    [Fact]
    public void NotANumber_StaysNearItsPixel()
    {
        using var scope = NewDisposeScope();
        var inputs = Inputs(1, 40, 40, 8, 8);
        inputs[0][0, 0, 0, 0] = float.NaN;
        var y = Fast(inputs);
        Assert.True(y[0, 0, 1, 1].isnan().item<bool>());
        Assert.False(y[0, 0, 20, 20].isnan().item<bool>());
    }

    [Fact]
    public void ConstantWeights_GetNoGradient()
    {
        using var scope = NewDisposeScope();
        var inputs = Inputs(1, 32, 32, 16, 16).Select(t => t.detach().requires_grad_()).ToArray();
        using (FastConvolution.ConstantWeights()) Fast(inputs).sum().backward();
        Assert.NotNull(inputs[0].grad);
        Assert.Null(inputs[1].grad);
        Assert.Null(inputs[2].grad);
    }

    [Fact]
    public async Task Calls_FromManyThreads_DoNotDisturbEachOther()
    {
        float[] Run(ulong seed)
        {
            using var scope = NewDisposeScope();
            var x = KernelComparison.Normal(seed, 1, 16, 32, 32);
            var w = KernelComparison.Normal(seed + 1, 16, 16, 3, 3);
            return FastConvolution.Forward(x, w, null).contiguous().data<float>().ToArray();
        }
        var expected = Enumerable.Range(0, 4).Select(i => Run((ulong)i)).ToList();
        var actual = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => Task.Run(() => Run((ulong)i))));
        for (var i = 0; i < 4; i++) Assert.Equal(expected[i], actual[i]);
    }

    [Fact]
    public void Forward_LeavesNoTensorBehind()
    {
        using var outer = NewDisposeScope();
        var inputs = Inputs(1, 32, 32, 16, 16);
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        using (no_grad())
        using (NewDisposeScope()) _ = Fast(inputs);
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }
}
