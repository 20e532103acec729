using System.Text.Json.Nodes;
using Siamorph.Training;
using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Tests.Training;

public sealed class CheckpointTests : IDisposable
{
    private readonly TemporaryFolder _run = new();
    private readonly TorchSharp.DisposeScope _scope = NewDisposeScope();
    private readonly Tensor _weight = rand(3, 4);

    private RunFolder Run => new(_run.Path);

    public void Dispose()
    {
        _scope.Dispose();
        _run.Dispose();
    }

    [Fact]
    public void SaveLoad_GivesTheSame()
    {
        Save(500);
        using var loaded = Checkpoint.Load(Run.Checkpoint(500));
        Assert.True(_weight.equal(loaded["model"].Read("w")).all().item<bool>());
        Assert.Equal(500, (long)loaded.State["step"]!);
        Assert.Equal(["ema", "model"], loaded.Parts.Order());
    }

    [Theory]
    [InlineData("../model.safetensors")]
    [InlineData("a\\u0000b")]
    [InlineData("")]
    public void Manifest_NamingFilesElsewhere_IsRefused(string name)
    {
        Save(1);
        var path = Path.Combine(Run.Checkpoint(1), "manifest.json");
        File.WriteAllText(path, File.ReadAllText(path).Replace("\"model.safetensors\"", $"\"{name}\"", StringComparison.Ordinal));
        Assert.Contains("damaged", Assert.Throws<WeightsFormatException>(() => Checkpoint.Load(Run.Checkpoint(1))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Load_OfOnePart_ReadsNoOther()
    {
        Save(1);
        using var loaded = Checkpoint.Load(Run.Checkpoint(1), "ema");
        Assert.Equal(["ema"], loaded.Parts);
        Assert.Contains("optimizer", Assert.Throws<WeightsFormatException>(() =>
            Checkpoint.Load(Run.Checkpoint(1), "optimizer")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Save_Again_Replaces()
    {
        Save(1);
        _weight.zero_();
        Save(1);
        using var loaded = Checkpoint.Load(Run.Checkpoint(1));
        Assert.Equal(0, loaded["model"].Read("w").abs().max().item<float>());
        Assert.Single(Directory.GetDirectories(Run.CheckpointsFolder));
    }

    [Fact]
    public void Save_WhereAFileStands_LeavesNothingHalf()
    {
        File.WriteAllText(Run.CheckpointsFolder, "in the way");
        Assert.Throws<SiamorphException>(() => Save(1));
        Assert.Equal("in the way", File.ReadAllText(Run.CheckpointsFolder));
        Assert.Single(Directory.GetFileSystemEntries(_run.Path));
    }

    [Fact]
    public void Load_CutOffFile_IsNamed() => AssertDamage("model.safetensors", path =>
    {
        using var stream = File.OpenWrite(path);
        stream.SetLength(stream.Length - 7);
    }, "cut off");

    [Fact]
    public void Load_FlippedBit_IsNamed() => AssertDamage("ema.safetensors", path =>
    {
        var bytes = File.ReadAllBytes(path);
        bytes[^3] ^= 1;
        File.WriteAllBytes(path, bytes);
    }, "altered");

    [Fact]
    public void Load_MissingFile_IsNamed() => AssertDamage("state.json", File.Delete, "missing");

    [Fact]
    public void Load_DamagedManifest_IsNamed() =>
        AssertDamage("manifest.json", p => File.WriteAllText(p, "{ \"files\": "), "damaged");

    [Fact]
    public void Load_NoManifest_SaysIncomplete()
    {
        Save(1);
        File.Delete(Path.Combine(Run.Checkpoint(1), "manifest.json"));
        Assert.Contains("incomplete", Assert.Throws<WeightsFormatException>(() => Checkpoint.Load(Run.Checkpoint(1))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Latest_IsByNumber_AndSkipsUnfinished()
    {
        Assert.Null(Checkpoint.Latest(_run.Path));
        Save(500);
        Save(1_000_000);
        Save(2_000_000);
        Directory.CreateDirectory(Run.Checkpoint(3_000_000));
        Directory.CreateDirectory(Path.Combine(Run.CheckpointsFolder, "step-4000000.abc.partial"));
        File.Delete(Path.Combine(Run.Checkpoint(2_000_000), "manifest.json"));
        Assert.Equal(Run.Checkpoint(1_000_000), Checkpoint.Latest(_run.Path));
    }

    [Fact]
    public void Prune_KeepsTheNewest()
    {
        foreach (var step in new[] { 1, 20, 3 }) Save(step);
        Directory.CreateDirectory(Path.Combine(Run.CheckpointsFolder, "step-000004.abc.partial"));
        Checkpoint.Prune(_run.Path, keep: 2);
        Assert.Equal(["step-000003", "step-000020"],
            Directory.GetDirectories(Run.CheckpointsFolder).Select(Path.GetFileName).Order());
    }

    private void Save(long step) => Checkpoint.Save(
        Run.Checkpoint(step),
        new Dictionary<string, WeightTable>
        {
            ["model"] = WeightTable.Of(new Dictionary<string, Tensor> { ["w"] = _weight }),
            ["ema"] = WeightTable.Of(new Dictionary<string, Tensor> { ["w"] = _weight * 2 }),
        },
        new JsonObject { ["step"] = step });

    private void AssertDamage(string file, Action<string> damage, string word)
    {
        Save(1);
        var path = Path.Combine(Run.Checkpoint(1), file);
        damage(path);
        var message = Assert.Throws<WeightsFormatException>(() => Checkpoint.Load(Run.Checkpoint(1))).Message;
        Assert.StartsWith(path, message, StringComparison.Ordinal);
        Assert.Contains(word, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }
}
