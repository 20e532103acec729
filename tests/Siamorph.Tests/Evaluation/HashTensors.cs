using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Siamorph.Tests.Evaluation;

/// <summary>Weights that are a function of their key alone, for networks too large to store.</summary>
internal static class HashTensors
{
    public static double Unit(string name, uint seed, uint index) => Unit(Hash(name, seed), index);

    /// <summary>float64 values in [0,1).</summary>
    public static Tensor Unit(string name, uint seed, long[] shape) => Fill(name, seed, shape, u => u);

    /// <summary>A float32 tensor scaled by its kind, which its key and rank tell.</summary>
    public static Tensor Make(string name, long[] shape, uint seed, double gain = 1)
    {
        var bound = shape.Length >= 2 ? gain * Math.Sqrt(3.0 / shape[1..].Aggregate(1L, (a, b) => a * b)) : 0;
        Func<double, double> scale = shape.Length >= 2 ? s => s * bound
            : name.EndsWith("running_var", StringComparison.Ordinal) ? s => 1 + .2 * s
            : name.EndsWith("running_mean", StringComparison.Ordinal) || name.EndsWith("bias", StringComparison.Ordinal) ? s => .1 * s
            : s => 1 + .2 * s;
        return Fill(name, seed, shape, u => scale(2 * u - 1)).to_type(ScalarType.Float32);
    }

    public static Dictionary<string, Tensor> Make(JsonObject keys, uint seed, double gain, Func<string, bool> wanted) =>
        keys.Where(k => wanted(k.Key)).ToDictionary(k => k.Key, k => Make(k.Key, Shape(k.Value!), seed, gain));

    public static long[] Shape(JsonNode node) => [.. node.AsArray().Select(n => n!.GetValue<long>())];

    private static Tensor Fill(string name, uint seed, long[] shape, Func<double, double> value)
    {
        var start = Hash(name, seed);
        var values = new double[shape.Aggregate(1L, (a, b) => a * b)];
        Parallel.For(0, (values.Length + 65535) / 65536, part =>
        {
            for (var i = part * 65536; i < Math.Min(values.Length, (part + 1) * 65536); i++) values[i] = value(Unit(start, (uint)i));
        });
        return tensor(values, shape);
    }

    private static uint Hash(string name, uint seed)
    {
        var h = 2166136261 ^ seed;
        foreach (var b in System.Text.Encoding.UTF8.GetBytes(name)) h = unchecked((h ^ b) * 16777619);
        return h;
    }

    private static double Unit(uint start, uint index)
    {
        unchecked
        {
            var x = index * 2654435761 + start;
            x ^= x >> 16;
            x *= 0x85EBCA6B;
            x ^= x >> 13;
            x *= 0xC2B2AE35;
            x ^= x >> 16;
            return (x >> 8) * 5.9604644775390625e-8;
        }
    }
}
