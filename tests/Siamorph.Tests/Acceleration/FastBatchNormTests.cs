using Siamorph.Acceleration;
using Siamorph.Weights;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Siamorph.Tests.Acceleration;

public class FastBatchNormTests
{
    [Theory]
    [InlineData(8, 16, 64, 64, true)]
    [InlineData(8, 128, 4, 4, true)]
    [InlineData(3, 8, 7, 5, true)]
    [InlineData(2, 24, 9, 11, false)]
    public void Forward_InTraining_IsLibtorchsWithGradientsAndStatistics(
        int batch, int channels, int height, int width, bool relu)
    {
        using var scope = NewDisposeScope();
        using var generator = new Seed(1).Generator();
        var (x, dy) = (Random(generator, batch, channels, height, width) * 3 + 5,
            Random(generator, batch, channels, height, width));
        using var norm = Norm(channels, generator);
        using var same = nn.BatchNorm2d(channels);
        StateDict.Apply(same, StateDict.Of(norm), "the other");
        same.to(ScalarType.Float64);
        var (mine, theirs) = (x.detach().requires_grad_(), x.detach().to(float64).requires_grad_());
        var y = FastBatchNorm.Forward(norm, mine, relu);
        var expected = relu ? nn.functional.relu(same.forward(theirs)) : same.forward(theirs);
        (y * dy).sum().backward();
        (expected * dy).sum().backward();
        (Tensor, Tensor)[] pairs = [(expected, y), (theirs.grad!, mine.grad!), (same.weight!.grad!, norm.weight!.grad!),
            (same.bias!.grad!, norm.bias!.grad!),
            (same.running_mean!, norm.running_mean!), (same.running_var!, norm.running_var!)];
        Assert.All(pairs, p => Assert.InRange(KernelComparison.RelativeError(p.Item2, p.Item1), 0, 5e-5));
        Assert.Equal(1, norm.num_batches_tracked!.item<long>());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Forward_InEvaluation_UsesTheRunningStatistics(bool relu)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var generator = new Seed(2).Generator();
        using var norm = Norm(16, generator);
        norm.running_mean!.uniform_(-1, 1, generator);
        norm.running_var!.uniform_(0.5, 2, generator);
        norm.eval();
        var x = Random(generator, 3, 16, 6, 6);
        Close(relu ? norm.forward(x).relu() : norm.forward(x), FastBatchNorm.Forward(norm, x, relu), 1e-5);
        Assert.Equal(0, norm.num_batches_tracked!.item<long>());
    }

    [Fact]
    public void Forward_WithSeveralThreads_GivesTheSameBits()
    {
        if (!KernelUse.IsOn) Assert.Skip("Kernels are off, or this processor has no AVX2.");
        using var scope = NewDisposeScope();
        using var generator = new Seed(3).Generator();
        var (x, dy) = (Random(generator, 8, 16, 32, 32), Random(generator, 8, 16, 32, 32));
        var results = new List<Tensor[]>();
        var before = get_num_threads();
        foreach (var threads in new[] { 1, 2 })
        {
            set_num_threads(threads);
            using var norm = Norm(16, new Seed(4).Generator());
            var input = x.detach().requires_grad_();
            var y = FastBatchNorm.Forward(norm, input, relu: true);
            (y * dy).sum().backward();
            results.Add([y, input.grad!, norm.weight!.grad!.clone(), norm.running_var!.clone()]);
        }
        set_num_threads(before);
        foreach (var (a, b) in results[0].Zip(results[1])) Assert.True(a.equal(b).all().item<bool>());
    }

    [Fact]
    public void Forward_PlaneByPlane_StaysWithLibtorch()
    {
        using var scope = NewDisposeScope();
        using var generator = new Seed(5).Generator();
        using var norm = Norm(8, generator);
        Assert.True(FastBatchNorm.Forward(norm, randn(2, 8, 5, 5), relu: true).is_contiguous());
    }

    private static BatchNorm2d Norm(int channels, Generator generator)
    {
        var norm = nn.BatchNorm2d(channels);
        using var noGrad = no_grad();
        norm.weight!.uniform_(-1.5, 1.5, generator);
        norm.bias!.uniform_(-1, 1, generator);
        return norm;
    }

    private static Tensor Random(Generator generator, long batch, long channels, long height, long width) =>
        randn([batch, height, width, channels], generator: generator).permute(0, 3, 1, 2);

    private static void Close(Tensor expected, Tensor actual, double tolerance) =>
        Assert.True((expected - actual).abs().max().item<float>() <= tolerance,
        $"off by {(expected - actual).abs().max().item<float>():g3}");
}
