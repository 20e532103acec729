using Siamorph.Cli;

namespace Siamorph.Tests.Cli;

public sealed class DemoCommandTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(4, 4)]
    [InlineData(5, 5)]
    [InlineData(6, 6)]
    [InlineData(8, 4)]
    [InlineData(10, 5)]
    [InlineData(12, 6)]
    [InlineData(16, 4)]
    [InlineData(64, 4)]
    public void Processes_ShareTheCoresEvenly(int cores, int processes)
    {
        Assert.Equal(processes, DemoCommand.Processes(cores));
        Assert.Equal(cores, processes * (cores / processes));
    }

    [Theory]
    [InlineData(7)]
    [InlineData(11)]
    [InlineData(23)]
    public void Processes_LeaveNoMoreCoresIdleThanTheyMust(int cores)
        => Assert.InRange(cores % DemoCommand.Processes(cores), 0, Enumerable.Range(4, 3).Min(n => cores % n));
}
