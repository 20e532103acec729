using Siamorph.Acceleration;

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
}
