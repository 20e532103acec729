using Siamorph.Acceleration;
using static TorchSharp.torch;

namespace Siamorph.Tests.Acceleration;

public class WorkersTests
{
    [Fact]
    public void EveryTask_RunsOnce()
    {
        var counts = new int[1000];
        Workers.For(counts.Length, i => Interlocked.Increment(ref counts[i]));
        Assert.All(counts, c => Assert.Equal(1, c));
    }

    [Fact]
    public void NestedCalls_RunToo()
    {
        var count = 0;
        Workers.For(4, _ => Workers.For(5, _ => Interlocked.Increment(ref count)));
        Assert.Equal(20, count);
    }

    [Fact]
    public void Exception_ReachesTheCaller() =>
        Assert.Throws<InvalidOperationException>(() =>
            Workers.For(8, i => { if (i == 5) throw new InvalidOperationException("five"); }));

    // oneDNN's gradient of the weights of a 1×1 convolution waits for all the threads that it was laid out for.
    [Fact]
    public void PartsOfNetworks_HaveOneThreadEach_AndTheirGradientsAreWhole()
    {
        using var scope = NewDisposeScope();
        using var generator = new Seed(2).Generator();
        Tensor x = randn([8, 64, 16, 16], generator: generator), weight = randn([64, 64, 1, 1], generator: generator);
        Tensor Gradient()
        {
            using var own = weight.detach().requires_grad_();
            nn.functional.conv2d(x, own).square().sum().backward();
            return own.grad!.DetachFromDisposeScope();
        }

        var threads = get_num_threads();
        try
        {
            set_num_threads(2);
            var (inside, within) = (new int[2], new Tensor[2]);
            Workers.Apart(2, i =>
            {
                inside[i] = get_num_threads();
                using var part = NewDisposeScope();
                within[i] = Gradient();
            });
            Assert.Equal([1, 1], inside);
            Assert.Equal(2, get_num_threads());
            using var alone = Gradient();
            foreach (var gradient in within)
            {
                Assert.InRange((gradient - alone).abs().max().item<float>(), 0, 1e-5f * alone.abs().max().item<float>());
                gradient.Dispose();
            }
        }
        finally
        {
            set_num_threads(threads);
        }
    }
}
