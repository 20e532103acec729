using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Siamorph.Evaluation.Masks;
using Siamorph.Segmentation.Networks;
using Siamorph.Weights;
using static Siamorph.Tests.Segmentation.SegmentationFixtures;
using static TorchSharp.torch;

namespace Siamorph.Tests.Segmentation;

/// <summary>Small networks with stored weights: every activation that the golden numbers hold.</summary>
public class NetworkTests
{
    [Theory]
    [InlineData("normal")]
    [InlineData("stage_s1")]
    [InlineData("stage_s2")]
    public void Res2NetBlock_WithReferenceWeights_GivesReferenceOutput(string name)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var golden = Tensors("res2net_blocks").Under($"{name}.");
        var (input, output, weights) = (golden["input"], golden["output"], golden.Under("weights."));
        var stride = input.shape[2] == output.shape[2] ? 1 : 2;
        using var block = new Res2NetBlock((int)input.shape[1], (int)output.shape[1] / 4, stride,
            weights.ContainsKey("downsample.1.weight"));
        Load(block, weights);
        Close(output, block.forward(input), 1e-5);
    }

    [Fact]
    public void SANet_WithReferenceWeights_GivesReferenceActivations()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var (golden, numbers) = (Tensors("sanet_mini"), Metadata("sanet_mini"));
        using var net = new SANet(new()
        {
            Backbone = new()
            {
                Planes = int.Parse(numbers["base_planes"], CultureInfo.InvariantCulture),
                Depths = [.. numbers["layers"].Split(',').Select(int.Parse)],
                StemWidth = (int)golden["weights.bkbone.conv1.0.weight"].shape[0],
            },
            Channels = int.Parse(numbers["head_channels"], CultureInfo.InvariantCulture),
            Classes = (int)golden["logits"].shape[1],
        });
        Load(net, golden.Under("weights."));
        Assert.Equal((long)Json("nets")["sanet_mini"]!["params"]!, Parameters(net));
        var stages = net.Trunk.forward(golden["input"]);
        var facts = Json("nets")["sanet_mini"]!;
        for (var i = 0; i < 4; i++)
        {
            Close(golden[$"stage{i + 2}"], stages[i], 1e-4, what: $"stage {i + 2}");
            Assert.Equal(facts["shapes"]![$"stage{i + 2}"].Deserialize<long[]>(), stages[i].shape);
        }
        var logits = net.Heads(golden["input"])[0];
        Close(golden["logits"], logits, 1e-4);
        Assert.Equal(facts["shapes"]!["logits"].Deserialize<long[]>(), logits.shape);

        var key = golden.Keys.Single(k => k.StartsWith("logits_upsampled_", StringComparison.Ordinal));
        var upsampled = Operators.ScaleTo(logits, golden[key].shape[0], golden[key].shape[1], net.AlignCorners)[0, 0];
        Close(golden[key], upsampled, 1e-4);
        Assert.Equal((double)facts["pos_fraction"]!, (upsampled > 0).to_type(ScalarType.Float64).mean().item<double>(),
            1.0 / upsampled.numel());
        var corrected = ProbabilityCorrection.Apply(upsampled);
        Close(golden["logits_pcs"], corrected, 1e-4, 1e-4);
        CloseMaps(golden["map_u8"], corrected.sigmoid());
    }

    [Fact]
    public void PolypPvt_WithReferenceWeights_GivesReferenceActivations()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var (golden, numbers) = (Tensors("polyp_pvt_mini"), Json("nets")["polyp_pvt_mini"]!);
        using var net = new PolypPvt(new()
        {
            Backbone = Backbone(numbers) with { HiddenRatios = List(numbers["mlp"]), Reductions = List(numbers["sr"]) },
            Channels = (int)numbers["channel"]!,
            States = (int)numbers["sam_plane_mid"]!,
            NodesAlongSide = (int)numbers["sam_mids"]!,
        });
        Load(net, golden.Under("weights."));
        Assert.Equal((long)numbers["params"]!, Parameters(net));
        var input = golden["input"];
        var (tokens, attended, block) = net.Transformer.Inside(input);
        Close(golden["patch_embed1_tokens"], tokens, 1e-4);
        Close(golden["block1_0_attn_out"], attended, 1e-4);
        Close(golden["block1_0_out"], block, 1e-4);
        var (stages, detail, fused, half, guided) = net.Inside(input);
        for (var i = 0; i < 4; i++) Close(golden[$"pvt{i + 1}"], stages[i], 1e-4, what: $"stage {i + 1}");
        Close(golden["cim_feature"], detail, 1e-4);
        Close(golden["cfm_feature"], fused, 1e-4);
        Close(golden["T2_half"], half, 1e-4);
        Close(golden["sam_feature"], guided, 1e-4);
        var heads = net.Heads(input);
        Close(golden["prediction1"], heads[0], 1e-4);
        Close(golden["prediction2"], heads[1], 1e-4);
        var key = golden.Keys.Single(k => k.StartsWith("final_prob_", StringComparison.Ordinal));
        var map = Operators.ScaleTo(net.forward(input), golden[key].shape[0], golden[key].shape[1], net.AlignCorners)[0,
            0].sigmoid();
        map = (map - map.min()) / (map.max() - map.min() + 1e-8);
        Close(golden[key], map, 1e-4);
        CloseMaps(golden["final_map_u8"], map);
        // The published code leaves rounding to its writer of images, which rounds halves to even, as we do.
        Assert.True((bool)numbers["imwrite_equals_round_half_even"]!);
        Assert.Equal([0, 2, 2, 4], ProbabilityMap.FromProbabilities(new(4, 1),
            [0.5f / 255, 1.5f / 255, 2.5f / 255, 3.5f / 255]).Levels);
    }

    [Fact]
    public void SegFormer_WithReferenceWeights_GivesReferenceActivations()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var (golden, numbers) = (Tensors("segformer_tiny"), Json("nets")["segformer_tiny"]!);
        using var net = new SegFormer(new()
        {
            Backbone = Backbone(numbers), Channels = (int)numbers["decoder_dim"]!, Classes = (int)numbers["classes"]!,
        });
        Load(net, golden.Under("weights."));
        Assert.Equal((long)numbers["params"]!, Parameters(net));
        var stages = net.Features(golden["input"]);
        var shapes = numbers["shapes"]!;
        for (var i = 0; i < 4; i++)
        {
            Close(golden[$"mit{i + 1}"], stages[i], 1e-4, what: $"stage {i + 1}");
            Assert.Equal(shapes[$"mit{i + 1}"].Deserialize<long[]>(), stages[i].shape);
        }
        var logits = net.Heads(golden["input"])[0];
        Close(golden["logits"], logits, 1e-4);
        Assert.Equal(shapes["logits"].Deserialize<long[]>(), logits.shape);
    }

    [Fact]
    public void CTNetDecoder_WithReferenceWeights_GivesReferenceActivations()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var golden = Tensors("ctnet_decoder");
        var channels = (int)golden["x1"].shape[1];
        using var net = new CTNet(new()
        {
            Backbone = new() { Widths = [8, 8, 8, 8], Heads = [1, 1, 1, 1], Depths = [1, 1, 1, 1] },
            Channels = channels,
            Classes = (int)golden["prediction"].shape[1],
        });
        LoadKnown(net, golden.Under("weights."));
        Assert.Equal((long)Json("nets")["ctnet_decoder"]!["params"]!,
            golden.Under("weights.").Where(p => !p.Key.Contains("running", StringComparison.Ordinal)).Sum(p => p.Value.numel()));
        var decoded = net.Decode([golden["x1"], golden["x2"], golden["x3"], golden["x4"]]);
        Close(golden["embedding"], decoded.Embedding, 1e-4);
        Close(golden["smim4"], decoded.Scale4, 1e-4);
        Close(golden["smim3"], decoded.Scale3, 1e-4);
        Close(golden["smim2"], decoded.Scale2, 1e-4);
        Close(golden["cim"], decoded.Cascade, 1e-4);
        Close(golden["prediction"], decoded.Prediction, 1e-4);
        var full = golden["prediction_x4"];
        Close(full, Operators.ScaleTo(decoded.Prediction, full.shape[2], full.shape[3], net.AlignCorners), 1e-4);
    }

    private static PyramidTransformerConfig Backbone(JsonNode numbers) =>
        new() { Widths = List(numbers["dims"]), Heads = List(numbers["heads"]), Depths = List(numbers["depths"]) };

    private static int[] List(JsonNode? node) => node.Deserialize<int[]>()!;

    private static long Parameters(nn.Module net) => net.parameters().Sum(p => p.numel());

    // 8-bit maps may differ by one level where a value lies on the edge between two.
    private static void CloseMaps(Tensor golden, Tensor probabilities) =>
        Close(golden, (probabilities * 255).round().to_type(ScalarType.Byte), 1);

    private static void Load(nn.Module net, IReadOnlyDictionary<string, Tensor> weights)
    {
        var all = new Dictionary<string, Tensor>(weights);
        foreach (var (key, own) in StateDict.Of(net))
        {
            if (key.EndsWith("num_batches_tracked", StringComparison.Ordinal)) all[key] = own.clone();
        }
        StateDict.Apply(net, all, "golden numbers");
        net.eval();
    }

    // Weights of a part of the network; each has to be there.
    private static void LoadKnown(nn.Module net, IReadOnlyDictionary<string, Tensor> weights)
    {
        var own = StateDict.Of(net);
        using var noGrad = no_grad();
        foreach (var (key, tensor) in weights) own[key].copy_(tensor);
        net.eval();
    }
}
