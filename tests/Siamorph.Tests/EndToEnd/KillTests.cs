using System.Diagnostics;
using Siamorph.Data.Phantom;
using Siamorph.Experiment;
using Siamorph.Imaging;
using Siamorph.Training;

namespace Siamorph.Tests.EndToEnd;

/// <summary>An experiment in a process of its own, killed without warning again and again.</summary>
public sealed class KillTests : IDisposable
{
    private const int Kills = 3;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Experiment_KilledAtRandomMoments_EndsWithTheSameResult()
    {
        PhantomDataset.Write(_folder["data"], new PhantomOptions
        {
            Count = 24, Size = new ImageSize(32, 32), FramesPerCase = 1,
        }, NullMonitor.Instance);
        OptionsFile.Save(_folder["design.json"], Demo.Quick.Experiment with
        {
            Data = _folder["data"], Seeds = [1], Arms = ["real", "real+synthetic", "gated"],
        });
        var clock = Stopwatch.StartNew();
        Run("whole").WaitForExit();
        var (seconds, random) = (clock.Elapsed.TotalSeconds, new Seed(77).Random());
        for (var kill = 0; kill < Kills; kill++)
        {
            using var victim = Run("killed");
            if (victim.WaitForExit((int)(1000 * seconds * random.Uniform(0.2, 0.7)))) break;
            victim.Kill(entireProcessTree: true); // SIGKILL
            victim.WaitForExit();
        }
        using (var last = Run("killed")) last.WaitForExit();
        Assert.Equal(File.ReadAllText(_folder["whole", "results.json"]), File.ReadAllText(_folder["killed", "results.json"]));
    }

    [Fact]
    public void Experiment_OfTwoProcesses_GivesTheSameResult_EvenIfTheLeaderIsKilled()
    {
        PhantomDataset.Write(_folder["data"], new PhantomOptions
        {
            Count = 24, Size = new ImageSize(32, 32), FramesPerCase = 1,
        }, NullMonitor.Instance);
        OptionsFile.Save(_folder["design.json"], Demo.Quick.Experiment with
        {
            Data = _folder["data"], Seeds = [1, 2], Arms = ["real", "real+synthetic"],
        });
        Run("whole").WaitForExit();
        using (var leader = Run("shared", "--jobs", "2"))
        {
            while (!leader.HasExited && Done("shared") == 0) Thread.Sleep(50);
            leader.Kill(); // its member learns of it by the end of its standard input
            leader.WaitForExit();
        }
        using (var next = Run("shared", "--jobs", "2")) next.WaitForExit();
        Assert.Equal(File.ReadAllText(_folder["whole", "results.json"]), File.ReadAllText(_folder["shared", "results.json"]));
    }

    private int Done(string name)
        => Directory.Exists(_folder[name, "stages"])
        ? Directory.GetFiles(_folder[name, "stages"], "done.json", SearchOption.AllDirectories).Length : 0;

    private Process Run(string name, params string[] more)
    {
        var command = Path.Combine(AppContext.BaseDirectory, "Siamorph.Cli.dll");
        var start = new ProcessStartInfo("dotnet",
            [command, "experiment", "--options", _folder["design.json"], "--out", _folder[name], "--threads", "1", .. more])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        };
        var process = Process.Start(start)!;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }
}
