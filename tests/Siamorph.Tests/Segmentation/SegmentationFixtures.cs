using System.Text.Json.Nodes;
using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Tests.Segmentation;

/// <summary>Golden numbers of the segmentation folder; tests skip by name where it is absent.</summary>
internal static class SegmentationFixtures
{
    public static Dictionary<string, Tensor> Tensors(string stem) => SafeTensors.Read(File($"{stem}.safetensors"));

    public static IReadOnlyDictionary<string, string> Metadata(string stem) =>
        SafeTensors.ReadHeader(File($"{stem}.safetensors")).Metadata;

    public static JsonNode Json(string stem) => JsonNode.Parse(System.IO.File.ReadAllText(File($"{stem}.json")))!;

    public static string File(string name) => SharedMaterial.Fixture("segmentation", name);

    /// <summary>Compares whole tensors: |a − b| ≤ absolute + relative · |expected|, element by element.</summary>
    public static void Close(Tensor expected, Tensor actual, double absolute, double relative = 0, string what = "")
    {
        Assert.Equal(expected.shape, actual.shape);
        var e = expected.to_type(ScalarType.Float64);
        var excess = (actual.to_type(ScalarType.Float64) - e).abs() - relative * e.abs();
        var worst = excess.max().item<double>();
        Assert.True(worst <= absolute, $"{what}: off by {worst:g3} beyond the relative part, {absolute:g3} allowed");
    }
}
