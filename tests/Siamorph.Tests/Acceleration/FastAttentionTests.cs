using Siamorph.Acceleration;
using static TorchSharp.torch;

namespace Siamorph.Tests.Acceleration;

public class FastAttentionTests
{
    private static Tensor Reference(Tensor[] t, int heads)
    {
        Tensor Split(Tensor x) => x.view(x.shape[0], x.shape[1], heads, -1).transpose(1, 2);
        return nn.functional.scaled_dot_product_attention(Split(t[0]), Split(t[1]), Split(t[2])).transpose(1,
            2).reshape(t[0].shape);
    }

    private static Tensor[] Inputs(int batch, int queries, int keys, int channels) =>
    [
        KernelComparison.Normal(1, batch, queries, channels),
        KernelComparison.Normal(2, batch, keys, channels),
        KernelComparison.Normal(3, batch, keys, channels),
    ];

    [Theory]
    [InlineData(2, 100, 37, 3, 16)]
    [InlineData(1, 1, 1, 2, 8)]
    [InlineData(1, 300, 300, 2, 8)]
    [InlineData(2, 33, 517, 2, 8)]
    [InlineData(1, 40, 300, 2, 16)]
    [InlineData(3, 5, 77, 2, 32)]
    [InlineData(2, 64, 513, 1, 40)]
    [InlineData(1, 49, 7, 2, 4)]    // falls back
    [InlineData(1, 20, 20, 1, 80)]  // falls back
    public void ResultAndGradients_EqualLibtorch(int batch, int queries, int keys, int heads, int width)
    {
        using var scope = NewDisposeScope();
        KernelComparison.AssertAgrees(t => FastAttention.Forward(t[0], t[1], t[2], heads), t => Reference(t, heads), 1e-5,
            Inputs(batch, queries, keys, heads * width));
    }

    [Fact]
    public void LargeScores_DoNotOverflow()
    {
        using var scope = NewDisposeScope();
        var inputs = Inputs(1, 30, 30, 16).Select(t => t * 100).ToArray();
        var y = FastAttention.Forward(inputs[0], inputs[1], inputs[2], 2);
        Assert.True(KernelComparison.RelativeError(y, Reference([.. inputs.Select(t => t.to(float64))], 2)) < 1e-4);
    }

    [Fact]
    public void NotANumber_StaysInItsQuery()
    {
        using var scope = NewDisposeScope();
        var inputs = Inputs(1, 30, 30, 8);
        inputs[0][0, 4] = float.NaN;
        var y = FastAttention.Forward(inputs[0], inputs[1], inputs[2], 1);
        Assert.True(y[0, 4].isnan().all().item<bool>());
        Assert.False(y[0, 5].isnan().any().item<bool>());
    }

    [Fact]
    public void Sample_DoesNotDependOnItsBatch()
    {
        using var scope = NewDisposeScope();
        var inputs = Inputs(3, 50, 50, 16);
        var together = FastAttention.Forward(inputs[0], inputs[1], inputs[2], 2);
        var alone = FastAttention.Forward(inputs[0].narrow(0, 1, 1), inputs[1].narrow(0, 1, 1), inputs[2].narrow(0, 1, 1), 2);
        Assert.Equal(together.narrow(0, 1, 1).data<float>().ToArray(), alone.data<float>().ToArray());
    }
}
