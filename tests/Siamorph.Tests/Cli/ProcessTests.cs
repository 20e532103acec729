using System.Diagnostics;
using System.Runtime.InteropServices;
using Siamorph.Cli;

namespace Siamorph.Tests.Cli;

/// <summary>The command as a process of its own.</summary>
public partial class ProcessTests
{
    [Fact]
    public void VersionVerbose_NamesWhatAReportOfAFaultNeeds()
    {
        var (exitCode, output, _) = Run("--version", "--verbose");
        Assert.Equal(0, exitCode);
        Assert.All(["siamorph", "libtorch", ".NET", "processor", "vectors", "CUDA"],
            name => Assert.Contains($"\n{name} ", $"\n{output}"));
    }

    [Fact]
    public void Nonsense_IsOneLineAndExitCode2()
    {
        var (exitCode, output, error) = Run("nonsense");
        Assert.Equal(2, exitCode);
        Assert.Empty(output);
        Assert.Equal("siamorph: 'nonsense' is not a command of 'siamorph'. See 'siamorph --help'.", error.TrimEnd());
    }

    [Fact]
    public void Version_IsThatOfTheLibrary()
    {
        var (exitCode, output, _) = Run("--version");
        Assert.Equal(0, exitCode);
        Assert.StartsWith(typeof(Seed).Assembly.GetName().Version!.ToString(3), output, StringComparison.Ordinal);
    }

    [Fact]
    public void NativeSettings_ReachTheCLibrary()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("Only glibc is set up.");
        NativeSettings.Apply();
        Assert.NotEqual(0, getenv("OMP_WAIT_POLICY") | getenv("GOMP_SPINCOUNT"));
    }

    private static (int ExitCode, string Output, string Error) Run(params string[] arguments)
    {
        var command = Path.Combine(AppContext.BaseDirectory, "Siamorph.Cli.dll");
        var start = new ProcessStartInfo("dotnet", [command, .. arguments])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.Result);
    }

    [LibraryImport("libc.so.6", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint getenv(string name);
}
