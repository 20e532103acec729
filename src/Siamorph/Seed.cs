using System.Globalization;
using System.Text;
using System.Text.Json.Serialization;
using TorchSharp;

namespace Siamorph;

/// <summary>
/// A 64-bit seed from which others are derived by name or number. Everything random in the product is a function of a
/// seed and of what it is for (step, image, purpose), never of what was drawn before: so a resumed run, another batch
/// size or another order draws the same.
/// </summary>
/// <param name="Value">The bits.</param>
[JsonConverter(typeof(SeedConverter))]
public readonly record struct Seed(ulong Value)
{
    /// <summary>A number is a seed.</summary>
    public static implicit operator Seed(ulong value) => new(value);

    /// <summary>The number alone.</summary>
    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);

    /// <summary>The seed for a named purpose.</summary>
    public Seed Derive(string purpose)
    {
        ArgumentNullException.ThrowIfNull(purpose);
        var hash = 14695981039346656037UL; // FNV-1a, 64 bit
        foreach (var b in Encoding.UTF8.GetBytes(purpose)) hash = (hash ^ b) * 1099511628211UL;
        return new Seed(Mix(Value ^ Mix(hash)));
    }

    /// <summary>The seed for a numbered thing, such as a step or an image.</summary>
    public Seed Derive(long index) => new(Mix(Mix(Value) ^ Mix(unchecked((ulong)index) + 0x9E3779B97F4A7C15UL)));

    /// <summary>A managed source of random numbers that starts from this seed.</summary>
    public SeededRandom Random() => new(this);

    /// <summary>A torch generator on the CPU that starts from this seed. The caller disposes it.</summary>
    public torch.Generator Generator() => new(Value, torch.CPU);

    // The finalizer of SplitMix64 (Steele, Lea and Flood 2014).
    internal static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }
}

/// <summary>Random numbers by SplitMix64: the same sequence on every platform and .NET version.</summary>
public sealed class SeededRandom
{
    private ulong _state;

    /// <summary>Starts at <paramref name="seed"/>.</summary>
    public SeededRandom(Seed seed) => _state = seed.Value;

    /// <summary>64 random bits.</summary>
    public ulong NextBits() => Seed.Mix(_state += 0x9E3779B97F4A7C15UL);

    /// <summary>Uniform in [0, 1).</summary>
    public double NextDouble() => (NextBits() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Uniform in [low, high).</summary>
    public double Uniform(double low, double high) => low + (high - low) * NextDouble();

    /// <summary>Uniform in 0 … <paramref name="count"/> − 1.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is below 1.</exception>
    public int Next(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return (int)Math.BigMul(NextBits(), (ulong)count, out _);
    }

    /// <summary>True with the given probability.</summary>
    public bool Chance(double probability) => NextDouble() < probability;

    /// <summary>Standard normal (Box and Muller).</summary>
    public double Normal()
    {
        var radius = Math.Sqrt(-2 * Math.Log(1 - NextDouble()));
        return radius * Math.Cos(2 * Math.PI * NextDouble());
    }

    /// <summary>A random order of 0 … <paramref name="count"/> − 1 (Fisher and Yates).</summary>
    public int[] Permutation(int count)
    {
        var order = Enumerable.Range(0, count).ToArray();
        for (var i = count - 1; i > 0; i--)
        {
            var j = Next(i + 1);
            (order[i], order[j]) = (order[j], order[i]);
        }
        return order;
    }
}
