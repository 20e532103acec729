using System.Diagnostics;

namespace Siamorph.Tests;

/// <summary>What a later build may do to the files that a process runs from.</summary>
public sealed class BuildOutputTests
{
    [Theory]
    [InlineData("Siamorph.dll")]
    [InlineData("Siamorph.Cli.dll")]
    [InlineData("TorchSharp.dll")]
    public void Assembly_SharesItsFileWithNothing(string name)
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("Links are counted on Linux.");
        var start = new ProcessStartInfo("stat", ["-c", "%h", Path.Combine(AppContext.BaseDirectory, name)])
        {
            RedirectStandardOutput = true,
        };
        using var stat = Process.Start(start)!;
        Assert.Equal("1", stat.StandardOutput.ReadToEnd().Trim());
    }
}
