using System.Text;
using Siamorph.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Siamorph.Tests.Weights;

/// <summary>Every kind of weight file that can be had, read through the one door.</summary>
public sealed class WeightsFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("alex", "64,192,384,256,256")]
    [InlineData("squeeze", "64,128,256,384,384,512,512")]
    [InlineData("vgg", "64,128,256,512,512")]
    public void LegacyFileOfPyTorch_ReadsItsTensors(string name, string channels)
    {
        using var file = WeightsFile.Open(SharedMaterial.Path("weights", "lpips_lin_v0.1", $"{name}.pth"));
        Assert.Equal(WeightsFormat.TorchLegacy, file.Format);
        var expected = channels.Split(',').Select(long.Parse).ToArray();
        Assert.Equal(expected.Select((_, i) => $"lin{i}.model.1.weight"), file.Names);
        Assert.Equal(expected.Select(c => new long[] { 1, c, 1, 1 }), file.Entries.Select(e => e.Shape));
        Assert.All(file.ReadAll().Values, t => Assert.True((t >= 0).all().item<bool>() && (t.sum() > 0).item<bool>()));
    }

    [Fact]
    public void LegacyFileOfPyTorch_HoldsTheSameNumbersAsItsSafeTensors()
    {
        var expected = SafeTensors.Read(SharedMaterial.Fixture("segmentation", "lpips_lin_v0p1_THIRD_PARTY_BSD2.safetensors"));
        using var file = WeightsFile.Open(SharedMaterial.Path("weights", "lpips_lin_v0.1", "alex.pth"));
        foreach (var entry in file.Entries)
        {
            var same = expected.Where(e => e.Value.numel() == entry.Elements)
                .Any(e => e.Value.view(-1).equal(entry.Read().view(-1)).all().item<bool>());
            Assert.True(same, entry.Name);
        }
    }

    [Theory]
    [MemberData(nameof(EveryFormat))]
    public void EveryFormat_ReadsEveryTypeBack(string format)
    {
        var tensors = SampleWeights.Few();
        SampleWeights.Write(format, _folder["weights"], WeightTable.Of(tensors));
        using var file = WeightsFile.Open(_folder["weights"]);
        SampleWeights.AssertSame(tensors, file);
        using var converted = file.Read("half.weight", ScalarType.Float32);
        Assert.Equal(ScalarType.Float32, converted.dtype);
    }

    [Theory]
    [MemberData(nameof(EveryFormat))]
    public void CutOffFile_IsNamed_AtEveryLength(string format)
    {
        SampleWeights.Write(format, _folder["whole"], WeightTable.Of(SampleWeights.Few()));
        var whole = File.ReadAllBytes(_folder["whole"]);
        for (var length = 0; length < whole.Length; length += 7)
        {
            File.WriteAllBytes(_folder["cut"], whole[..length]);
            Assert.Contains("cut:", Assert.Throws<WeightsFormatException>(() => WeightsFile.Open(_folder["cut"])).Message,
                StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("state_dict")]
    [InlineData("module")]
    [InlineData("model")]
    public void TrainersCheckpoint_GivesItsWeights_AndPassesOverTheRest(string wrapper)
    {
        var tensors = SampleWeights.Few();
        TorchFileWriter.WriteZip(_folder["last.ckpt"], WeightTable.Of(tensors), (pickle, stateDict) => pickle.Dict(
            ("epoch", w => w.Number(3)),
            (wrapper, _ => stateDict()),
            ("callbacks", w => w.Op('}').Global("pytorch_lightning.callbacks.model_checkpoint", "ModelCheckpoint")
                .Op('}').Op('s')),
            ("best", w => w.Global("numpy.core.multiarray", "scalar").Op('(').Global("numpy", "dtype").Op('(').Text("f8")
                .Bool(false).Op('t').Op('R').Text("12345678").Op('t').Op('R')),
            ("sizes", w => w.Global("torch", "Size").Op('(').Ints([1, 2]).Op('t').Op('R'))));
        using var file = WeightsFile.Open(_folder["last.ckpt"]);
        SampleWeights.AssertSame(tensors, file);
    }

    [Fact]
    public void WrapperOfDistributedTraining_IsTakenOffTheNames()
    {
        var tensors = SampleWeights.Few();
        TorchFileWriter.WriteLegacy(_folder["a.pth"],
            WeightTable.Of(tensors.ToDictionary(t => "_forward_module.module." + t.Key, t => t.Value)));
        using var file = WeightsFile.Open(_folder["a.pth"]);
        SampleWeights.AssertSame(tensors, file);
        Assert.Equal(2, file.Notes.Count);
    }

    [Fact]
    public void ViewOfAStorage_IsReadByItsStrides()
    {
        var pickle = new PickleWriter().Dict(
            ("transposed", w => w.Tensor("FloatStorage", "0", 8, 1, [3, 2], [1, 3])),
            ("slice", w => w.Tensor("FloatStorage", "0", 8, 2, [2], [4])),
            ("expanded", w => w.Tensor("FloatStorage", "1", 1, 0, [2, 3], [0, 0]))).Stop();
        TorchFileWriter.WriteRawZip(_folder["v.pth"], pickle,
            ("0", [.. arange(8, dtype: float32).bytes]), ("1", [.. ones(1, dtype: float32).bytes]));
        using var file = WeightsFile.Open(_folder["v.pth"]);
        Assert.Equal([1f, 4, 2, 5, 3, 6], file.Read("transposed").data<float>().ToArray());
        Assert.Equal([2f, 6], file.Read("slice").data<float>().ToArray());
        Assert.Equal(6, file.Read("expanded").sum().item<float>());
    }

    [Fact]
    public void Shards_AreReadThroughTheirIndex_AndAMissingOneIsNamed()
    {
        var tensors = SampleWeights.Few();
        var halves = tensors.Chunk(4).Select(c => c.ToDictionary()).ToList();
        for (var i = 0; i < halves.Count; i++)
            SampleWeights.Write(i == 0 ? "safetensors" : "zip", _folder[$"shard-{i}.bin"], WeightTable.Of(halves[i]));
        var map = string.Join(",", halves.SelectMany((h, i) => h.Keys.Select(k => $"\"{k}\":\"shard-{i}.bin\"")));
        File.WriteAllText(_folder["model.index.json"], $"{{\"metadata\":{{}},\"weight_map\":{{{map}}}}}");
        using (var file = WeightsFile.Open(_folder["model.index.json"])) SampleWeights.AssertSame(tensors, file);
        File.Delete(_folder["shard-1.bin"]);
        Refused("model.index.json", "shard-1.bin is missing");
        File.WriteAllText(_folder["model.index.json"], "{\"weight_map\":{\"a\":\"../x.bin\"}}");
        Refused("model.index.json", "not in the same folder");
    }

    [Theory]
    [InlineData("version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 4265380512\n", "git lfs pull")]
    [InlineData("<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>", "web page (\"Sign in\")")]
    [InlineData("{\"error\":\"Repository not found\"}", "JSON text")]
    [InlineData("", "is empty")]
    [InlineData("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "zero bytes")]
    [InlineData("hello", "neither safetensors nor a PyTorch file")]
    [InlineData("GGUFxxxxxxxxxxx", "GGUF")]
    public void WhatIsNoWeightFile_IsNamed_WhateverItsEnding(string text, string expected)
    {
        File.WriteAllBytes(_folder["model.ckpt"], Encoding.Latin1.GetBytes(text));
        Refused("model.ckpt", expected);
        if (text.Length < 9 || text[0] == '\0') return;
        File.WriteAllBytes(_folder["model.safetensors"], Encoding.Latin1.GetBytes(text));
        Assert.Throws<WeightsFormatException>(() => WeightsFile.Open(_folder["model.safetensors"]));
    }

    [Fact]
    public void Folders_AreOpenedByWhatIsInThem()
    {
        var tensors = SampleWeights.Few();
        var table = WeightTable.Of(tensors);
        Directory.CreateDirectory(_folder["pipe", "unet"]);
        Directory.CreateDirectory(_folder["pipe", "vae"]);
        SampleWeights.Write("safetensors", _folder["pipe", "unet", "diffusion_pytorch_model.safetensors"], table);
        SampleWeights.Write("zip", _folder["pipe", "vae", "diffusion_pytorch_model.bin"], table);
        using (var pipe = WeightsFile.Open(_folder["pipe"]))
        {
            SampleWeights.AssertSame(tensors, pipe.Under("unet."));
            SampleWeights.AssertSame(tensors, pipe.Under("vae."));
        }

        Directory.CreateDirectory(_folder["deep", "global_step3"]);
        File.WriteAllText(_folder["deep", "latest"], "global_step3\n");
        TorchFileWriter.WriteZip(_folder["deep", "global_step3", "mp_rank_00_model_states.pt"], table,
            (pickle, stateDict) => pickle.Dict(("module", _ => stateDict())));
        using (var deep = WeightsFile.Open(_folder["deep"])) SampleWeights.AssertSame(tensors, deep);
        File.WriteAllText(_folder["deep", "global_step3", "zero_pp_rank_0_mp_rank_00_model_states.pt"], "");
        Refused("deep", "zero_to_fp32.py");

        Directory.CreateDirectory(_folder["nothing"]);
        Refused("nothing", "holds no weights");
        foreach (var (name, expected) in new[] { ("config.json", "has a config.json but no weights"),
            ("merges.txt", "--tokenizer"), ("model_index.json", "diffusers folder without its weights") })
        {
            File.WriteAllText(_folder["nothing", name], "{}");
            Refused("nothing", expected);
        }
        Refused("absent.ckpt", "can't be opened");
    }

    [Fact]
    public void Apply_FromAFile_ConvertsAndNamesWhatDiffers()
    {
        using var module = nn.Linear(2, 3);
        var half = new Dictionary<string, Tensor> { ["weight"] = arange(6).to(float16).view(3, 2), ["bias"] = ones(3, float16) };
        SampleWeights.Write("zip", _folder["linear.pth"], WeightTable.Of(half));
        using (var file = WeightsFile.Open(_folder["linear.pth"])) StateDict.Apply(module, file, "linear.pth");
        Assert.Equal([0f, 1, 2, 3, 4, 5], module.weight!.data<float>().ToArray());
        half["extra"] = ones(1);
        SampleWeights.Write("legacy", _folder["more.pth"], WeightTable.Of(half));
        using var more = WeightsFile.Open(_folder["more.pth"]);
        Assert.Contains("unexpected: extra",
            Assert.Throws<WeightsMismatchException>(() => StateDict.Apply(module, more, "more.pth")).Message,
            StringComparison.Ordinal);
    }

    public static TheoryData<string> EveryFormat() => [.. SampleWeights.Formats];

    private void Refused(string name, string expected) =>
        Assert.Contains(expected, Assert.Throws<WeightsFormatException>(() => WeightsFile.Open(_folder[name])).Message,
        StringComparison.Ordinal);
}
