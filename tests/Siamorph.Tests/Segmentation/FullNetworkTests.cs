using System.Text.Json;
using System.Text.Json.Nodes;
using Siamorph.Segmentation.Networks;
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
        const string stem = "hash_tensor_predict_weight_";
        var (key, weights) = golden.AsObject().Single(p => p.Key.StartsWith(stem, StringComparison.Ordinal));
        var shape = key[stem.Length..].Split('_')[0].Split('x').Select(long.Parse).ToArray();
        First("predict.weight", weights, shape);
        First("bn.running_var", golden["running_var_first3"], 8);
        First("x.bias", golden["bias_first3"], 8);

        void First(string name, JsonNode? node, params long[] shape)
        {
            var expected = Floats(node);
            Assert.Equal(expected, HashTensors.Weight(name, seed, 1, shape).flatten()[..expected.Length].data<float>().ToArray());
        }
    }

    public static IEnumerable<TheoryDataRow<string>> Names =>
        ["sanet", "polyp_pvt", "ctnet", "pranet", "unet64_transpose", "unet64_bilinear", "segformer_b0", "segformer_b2",
        "pvt_v2_b2"];

    [Theory]
    [MemberData(nameof(Names))]
    public void Network_AtFullSize_HasThePublishedKeysAndOutputs(string name)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var all = SegmentationFixtures.Json("full_nets_hash");
        var (seed, gain, golden) = ((uint)all["seed"]!, (double)all["gain"]!, all["nets"]![name]!);
        using var net = Make(name);
        var expected = golden["state_dict"]!.AsObject()
            .ToDictionary(p => p.Key, p => string.Join(',', p.Value.Deserialize<long[]>()!));
        var own = StateDict.Of(net).Where(p => !p.Key.EndsWith("num_batches_tracked", StringComparison.Ordinal))
            .ToDictionary(p => p.Key, p => string.Join(',', p.Value.shape));
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
            var summary = golden["outputs"]![i]!;
            var (absmax, doubles) = ((double)summary["absmax"]!, outputs[i].to_type(ScalarType.Float64));
            SegmentationFixtures.Close(output, outputs[i], 1e-3 * absmax, what: $"{name} {i}");
            Assert.Equal(summary["shape"].Deserialize<long[]>(), outputs[i].shape);
            Assert.Equal(absmax, doubles.abs().max().item<double>(), 1e-3 * absmax);
            Assert.Equal((double)summary["mean"]!, doubles.mean().item<double>(), 1e-3 * absmax);
            Assert.Equal((double)summary["std"]!, doubles.std(unbiased: false).item<double>(), 1e-3 * absmax);
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
