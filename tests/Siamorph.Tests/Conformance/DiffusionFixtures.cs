using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Siamorph.Models;
using Siamorph.Siamese;
using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Tests.Conformance;

/// <summary>Loads golden numbers; every size comes from the files.</summary>
internal static partial class DiffusionFixtures
{
    public static string File(string name) => SharedMaterial.Fixture("diffusion", name);

    public static Dictionary<string, Tensor> Tensors(string name) => SafeTensors.Read(File(name));

    public static JsonNode Json(string name) =>
        JsonNode.Parse(NotANumber().Replace(System.IO.File.ReadAllText(File(name)), "null"))!;

    /// <summary>The config in the metadata of a file, with the sizes of hint and latent read from tensors and weights.</summary>
    public static DenoiserConfig Config(string fileWithConfig, IReadOnlyDictionary<string, Tensor> weights)
    {
        var c = JsonNode.Parse(SafeTensors.ReadHeader(File(fileWithConfig)).Metadata["config"])!;
        var merges = Enumerable.Range(1, 9)
            .Count(i => weights.ContainsKey($"control_model.input_hint_block.0.patch_merge{i}.norm.weight"));
        return new DenoiserConfig
        {
            LatentChannels = (int)c["in_channels"]!,
            ModelChannels = (int)c["model_channels"]!,
            ChannelMultipliers = c["channel_mult"].Deserialize<int[]>()!,
            ResidualBlocks = (int)c["num_res_blocks"]!,
            AttentionFactors = c["attention_resolutions"].Deserialize<int[]>()!,
            Heads = (int)c["num_heads"]!,
            ContextWidth = (int)c["context_dim"]!,
            HintFactor = 1 << merges,
            HintWidth = (int)weights["control_model.input_hint_block.0.initial_conv.weight"].shape[0],
        };
    }

    /// <summary>Model "A" or "B" with its stored weights.</summary>
    public static SiameseModel Model(string which)
    {
        var file = $"weights_{which}.safetensors";
        using var scope = NewDisposeScope();
        var weights = Tensors(file);
        var model = new SiameseModel(Config($"unet_{which}.safetensors", weights));
        StateDict.Apply(model, weights, file);
        return model;
    }

    /// <summary>Fails unless the largest absolute difference is within the tolerance.</summary>
    public static void AssertClose(Tensor expected, Tensor actual, double tolerance, string what)
    {
        using var scope = NewDisposeScope();
        Assert.Equal(expected.shape, actual.shape);
        var difference = (expected.to(float64) - actual.to(float64)).abs().max().item<double>();
        Assert.True(difference <= tolerance, $"{what}: differs by {difference:g3}, allowed {tolerance:g3}");
    }

    /// <summary>‖a − b‖ / ‖b‖.</summary>
    public static double RelativeL2(Tensor actual, Tensor expected)
    {
        using var scope = NewDisposeScope();
        var difference = (actual.to(float64) - expected.to(float64)).norm().item<double>();
        return difference / Math.Max(expected.to(float64).norm().item<double>(), 1e-12);
    }

    // The writer of the fixtures leaves NaN where nothing was computed, which JSON doesn't know.
    [GeneratedRegex(@"\bNaN\b")]
    private static partial Regex NotANumber();
}
