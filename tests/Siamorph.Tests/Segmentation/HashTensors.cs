using System.Text;
using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Siamorph.Tests.Segmentation;

/// <summary>Reproducible numbers for full-size networks whose weights nobody stores, as FIXTURES.md defines them.</summary>
internal static class HashTensors
{
    public static uint Fnv(string name, uint seed)
    {
        var hash = 2166136261u ^ seed;
        foreach (var b in Encoding.UTF8.GetBytes(name)) hash = (hash ^ b) * 16777619u;
        return hash;
    }

    public static double Unit(string name, uint i, uint seed) => Unit(Fnv(name, seed), i);

    public static Tensor Image(string name, uint seed, params long[] shape) =>
        tensor(Fill(shape, (n, i) => Unit(n, i), Fnv(name, seed)), shape);

    public static Tensor Weight(string name, uint seed, double gain, params long[] shape)
    {
        var bound = shape.Length >= 2 ? gain * Math.Sqrt(3.0 / shape[1..].Aggregate(1L, (a, b) => a * b)) : 0;
        double Of(double s) => shape.Length >= 2 ? s * bound
            : name.EndsWith("running_var", StringComparison.Ordinal) ? 1 + 0.2 * s
            : name.EndsWith("running_mean", StringComparison.Ordinal) || name.EndsWith("bias", StringComparison.Ordinal) ? 0.1 * s
            : 1 + 0.2 * s;
        return tensor(Fill(shape, (n, i) => Of(2 * Unit(n, i) - 1), Fnv(name, seed)), shape);
    }

    /// <summary>The tensors of a list of keys with shapes.</summary>
    public static Dictionary<string, Tensor> Weights(JsonObject keys, uint seed, double gain, Func<string, bool> wanted) =>
        keys.Where(k => wanted(k.Key)).ToDictionary(k => k.Key, k => Weight(k.Key, seed, gain, Shape(k.Value!)));

    public static long[] Shape(JsonNode node) => [.. node.AsArray().Select(n => n!.GetValue<long>())];

    /// <summary>Gives every parameter and buffer its numbers, in place.</summary>
    public static void Fill(nn.Module module, uint seed, double gain)
    {
        using var noGrad = no_grad();
        foreach (var (key, own) in module.state_dict())
        {
            using var scope = NewDisposeScope();
            if (!key.EndsWith("num_batches_tracked", StringComparison.Ordinal)) own.copy_(Weight(key, seed, gain, own.shape));
        }
    }

    /// <summary>Gives norm layers' statistics numbers that are not 0 and 1.</summary>
    public static void FillNorms(nn.Module module, uint seed)
    {
        using var noGrad = no_grad();
        foreach (var (key, own) in module.state_dict())
        {
            using var scope = NewDisposeScope();
            if (key.Contains("running_", StringComparison.Ordinal)) own.copy_(Weight(key, seed, 1, own.shape));
        }
    }

    private static double Unit(uint hash, uint i)
    {
        unchecked
        {
            var x = i * 2654435761u + hash;
            x ^= x >> 16;
            x *= 0x85EBCA6B;
            x ^= x >> 13;
            x *= 0xC2B2AE35;
            x ^= x >> 16;
            return (x >> 8) * (1.0 / (1 << 24));
        }
    }

    private static float[] Fill(long[] shape, Func<uint, uint, double> value, uint hash)
    {
        var values = new float[shape.Aggregate(1L, (a, b) => a * b)];
        Parallel.For(0, (values.Length + 65535) / 65536, part =>
        {
            for (var i = part * 65536; i < Math.Min(values.Length, (part + 1) * 65536); i++)
                values[i] = (float)value(hash, (uint)i);
        });
        return values;
    }
}
