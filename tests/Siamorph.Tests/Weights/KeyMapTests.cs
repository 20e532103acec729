using System.Text.Json.Nodes;
using Siamorph.Diffusion;
using Siamorph.Siamese;
using Siamorph.Siamese.WeightFiles;
using Siamorph.Tests.Conformance;
using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Tests.Weights;

/// <summary>The true key lists of the paper's model, and the maps between the layouts.</summary>
public class KeyMapTests
{
    private static readonly Lazy<JsonNode> Manifest = new(() => DiffusionFixtures.Json("checkpoint_manifest.json"));

    [Fact]
    public void KeysOfThePapersModel_AreThoseOfTheAuthorsCheckpoint()
    {
        var expected = Listed().Select(k => k.Text).Order(StringComparer.Ordinal);
        Assert.Equal(expected, CheckpointKeys.Of("sd15")
            .Select(k => $"{k.Name} {SafeTensors.NameOf(k.DType)} [{string.Join(",", k.Shape)}]").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void PlainStableDiffusion_IsTheSameWithoutControlNet()
    {
        var own = CheckpointKeys.Of("sd15").Select(k => k.Name)
            .Where(n => !n.StartsWith("control_model.", StringComparison.Ordinal) && n != "logvar");
        Assert.Equal(Manifest.Value["sd15_checkpoint_keys"]!.AsArray().Select(k => (string)k!).Order(StringComparer.Ordinal),
            own.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void ControlNetsFirstWeights_ComeFromTheUNet_ForTheKeysOfTheAuthorsTool()
    {
        const string control = "control_model.", unet = "model.diffusion_model.";
        var keys = CheckpointKeys.Of("sd15").ToDictionary(k => k.Name, k => k.Shape);
        var copied = keys.Where(k => k.Key.StartsWith(control, StringComparison.Ordinal)
            && keys.TryGetValue(unet + k.Key[control.Length..], out var twin) && twin.SequenceEqual(k.Value)).Select(k => k.Key)
            .ToHashSet();
        Assert.Equal(Names("control_keys_initialised_from_unet"), copied.Order(StringComparer.Ordinal));
        Assert.Equal(Names("control_keys_newly_added"),
            keys.Keys.Where(k => k.StartsWith(control, StringComparison.Ordinal) && !copied.Contains(k))
                .Order(StringComparer.Ordinal));

        static IEnumerable<string> Names(string list) =>
            Manifest.Value[list]!.AsArray().Select(k => (string)k!).Order(StringComparer.Ordinal);
    }

    [Theory]
    [InlineData(nameof(CheckpointPart.UNet), "unet_original_to_diffusers")]
    [InlineData(nameof(CheckpointPart.Autoencoder), "vae_original_to_diffusers")]
    public void DiffusersNames_AreThoseOfItsOwnConversion_InBothDirections(string partName, string listed)
    {
        var part = Enum.Parse<CheckpointPart>(partName);
        var expected = Manifest.Value["diffusers"]![listed]!.AsObject().ToDictionary(p => p.Key, p => (string)p.Value!);
        var checkpoint = DiffusionCheckpoint.Of(Authors());
        var own = checkpoint.Part(part).Entries;
        var diffusers = checkpoint.InDiffusersLayout(part);
        Assert.Equal(expected.Count, own.Count);
        Assert.Equal(own.Select(e => expected[e.Name]), diffusers.Names);
        AssertSame(checkpoint.Part(part), DiffusionCheckpoint.Of(diffusers).Part(part));
        Assert.Equal("diffusers", DiffusionCheckpoint.Of(diffusers).Layouts[part]);
    }

    [Fact]
    public void OlderNamesOfTheAutoencodersAttention_AreRead()
    {
        var older = Manifest.Value["diffusers"]!["vae_original_to_diffusers_legacy_attention_names"]!.AsObject()
            .ToDictionary(p => p.Key, p => (string)p.Value!);
        var checkpoint = DiffusionCheckpoint.Of(Authors());
        var own = checkpoint.Part(CheckpointPart.Autoencoder);
        var diffusers = checkpoint.InDiffusersLayout(CheckpointPart.Autoencoder).Entries;
        var renamed = new WeightTable(
            own.Entries.Zip(diffusers, (o, d) => older.TryGetValue(o.Name, out var name) ? d.As(name) : d));
        AssertSame(own, DiffusionCheckpoint.Of(renamed).Part(CheckpointPart.Autoencoder));
    }

    [Fact]
    public void ControlNet_GoesToDiffusersAndBack_WithDenseAndWithPlainHint()
    {
        var dense = DiffusionCheckpoint.Of(Authors());
        AssertSame(dense.Part(CheckpointPart.ControlNet), Back(dense));
        using var model = new Siamorph.Models.ControlNet(Presets.Tiny.Network with
        {
            HintEncoder = Siamorph.Models.HintEncoderKind.Plain, HintFactor = 8,
        });
        var plain = DiffusionCheckpoint.Of(new WeightTable(model.state_dict().Select(p => Entry(p.Key, p.Value.shape))));
        Assert.Equal([CheckpointPart.ControlNet], plain.Layouts.Keys);
        var names = plain.InDiffusersLayout(CheckpointPart.ControlNet).Names.ToList();
        foreach (var name in new[] { "controlnet_cond_embedding.conv_in.weight", "controlnet_cond_embedding.blocks.5.bias",
            "controlnet_cond_embedding.conv_out.weight", "controlnet_mid_block.weight", "controlnet_down_blocks.0.bias" })
            Assert.Contains(name, names);
        AssertSame(plain.Part(CheckpointPart.ControlNet), Back(plain));

        static WeightTable Back(DiffusionCheckpoint c) =>
            DiffusionCheckpoint.Of(c.InDiffusersLayout(CheckpointPart.ControlNet)).Part(CheckpointPart.ControlNet);
    }

    [Fact]
    public void DecoderAlone_AsARunStoresIt_IsKnown_InBothLayouts()
    {
        static bool IsDecoder(string name) => name.StartsWith("model.diffusion_model.out", StringComparison.Ordinal);
        foreach (var keys in new[] { Authors().Entries, [.. CheckpointKeys.Of("tiny").Select(k => Entry(k.Name, [.. k.Shape]))] })
        {
            var checkpoint = DiffusionCheckpoint.Of(new WeightTable(keys.Where(e => IsDecoder(e.Name))));
            Assert.Empty(checkpoint.Leftover);
            var whole = DiffusionCheckpoint.Of(new WeightTable(keys)).InDiffusersLayout(CheckpointPart.UNet);
            var diffusers = checkpoint.InDiffusersLayout(CheckpointPart.UNet);
            Assert.All(diffusers.Entries, e => Assert.Equal(whole[e.Name].Shape, e.Shape));
            AssertSame(checkpoint.Part(CheckpointPart.UNet), DiffusionCheckpoint.Of(diffusers).Part(CheckpointPart.UNet));
        }
    }

    [Fact]
    public void DiffusersFolder_GivesTheAuthorsKeys_AndItsPositions()
    {
        var checkpoint = DiffusionCheckpoint.Of(Authors());
        var pipe = new WeightTable(new[] { (CheckpointPart.UNet, "unet."), (CheckpointPart.Autoencoder, "vae."),
            (CheckpointPart.TextEncoder, "text_encoder.") }
            .SelectMany(p => checkpoint.InDiffusersLayout(p.Item1).Entries.Where(e =>
                !e.Name.EndsWith("position_ids", StringComparison.Ordinal)).Select(e => e.As(p.Item2 + e.Name))));
        var read = DiffusionCheckpoint.Of(pipe);
        Assert.Empty(read.Leftover);
        foreach (var part in read.Layouts.Keys) AssertSame(checkpoint.Part(part), read.Part(part));
        using var positions = read.Weights.Read("cond_stage_model.transformer.text_model.embeddings.position_ids");
        Assert.Equal(Enumerable.Range(0, 77).Select(i => (long)i), positions.data<long>().ToArray());
    }

    [Fact]
    public void TensorsOfNoPart_AreLeftOver()
    {
        var table = new WeightTable([.. Authors().Entries, Entry("model_ema.decay", []),
            Entry("model.diffusion_model.label_emb.0.0.weight", [3])]);
        Assert.Equal(["model.diffusion_model.label_emb.0.0.weight", "model_ema.decay"],
            DiffusionCheckpoint.Of(table).Leftover.Select(e => e.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void TablesOfTheSchedule_AreTheReferences()
    {
        using var scope = NewDisposeScope();
        var expected = DiffusionFixtures.Tensors("schedule.safetensors");
        var own = ScheduleBuffers.Of(new NoiseSchedule(new ScheduleOptions()));
        Assert.Equal(DiffusionCheckpoint.ScheduleNames.Order(StringComparer.Ordinal), own.Keys.Order(StringComparer.Ordinal));
        var compared = 0;
        foreach (var (name, values) in own)
        {
            if (!expected.TryGetValue(name, out var reference)) continue;
            compared++;
            var difference = (tensor(values).to(float64) - reference.to(float64)).abs() / reference.to(
                float64).abs().clamp_min(1e-12);
            Assert.True(difference.max().item<double>() <= 1e-6, name);
        }
        Assert.True(compared >= 8, $"only {compared} tables are in the fixture");
    }

    private static IEnumerable<(string Name, long[] Shape, string Text)> Listed() =>
        Manifest.Value["siamese_checkpoint"]!.AsArray().Select(k =>
    {
        var (name, shape) = ((string)k!["name"]!, k["shape"]!.AsArray().Select(d => (long)d!).ToArray());
        return (name, shape, $"{name} {k["dtype"]} [{string.Join(",", shape)}]");
    });

    private static WeightTable Authors() =>
        new(Listed().Select(k => Entry(
            k.Name, k.Shape, k.Text.Contains(" I64 ", StringComparison.Ordinal) ? ScalarType.Int64 : ScalarType.Float32)));

    private static WeightEntry Entry(string name, long[] shape, ScalarType type = ScalarType.Float32) =>
        new(name, type, shape, () => zeros(shape, type));

    private static void AssertSame(WeightTable expected, WeightTable actual) =>
        Assert.Equal(expected.Entries.Select(e => e.ToString()).Order(StringComparer.Ordinal),
        actual.Entries.Select(e => e.ToString()).Order(StringComparer.Ordinal));
}
