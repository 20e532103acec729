using System.Text.Json.Nodes;
using Siamorph.Cli;
using Siamorph.Siamese;
using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Tests.Weights;

/// <summary>`siamorph weights inspect|convert|keys`, on small models in every layout.</summary>
public sealed class WeightsVerbsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly StringWriter _output = new(), _error = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Inspect_SaysWhatAModelIs_AndWhatItLacks()
    {
        using var scope = NewDisposeScope();
        var tensors = Tiny();
        SafeTensors.Write(_folder["model.safetensors"], tensors);
        Assert.Equal(0, Run("weights", "inspect", _folder["model.safetensors"]));
        Assert.Contains("a trained UNet and ControlNet (preset tiny)", _output.ToString(), StringComparison.Ordinal);
        Assert.Contains("fits preset tiny", _output.ToString(), StringComparison.Ordinal);

        tensors.Remove("control_model.zero_convs.0.0.bias");
        tensors["model.diffusion_model.out.2.bias"] = zeros(9);
        TorchFileWriter.WriteZip(_folder["model.ckpt"], WeightTable.Of(tensors));
        Assert.Equal(0, Run("weights", "inspect", _folder["model.ckpt"]));
        Assert.Contains("PyTorch file (zip)", _output.ToString(), StringComparison.Ordinal);
        Assert.Contains("zero_convs.0.0.bias", _output.ToString(), StringComparison.Ordinal);
        Assert.Contains("out.2.bias (file [9], preset [48])", _output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Inspect_OfOtherWeights_ListsThem_AndOfDamagedOnes_SaysWhy()
    {
        using var scope = NewDisposeScope();
        SampleWeights.Write("legacy", _folder["few.pth"], WeightTable.Of(SampleWeights.Few()));
        Assert.Equal(0, Run("weights", "inspect", _folder["few.pth"]));
        Assert.Contains("conv.weight F32 [2,3,2]", _output.ToString(), StringComparison.Ordinal);
        Assert.Equal(0, Run("weights", "inspect", _folder["few.pth"], "--json"));
        Assert.Equal(7, JsonNode.Parse(_output.ToString())!["tensors"]!.AsArray().Count);
        File.WriteAllText(_folder["few.pth"], "version https://git-lfs.github.com/spec/v1\n");
        Assert.Equal(2, Run("weights", "inspect", _folder["few.pth"]));
        Assert.Single(_error.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Theory]
    [InlineData("lora_unet_up_blocks_3_attentions_0_transformer_blocks_0_attn1_to_q", 320, "all in the attention of preset sd15",
        "--lora-weights")]
    [InlineData("lora_unet_up_blocks_3_attentions_0_transformer_blocks_0_attn1_to_q", 640, "of which 1 is in no attention",
    "refuses it")]
    [InlineData("lora_te_text_model_encoder_layers_0_self_attn_q_proj", 320, "of which 1 is in no attention", "refuses it")]
    public void Inspect_OfLora_SaysWhetherItFits(string layer, int width, string what, string advice)
    {
        using var scope = NewDisposeScope();
        SafeTensors.Write(_folder["lora.safetensors"], new Dictionary<string, Tensor>
        {
            [layer + ".lora_down.weight"] = zeros(4, width), [layer + ".lora_up.weight"] = zeros(320, 4),
            [layer + ".alpha"] = tensor(4f),
        });
        Assert.Equal(0, Run("weights", "inspect", _folder["lora.safetensors"]));
        Assert.Contains("LoRA of rank 4 on 1 layer", _output.ToString(), StringComparison.Ordinal);
        Assert.Contains(what, _output.ToString(), StringComparison.Ordinal);
        Assert.Contains(advice, _output.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("unet.up_blocks.3.attentions.0.transformer_blocks.0.attn1.to_q.lora_A.weight",
        "LoRA in a layout that is not read")]
    [InlineData("model.diffusion_model.output_blocks.0.0.in_layers.0.weight.exp_avg", "the optimizer's state of a training run")]
    public void Inspect_OfWhatIsNoModel_NamesIt(string name, string expected)
    {
        using var scope = NewDisposeScope();
        SafeTensors.Write(_folder["x.safetensors"], new Dictionary<string, Tensor> { [name] = zeros(2, 2) });
        Assert.Equal(0, Run("weights", "inspect", _folder["x.safetensors"]));
        Assert.Contains(expected, _output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Convert_ToDiffusersAndBack_GivesTheSameNumbers()
    {
        using var scope = NewDisposeScope();
        var tensors = Tiny();
        TorchFileWriter.WriteZip(_folder["model.ckpt"], WeightTable.Of(tensors));
        Assert.Equal(0, Run("weights", "convert", _folder["model.ckpt"], _folder["pipe"], "--layout", "diffusers"));
        Assert.Contains("no Dense Hint Input", _error.ToString(), StringComparison.Ordinal);
        Assert.True(File.Exists(_folder["pipe", "controlnet", "diffusion_pytorch_model.safetensors"]));
        Assert.Equal(0, Run("weights", "convert", _folder["pipe"], _folder["back.safetensors"], "--parts", "unet,controlnet"));
        using var back = WeightsFile.Open(_folder["back.safetensors"]);
        SampleWeights.AssertSame(tensors, back);
    }

    [Fact]
    public void Convert_JoinsABase_ChangesPrecision_AndAddsTheSchedule()
    {
        using var scope = NewDisposeScope();
        var tensors = Tiny();
        SafeTensors.Write(_folder["base.safetensors"],
            tensors.Where(t => t.Key.StartsWith("model.", StringComparison.Ordinal)).ToDictionary());
        SafeTensors.Write(_folder["control.safetensors"],
            tensors.Where(t => t.Key.StartsWith("control", StringComparison.Ordinal)).ToDictionary());
        Assert.Equal(0, Run("weights", "convert", _folder["control.safetensors"], _folder["out.safetensors"], "--base",
            _folder["base.safetensors"], "--precision", "f16"));
        using var joined = WeightsFile.Open(_folder["out.safetensors"]);
        Assert.Equal(tensors.Count + DiffusionCheckpoint.ScheduleNames.Count, joined.Entries.Count);
        Assert.All(joined.Entries, e => Assert.Equal(ScalarType.Float16, e.DType));
        Assert.Equal(2, Run("weights", "convert", _folder["out.safetensors"], _folder["x.safetensors"], "--parts",
            "autoencoder"));
        Assert.Equal(2, Run("weights", "convert", _folder["out.safetensors"], _folder["out.safetensors"]));
        Assert.False(File.Exists(_folder["x.safetensors"]));
    }

    [Fact]
    public void Convert_SameLayout_OnlyChangesTheFormat()
    {
        using var scope = NewDisposeScope();
        SampleWeights.Write("legacy", _folder["few.pth"], WeightTable.Of(SampleWeights.Few()));
        Assert.Equal(0, Run("weights", "convert", _folder["few.pth"], _folder["few.safetensors"], "--layout", "same"));
        SampleWeights.AssertSame(SampleWeights.Few(), new WeightTable(WeightsFile.Open(_folder["few.safetensors"]).Entries));
        Assert.Equal(2, Run("weights", "convert", _folder["few.pth"], _folder["no.safetensors"]));
        Assert.Contains("--layout same", _error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Keys_AreListedAsJson()
    {
        Assert.Equal(0, Run("weights", "keys", "--preset", "tiny", "--json"));
        var keys = JsonNode.Parse(_output.ToString())!.AsArray();
        Assert.Equal(new SiameseModel(Presets.Tiny.Network).state_dict().Count,
            keys.Count(k => ((string)k!["name"]!).Contains("model.", StringComparison.Ordinal)
                && !((string)k["name"]!).StartsWith("first", StringComparison.Ordinal)
                && !((string)k["name"]!).StartsWith("cond", StringComparison.Ordinal)));
        Assert.All(keys, k => Assert.Equal("F32", (string)k!["dtype"]!));
        Assert.Equal(2, Run("weights", "keys", "--preset", "huge"));
    }

    // Small enough to be written often, and of the tiny preset's names and shapes.
    private static Dictionary<string, Tensor> Tiny()
    {
        using var model = new SiameseModel(Presets.Tiny.Network, new Seed(5));
        return model.state_dict().ToDictionary(p => p.Key, p => p.Value.detach().clone());
    }

    private int Run(params string[] arguments)
    {
        _output.GetStringBuilder().Clear();
        _error.GetStringBuilder().Clear();
        return Application.Run(Program.Verbs(), arguments, new Application.Surroundings { Output = _output, Error = _error });
    }
}
