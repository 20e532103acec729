using Siamorph.Acceleration;
using static TorchSharp.torch;

namespace Siamorph.Tests.Acceleration;

public class FastPatchMergeTests
{
    [Theory]
    [InlineData(2, 16, 12, 20, true)]
    [InlineData(3, 8, 2, 34, true)]
    [InlineData(1, 24, 40, 28, false)]
    [InlineData(1, 12, 8, 8, true)] // falls back
    public void ResultAndGradients_OfAnActivation_EqualLibtorch(int batch, int channels, int height, int width, bool taken)
    {
        using var scope = NewDisposeScope();
        List<Tensor> Run(ScalarType type, bool fast)
        {
            var norm = nn.LayerNorm(4 * channels, dtype: type);
            var reduction = nn.Linear(4 * channels, 2 * channels, dtype: type);
            var parameters = new[] { norm.weight!, norm.bias!, reduction.weight!, reduction.bias! };
            using (no_grad())
                for (var i = 0; i < parameters.Length; i++)
                    parameters[i].copy_(KernelComparison.Normal((ulong)i, parameters[i].shape));
            var x = KernelComparison.Normal(8, batch, channels, height, width).to(type).detach().requires_grad_();
            var y = fast
                ? FastPatchMerge.Forward(norm, reduction, new Activated(taken ? nn.functional.silu(x).detach() : null, x))
                : Plain(norm, reduction, nn.functional.silu(x));
            return [y.detach(), .. autograd.grad([y], [x, .. parameters], [KernelComparison.Normal(9, y.shape).to(type)])];
        }
        var (expected, actual) = (Run(float64, false), Run(float32, true));
        for (var i = 0; i < expected.Count; i++)
        {
            var error = KernelComparison.RelativeError(actual[i], expected[i]);
            Assert.True(error < 2e-5, $"part {i}: relative error {error:E1}");
        }
    }

    [Fact]
    public void WithoutGradients_TheResultIsTheSame_AndSoIsThatOfASampleAlone()
    {
        using var scope = NewDisposeScope();
        using var norm = nn.LayerNorm(64);
        using var reduction = nn.Linear(64, 32);
        var before = KernelComparison.Normal(1, 3, 16, 8, 8);
        var together = FastPatchMerge.Forward(norm, reduction, new(null, before.detach().requires_grad_()));
        using var quiet = no_grad();
        var alone = FastPatchMerge.Forward(norm, reduction, new(null, before.narrow(0, 1, 1)));
        Assert.Equal(together[1].data<float>().ToArray(), alone[0].data<float>().ToArray());
    }

    private static Tensor Plain(TorchSharp.Modules.LayerNorm norm, TorchSharp.Modules.Linear reduction, Tensor x)
    {
        Tensor Places(int row, int column) => x.slice(2, row, x.shape[2], 2).slice(3, column, x.shape[3], 2);
        var squares = cat([Places(0, 0), Places(1, 0), Places(0, 1), Places(1, 1)], 1).permute(0, 2, 3, 1);
        return reduction.call(norm.call(squares)).permute(0, 3, 1, 2);
    }
}
