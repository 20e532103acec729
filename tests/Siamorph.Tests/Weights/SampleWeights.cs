using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Tests.Weights;

/// <summary>Small weights of several element types, and ways to store them.</summary>
internal static class SampleWeights
{
    public static readonly string[] Formats = ["safetensors", "zip", "legacy"];

    /// <summary>Tensors with distinct values; in the caller's dispose scope.</summary>
    public static Dictionary<string, Tensor> Few() => new()
    {
        ["conv.weight"] = arange(12, dtype: float32).view(2, 3, 2) / 7,
        ["conv.bias"] = tensor(new[] { 1.5, -2.25 }),
        ["steps"] = tensor(new[] { long.MinValue, 0, 42 }),
        ["half.weight"] = arange(5).to(float16),
        ["brain"] = arange(4).to(bfloat16).view(2, 2) - 3,
        ["flags"] = tensor(new[] { true, false, true }),
        ["scalar"] = tensor(2.5f),
    };

    public static void Write(string format, string path, WeightTable table)
    {
        if (format == "safetensors") SafeTensors.Write(path, table);
        else if (format == "zip") TorchFileWriter.WriteZip(path, table);
        else TorchFileWriter.WriteLegacy(path, table);
    }

    public static void AssertSame(IReadOnlyDictionary<string, Tensor> expected, WeightTable actual)
    {
        Assert.Equal(expected.Keys.Order(StringComparer.Ordinal), actual.Names.Order(StringComparer.Ordinal));
        foreach (var (name, tensor) in expected)
        {
            using var read = actual.Read(name);
            Assert.Equal(tensor.dtype, read.dtype);
            Assert.Equal(tensor.shape, read.shape);
            Assert.True(tensor.equal(read).all().item<bool>(), $"{name}: expected {Numbers(tensor)}, read {Numbers(read)}");
        }
    }

    private static string Numbers(Tensor tensor) => string.Join(" ", tensor.to(float64).view(-1).data<double>().Take(8));
}
