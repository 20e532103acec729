using Siamorph.Acceleration;
using Siamorph.Models;
using static TorchSharp.torch;

namespace Siamorph.Tests.Acceleration;

public class FastTransformerTests
{
    private static TransformerBlock Block(int channels, int heads, int contextWidth)
    {
        var block = new TransformerBlock(channels, heads, contextWidth);
        using var noGrad = no_grad();
        var seed = 10UL;
        foreach (var (name, parameter) in block.named_parameters())
            using (var noise = KernelComparison.Normal(seed++, parameter.shape))
                parameter.copy_(name.StartsWith("norm", StringComparison.Ordinal) ? noise * 0.2 + 1
                    : noise / Math.Sqrt(parameter.shape[^1]));
        return block;
    }

    [Theory]
    [InlineData(2, 50, 64, 8, 77, 64, 1)]
    [InlineData(1, 7, 32, 2, 3, 24, 2)]
    [InlineData(3, 100, 128, 8, 1, 48, 2)]
    [InlineData(1, 16, 48, 4, 5, 8, 1)] // heads of 12: attention falls back
    public void FrozenBlock_EqualsOrdinaryBlock(
        int batch, int tokens, int channels, int heads, int length, int contextWidth, int prompts)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var block = Block(channels, heads, contextWidth);
        var x = KernelComparison.Normal(1, batch, tokens, channels);
        var context = KernelComparison.Normal(2, prompts * batch, length, contextWidth);
        var expected = block.Forward(cat([.. Enumerable.Repeat(x, prompts)]), context);
        using var weights = new FrozenWeights();
        using var use = weights.Use();
        Assert.True(KernelComparison.RelativeError(block.Forward(x, context), expected) < 5e-6);
    }

    [Fact]
    public void Sample_DoesNotDependOnItsBatch()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var block = Block(64, 8, 64);
        using var weights = new FrozenWeights();
        using var use = weights.Use();
        var (x, context) = (KernelComparison.Normal(1, 3, 37, 64), KernelComparison.Normal(2, 3, 9, 64));
        var together = block.Forward(x, context).narrow(0, 2, 1);
        var alone = block.Forward(x.narrow(0, 2, 1), context.narrow(0, 2, 1));
        Assert.True((together - alone).abs().max().item<float>() < 1e-5);
    }
}
