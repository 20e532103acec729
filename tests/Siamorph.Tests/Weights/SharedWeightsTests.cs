using Siamorph.Siamese;
using Siamorph.Siamese.WeightFiles;
using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Tests.Weights;

/// <summary>Weights as other programs share them nowadays.</summary>
public sealed class SharedWeightsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void EightBitFloats_HaveTheNumbersOfTheirSpecification()
    {
        var (four, five) = (EightBitFloat.Named("F8_E4M3")!, EightBitFloat.Named("F8_E5M2")!);
        Assert.Equal([0, 1, -1, 448, 1 / 512.0, 0.4375], new byte[]
        {
            0, 0x38, 0xB8, 0x7E, 1, 0x2E,
        }.Select(b => (double)four[b]));
        Assert.True(Half.IsNaN(four[0x7F]) && Half.IsNaN(four[0xFF]));
        Assert.Equal([0, 1, -2, 57344, Math.ScaleB(1, -16)], new byte[] { 0, 0x3C, 0xC0, 0x7B, 1 }.Select(b => (double)five[b]));
        Assert.True(Half.IsInfinity(five[0x7C]));
    }

    [Fact]
    public void FileOfEightBitFloats_IsRead()
    {
        Write(
            """{"w":{"dtype":"F8_E4M3","shape":[2,2],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", [0x38, 0xB8, 0x7E, 0, 0, 0, 128, 63]);
        using var scope = NewDisposeScope();
        var read = SafeTensors.Read(_folder["w.safetensors"]);
        Assert.Equal([1f, -1, 448, 0], read["w"].to_type(ScalarType.Float32).data<float>().ToArray());
        Assert.Equal(ScalarType.Float16, read["w"].dtype);
        Assert.Equal(1f, read["b"].item<float>());
    }

    [Theory]
    [InlineData("F4")]
    [InlineData("F8_E8M0")]
    [InlineData("C64")]
    public void OtherElementTypes_AreNamed_NotCalledDamage(string type)
    {
        Write($$$"""{"w":{"dtype":"{{{type}}}","shape":[1],"data_offsets":[0,1]}}""", [0]);
        var message = Assert.Throws<WeightsFormatException>(() => SafeTensors.Read(_folder["w.safetensors"])).Message;
        Assert.Contains($"'{type}'", message, StringComparison.Ordinal);
        Assert.DoesNotContain("download", message, StringComparison.Ordinal);
    }

    [Fact]
    public void TextEncoder_WithoutItsPrefix_IsRecognised()
    {
        foreach (var prefix in new[] { "", "text_model.", "text_encoder.", "cond_stage_model.transformer." })
        {
            using var scope = NewDisposeScope();
            var checkpoint = DiffusionCheckpoint.Of(WeightTable.Of(new Dictionary<string, Tensor>
            {
                [$"{prefix}embeddings.token_embedding.weight"] = zeros(9, 4),
                [$"{prefix}embeddings.position_embedding.weight"] = zeros(7, 4),
                [$"{prefix}encoder.layers.0.mlp.fc1.weight"] = zeros(4, 4), [$"{prefix}final_layer_norm.weight"] = zeros(4),
            }));
            Assert.Contains("text_model.embeddings.token_embedding.weight", checkpoint.Part(CheckpointPart.TextEncoder).Names);
            Assert.Contains("text_model.final_layer_norm.weight", checkpoint.Part(CheckpointPart.TextEncoder).Names);
            Assert.Empty(checkpoint.Leftover);
        }
    }

    [Fact]
    public void ControlNetWithThePlainHintEncoder_IsSaidToLoad_AndHow()
    {
        var options = Presets.Tiny with
        {
            Network = Presets.Tiny.Network with { HintEncoder = Siamorph.Models.HintEncoderKind.Plain },
        };
        using (var pipeline = new SiamesePipeline(options, [""])) SafeTensors.Write(_folder["w.safetensors"], pipeline.Tensors());
        var report = WeightsInspector.Inspect(_folder["w.safetensors"]);
        Assert.Contains("plain hint encoder", report.What, StringComparison.Ordinal);
        Assert.Contains("--network-hint-encoder plain", report.Advice, StringComparison.Ordinal);
        Assert.DoesNotContain("can't be used", report.Advice, StringComparison.Ordinal);
    }

    private void Write(string header, byte[] data) =>
        File.WriteAllBytes(_folder["w.safetensors"],
        [.. BitConverter.GetBytes((long)header.Length), .. System.Text.Encoding.ASCII.GetBytes(header), .. data]);
}
