using Siamorph.Acceleration;
using TorchSharp;
using static TorchSharp.torch;

namespace Siamorph.Tests.Acceleration;

/// <summary>
/// Layers of every kind give libtorch's own result: by a kernel where one was written for them, by libtorch elsewhere.
/// </summary>
public class ConvolutionLayerTests
{
    public static TheoryData<int, int, int, int, int, PaddingModes> Layers()
    {
        var all = new TheoryData<int, int, int, int, int, PaddingModes>();
        foreach (var size in new[] { 1, 2, 3, 5 })
            foreach (var padding in new[] { 0, 1, 2 })
                foreach (var (stride, dilation, groups) in new[] { (1, 1, 1), (2, 1, 1), (1, 2, 1), (1, 1, 2), (1, 1, 16),
                    (3, 2, 4) })
                    foreach (var mode in padding == 1 && stride == 1
                    ? new[] { PaddingModes.Zeros, PaddingModes.Reflect, PaddingModes.Circular } : [PaddingModes.Zeros])
                        all.Add(size, padding, stride, dilation, groups, mode);
        return all;
    }

    [Theory]
    [MemberData(nameof(Layers))]
    public void Forward_EqualsTheLayerItself(int size, int padding, int stride, int dilation, int groups, PaddingModes mode)
    {
        using var scope = NewDisposeScope();
        using var layer = nn.Conv2d(16, 16, size, stride: stride, padding: padding, dilation: dilation, groups: groups,
            padding_mode: mode);
        foreach (var x in Inputs(16))
        {
            using (no_grad()) Compare(layer, x);
            Compare(layer, x.clone().requires_grad_()); // with gradients other paths are taken
            using var weights = new FrozenWeights();
            using var use = weights.Use();
            using (no_grad()) Compare(layer, x);
        }
    }

    [Fact]
    public void PaddingByName_IsUnderstood()
    {
        using var scope = NewDisposeScope();
        foreach (var (size, padding) in new[] { (3, Padding.Same), (3, Padding.Valid), (5, Padding.Same), (2, Padding.Same) })
        {
            using var layer = nn.Conv2d(16, 16, size, padding: padding);
            using var weights = new FrozenWeights();
            using var use = weights.Use();
            using (no_grad()) foreach (var x in Inputs(16)) Compare(layer, x);
        }
    }

    [Theory]
    [InlineData(ScalarType.Float64)]
    [InlineData(ScalarType.BFloat16)]
    public void OtherTypes_GoToLibtorch(ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var layer = nn.Conv2d(16, 16, 3, padding: 1, dtype: type);
        Compare(layer, KernelComparison.Normal(1, 2, 16, 12, 12).to(type));
    }

    [Fact]
    public void BiasAndAddend_OfAnotherKind_AreNotReadByTheirAddress()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var (x, weight) = (KernelComparison.Normal(1, 2, 16, 12, 12), KernelComparison.Normal(2, 16, 16, 3, 3));
        var strided = KernelComparison.Normal(3, 32)[TensorIndex.Slice(null, null, 2)];
        Near(nn.functional.conv2d(x, weight, strided, padding: [1, 1]), FastConvolution.Forward(x, weight, strided));
        Assert.ThrowsAny<Exception>(() => FastConvolution.Forward(x, weight, KernelComparison.Normal(4, 8)));

        using var layer = nn.Conv2d(16, 16, 3, padding: 1);
        foreach (var frozen in new[] { false, true })
        {
            using var weights = new FrozenWeights();
            using var use = frozen ? weights.Use() : null;
            var row = KernelComparison.Normal(5, 1, 16, 1, 1); // one number a channel instead of an image
            Near(layer.call(x) + row, FastConvolution.Forward(layer, x, addend: row));
            var sample = KernelComparison.Normal(6, 1, 16); // one shift for all samples
            Near(layer.call(x) + sample.unsqueeze(2).unsqueeze(3), FastConvolution.Forward(layer, x, sample));
            var turned = KernelComparison.Normal(7, 12, 12, 16, 2).permute(3, 2, 1, 0);
            Near(layer.call(x) + turned, FastConvolution.Forward(layer, x, addend: turned));
            Assert.ThrowsAny<Exception>(() => FastConvolution.Forward(layer, x, addend: KernelComparison.Normal(8, 2, 16, 6, 6)));
        }
    }

    [Fact]
    public void Residual_OfOtherLayers_IsTheOrdinaryOne()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var x = KernelComparison.Normal(1, 2, 16, 16, 16);
        foreach (var (dilation, padding) in new[] { (1, 1), (2, 2) })
        {
            using var first = nn.Conv2d(16, 16, 3, padding: padding, dilation: dilation);
            using var second = nn.Conv2d(16, 16, 3, padding: padding, dilation: dilation);
            Near(nn.functional.silu(second.call(nn.functional.silu(first.call(x))) + x),
                FastResidual.Forward(first, second, x).ToTensor());
        }
    }

    [Fact]
    public void Norm_WithWeightsOfAnotherKind_IsTheOrdinaryOne()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var norm = nn.GroupNorm(4, 16, dtype: ScalarType.Float64);
        var x = KernelComparison.Normal(1, 2, 16, 8, 8);
        Assert.ThrowsAny<Exception>(() => FastGroupNorm.Forward(norm, x, silu: false)); // as libtorch: the types differ
        Near(norm.call(x.to(ScalarType.Float64)), FastGroupNorm.Forward(norm, x.to(ScalarType.Float64), silu: false));
    }

    [Fact]
    public void Attention_OfKeysOfAnotherBatch_IsRefused()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var q = KernelComparison.Normal(1, 4, 9, 16);
        Assert.ThrowsAny<Exception>(() =>
            FastAttention.Forward(q, KernelComparison.Normal(2, 3, 9, 16), KernelComparison.Normal(3, 3, 9, 16), 2));
        Assert.ThrowsAny<Exception>(() =>
            FastAttention.Forward(q, KernelComparison.Normal(2, 4, 9, 16), KernelComparison.Normal(3, 4, 5, 16), 2));
    }

    private static Tensor[] Inputs(int channels) =>
    [
        KernelComparison.Normal(1, 1, channels, 17, 20),
        KernelComparison.Normal(2, 3, 9, 16, channels).permute(0, 3, 1, 2),
        KernelComparison.Normal(3, 40, 21, channels, 2).permute(3, 2, 1, 0)[TensorIndex.Ellipsis,
            TensorIndex.Slice(null, null, 2)],
    ];

    private static void Compare(TorchSharp.Modules.Conv2d layer, Tensor x) =>
        Near(layer.call(x), FastConvolution.Forward(layer, x));

    private static void Near(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.shape, actual.shape);
        Assert.True(KernelComparison.RelativeError(actual.detach(), expected.detach()) < 2e-5);
    }
}
