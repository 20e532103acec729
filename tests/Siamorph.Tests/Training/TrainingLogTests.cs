using Siamorph.Training;
using Siamorph.Training.Optimizers;

namespace Siamorph.Tests.Training;

public sealed class TrainingLogTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private RunFolder Run => new(_folder.Path);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Add_Read_GivesTheSame()
    {
        using (var log = new TrainingLog(Run, tensorBoard: false))
        {
            log.Add(10, new Dictionary<string, double> { ["loss/mask"] = 0.125, ["rate"] = 1e-3 });
            log.Add(20, new Dictionary<string, double> { ["loss/mask"] = double.NaN });
        }
        var entries = TrainingLog.Read(Run.LogPath);
        Assert.Equal([10, 20], entries.Select(e => e.Step));
        Assert.Equal(0.125, entries[0].Values["loss/mask"]);
        Assert.True(double.IsNaN(entries[1].Values["loss/mask"]));
    }

    [Fact]
    public void Reopen_AtAStep_DropsWhatCameLater()
    {
        Write(1, 2, 3, 4);
        using (var log = new TrainingLog(Run, tensorBoard: false, keepThrough: 2)) log.Add(3, Values(33));
        var entries = TrainingLog.Read(Run.LogPath);
        Assert.Equal([1, 2, 3], entries.Select(e => e.Step));
        Assert.Equal(33, entries[2].Values["loss"]);
    }

    [Fact]
    public void Reopen_AfterALineWasCutOff_GoesOn()
    {
        Write(1, 2);
        File.AppendAllText(Run.LogPath, "{\"step\":3,\"ti");
        Write(4);
        Assert.Equal([1, 2, 4], TrainingLog.Read(Run.LogPath).Select(e => e.Step));
    }

    [Fact]
    public void Read_BadLineInTheMiddle_IsNamed()
    {
        Write(1, 2);
        File.WriteAllText(Run.LogPath, "nonsense\n" + File.ReadAllText(Run.LogPath));
        Assert.Contains("line 1", Assert.Throws<SiamorphException>(() => TrainingLog.Read(Run.LogPath)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void TensorBoard_HoldsWhatTheLogHolds()
    {
        using (var log = new TrainingLog(Run)) log.Add(1, Values(1));
        using (var log = new TrainingLog(Run, keepThrough: 1)) log.Add(2, Values(2));
        var file = Assert.Single(Directory.GetFiles(Run.TensorBoardFolder));
        Assert.Contains("tfevents", file, StringComparison.Ordinal);
        Assert.DoesNotContain($".{Environment.MachineName}.", Path.GetFileName(file), StringComparison.Ordinal);
        var text = System.Text.Encoding.Latin1.GetString(File.ReadAllBytes(file));
        Assert.Equal(3, text.Split("loss").Length);
    }

    [Fact]
    public void Begin_WritesOptionsAndEnvironment_OnlyOnce()
    {
        Run.Begin(new AdamWOptions { Beta1 = 0.5 });
        Assert.Equal(0.5, Run.Options<AdamWOptions>().Beta1);
        var environment = File.ReadAllText(Run.EnvironmentPath);
        Assert.Contains("\"libTorch\": \"2.", environment, StringComparison.Ordinal);
        Assert.DoesNotContain(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), environment,
            StringComparison.Ordinal);
        Write(1);
        Assert.Contains("--resume", Assert.Throws<SiamorphException>(() => Run.Begin(new AdamWOptions())).Message,
            StringComparison.Ordinal);
    }

    private void Write(params long[] steps)
    {
        using var log = new TrainingLog(Run, tensorBoard: false);
        foreach (var step in steps) log.Add(step, Values(step));
    }

    private static Dictionary<string, double> Values(double loss) => new() { ["loss"] = loss };
}
