using Siamorph.Cli;



namespace Siamorph.Tests.Cli;

/// <summary>Progress on terminals of every width; a hang would fail by its time limit.</summary>
public sealed class ConsoleMonitorTests : IDisposable
{
    private const int Milliseconds = 20_000;
    private readonly StringWriter _error = new();

    public void Dispose() => _error.Dispose();

    [Theory(Timeout = Milliseconds)]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(10)]
    [InlineData(39)]
    public async Task NarrowTerminal_GetsPlainLines(int columns)
    {
        await Task.Run(() =>
        {
            using var monitor = new ConsoleMonitor(_error, () => columns, CancellationToken.None);
            Assert.False(monitor.DrawsBars);
            Work(monitor);
        }, TestContext.Current.CancellationToken);
        Assert.Contains("Training: 100/100", _error.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("\u001b[", _error.ToString(), StringComparison.Ordinal);
    }

    [Theory(Timeout = Milliseconds)]
    [InlineData(40)]
    [InlineData(200)]
    public async Task WideTerminal_GetsBars(int columns)
    {
        await Task.Run(() =>
        {
            using var monitor = new ConsoleMonitor(_error, () => columns, CancellationToken.None);
            Assert.True(monitor.DrawsBars);
            Work(monitor);
        }, TestContext.Current.CancellationToken);
        Assert.Contains("\u001b[", _error.ToString(), StringComparison.Ordinal);
    }

    [Theory(Timeout = Milliseconds)]
    [InlineData(10)]
    [InlineData(0)]
    public async Task TerminalThatShrinks_GoesOnInPlainLines(int shrunk)
    {
        var columns = 100;
        await Task.Run(() =>
        {
            using var monitor = new ConsoleMonitor(_error, () => columns, CancellationToken.None);
            using (var outer = monitor.Begin("Training", 100))
            using (var inner = monitor.Begin("Checking", 0))
            {
                outer.Report(10);
                columns = shrunk;
                outer.Report(50, "loss 0.5");
                inner.Report(3);
                monitor.Note("a note");
                outer.Report(100);
                Assert.False(monitor.DrawsBars);
            }
            columns = 100;
            Work(monitor);
        }, TestContext.Current.CancellationToken);
        var plain = _error.ToString();
        Assert.Contains("a note", plain, StringComparison.Ordinal);
        Assert.Contains("Training: 100/100", plain, StringComparison.Ordinal);
    }

    private static void Work(ConsoleMonitor monitor)
    {
        using var stage = monitor.Begin("Training", 100);
        for (var i = 1; i <= 100; i++) stage.Report(i, "loss 0.5");
    }
}
