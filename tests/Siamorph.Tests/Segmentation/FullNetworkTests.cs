using System.Text.Json;
using System.Text.Json.Nodes;
using Siamorph.Segmentation;
using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Tests.Segmentation;

/// <summary>Networks at full size with hash weights: keys, shapes, parameter counts and outputs of the published ones.</summary>
public class FullNetworkTests
{
    [Fact]
    public void HashTensors_OfTheSelfTest_AreItsNumbers()
    {
        using var scope = NewDisposeScope();
        var golden = SegmentationFixtures.Json("hash_selftest");
        var seed = (uint)golden["seed"]!;
        foreach (var (name, value) in golden["fnv_seeded"]!.AsObject()) Assert.Equal((uint)value!, HashTensors.Fnv(name, seed));
        static float[] Floats(JsonNode? node) => node.Deserialize<float[]>()!;
        var units = Floats(golden["hash_u_input_first8"]);
        Assert.Equal(units, HashTensors.Image("input", seed, units.Length).data<float>().ToArray());
        Assert.Equal(
            Floats(golden["hash_tensor_predict_weight_1x192x1x1_first4"]),
            HashTensors.Weight("predict.weight", seed, 1, 1, 192, 1, 1).flatten()[..4].data<float>().ToArray());
    }

    public static IEnumerable<TheoryDataRow<string>> Names =>
        ["sanet", "polyp_pvt", "ctnet", "pranet", "unet64_transpose", "unet64_bilinear", "segformer_b0", "segformer_b2", "pvt_v2_b2"];

    [Theory]
    [MemberData(nameof(Names))]
    public void Network_AtFullSize_HasThePublishedKeysAndOutputs(string name)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var all = SegmentationFixtures.Json("full_nets_hash");
        var (seed, gain, golden) = ((uint)all["seed"]!, (double)all["gain"]!, all["nets"]![name]!);
        using var net = Make(name);
        var expected = golden["state_dict"]!.AsObject().ToDictionary(p => p.Key, p => string.Join(',', p.Value.Deserialize<long[]>()!));
        var own = StateDict.Of(net).Where(p => !p.Key.EndsWith("num_batches_tracked", StringComparison.Ordinal)).ToDictionary(p => p.Key, p => string.Join(',', p.Value.shape));
        Assert.Equal(expected.OrderBy(p => p.Key, StringComparer.Ordinal), own.OrderBy(p => p.Key, StringComparer.Ordinal));
        Assert.Equal((long)golden["params"]!, net.parameters().Sum(p => p.numel()));

        HashTensors.Fill(net, seed, gain);
        net.eval();
        var input = 2 * HashTensors.Image("input", seed, golden["input_shape"].Deserialize<long[]>()!) - 1;
        var stored = SegmentationFixtures.Tensors("full_nets_hash_outputs");
        var outputs = Outputs(net, input);
        Assert.Equal(golden["outputs"]!.AsArray().Count, outputs.Count);
        for (var i = 0; i < outputs.Count; i++)
        {
            var output = stored[$"{name}.out{i}"];
            SegmentationFixtures.Close(output, outputs[i], 1e-3 * (double)golden["outputs"]![i]!["absmax"]!, what: $"{name} {i}");
        }
    }

    private static nn.Module Make(string name) => name switch
    {
        "sanet" => new SANet(new()),
        "polyp_pvt" => new PolypPvt(new()),
        "ctnet" => new CTNet(new()),
        "pranet" => new PraNet(new()),
        "unet64_transpose" => new UNet(new() { Width = 64, Bilinear = false }),
        "unet64_bilinear" => new UNet(new() { Width = 64 }),
        "segformer_b0" => new SegFormer(SegFormerConfig.Of(0)),
        "segformer_b2" => new SegFormer(SegFormerConfig.Of(2)),
        _ => new PyramidTransformer(PyramidTransformerConfig.PvtV2(2), new()),
    };

    private static IReadOnlyList<Tensor> Outputs(nn.Module net, Tensor input) => net switch
    {
        CTNet ctnet => ctnet.LogitsAndEmbedding(input) is var (logits, embedding) ? [logits, embedding] : [],
        SegmentationNetwork network => network.Heads(input),
        _ => ((PyramidTransformer)net).forward(input),
    };
}
