using System.Diagnostics.CodeAnalysis;
using static TorchSharp.torch;

namespace Siamorph.Weights;

/// <summary>A stored tensor that has not been read yet.</summary>
internal sealed class WeightEntry
{
    private readonly Func<Tensor> _read;

    /// <summary>Describes a tensor and how to read it.</summary>
    /// <param name="name">Its key.</param>
    /// <param name="dtype">Element type as stored.</param>
    /// <param name="shape">Sizes, outermost first; empty for a scalar.</param>
    /// <param name="read">Gives a fresh CPU tensor of that shape and type, which the caller then owns.</param>
    public WeightEntry(string name, ScalarType dtype, IReadOnlyList<long> shape, Func<Tensor> read) =>
        (Name, DType, Shape, _read) = (name, dtype, shape, read);

    /// <summary>Its key.</summary>
    public string Name { get; }

    /// <summary>Element type as stored.</summary>
    public ScalarType DType { get; }

    /// <summary>Sizes, outermost first; empty for a scalar.</summary>
    public IReadOnlyList<long> Shape { get; }

    /// <summary>Number of elements.</summary>
    public long Elements => Shape.Aggregate(1L, (n, d) => n * d);

    /// <summary>Bytes of the values as stored.</summary>
    public long Bytes => Elements * SafeTensors.ElementSize(DType);

    /// <summary>Reads the values; the caller (or the dispose scope) owns the tensor.</summary>
    /// <param name="dtype">Element type to convert to; null keeps the stored one.</param>
    /// <exception cref="WeightsFormatException">The file has become shorter, or its checksum is wrong.</exception>
    public Tensor Read(ScalarType? dtype = null)
    {
        var stored = _read();
        if (dtype is null || dtype == stored.dtype) return stored;
        using (stored) return stored.to(dtype.Value);
    }

    /// <summary>The same values under another name and, where one is given, another shape of as many elements.</summary>
    public WeightEntry As(string name, long[]? shape = null)
    {
        if (shape is null || shape.SequenceEqual(Shape)) return new(name, DType, Shape, _read);
        return new(name, DType, shape, () =>
        {
            using var stored = _read();
            return stored.reshape(shape);
        });
    }

    /// <summary>The same values converted when they are read; whole numbers and truth values stay as they are.</summary>
    /// <param name="floats">Element type of the result; null keeps the stored one.</param>
    public WeightEntry In(ScalarType? floats) => floats is not { } type || type == DType || !IsFloat(DType)
        ? this
        : new(Name, type, Shape, () => Read(type));

    /// <summary>Such as "conv_in.weight F32 [320,4,3,3]".</summary>
    public override string ToString() => $"{Name} {SafeTensors.NameOf(DType)} {ShapeText}";

    private static bool IsFloat(ScalarType type) =>
        type is ScalarType.Float64 or ScalarType.Float32 or ScalarType.Float16 or ScalarType.BFloat16;

    internal string ShapeText => $"[{string.Join(",", Shape)}]";
}

/// <summary>Stored tensors by name, read one at a time when asked for.</summary>
internal class WeightTable
{
    private readonly Dictionary<string, WeightEntry> _byName;

    /// <summary>A table of entries in the given order.</summary>
    /// <exception cref="WeightsFormatException">A name occurs twice.</exception>
    public WeightTable(IEnumerable<WeightEntry> entries)
    {
        Entries = [.. entries];
        _byName = new(Entries.Count, StringComparer.Ordinal);
        foreach (var entry in Entries)
            if (!_byName.TryAdd(entry.Name, entry)) throw new WeightsFormatException($"The tensor '{entry.Name}' occurs twice.");
    }

    /// <summary>A table of tensors that are in memory already; they stay the caller's.</summary>
    public static WeightTable Of(IReadOnlyDictionary<string, Tensor> tensors)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        return new(tensors.Select(t => new WeightEntry(t.Key, t.Value.dtype, t.Value.shape, () => t.Value.alias())));
    }

    /// <summary>Every tensor, in the order of the file.</summary>
    public IReadOnlyList<WeightEntry> Entries { get; }

    /// <summary>Every name, in the order of the file.</summary>
    public IEnumerable<string> Names => Entries.Select(e => e.Name);

    /// <summary>The tensor of a name.</summary>
    /// <exception cref="WeightsMismatchException">There is none.</exception>
    public WeightEntry this[string name] => _byName.TryGetValue(name, out var entry) ? entry : throw new WeightsMismatchException(
        $"There is no tensor '{name}'"
            + (ClosestName.To(name, _byName.Keys) is { } near ? $"; the nearest name is '{near}'." : "."));

    /// <summary>Whether there is a tensor of this name.</summary>
    public bool Contains(string name) => _byName.ContainsKey(name);

    /// <summary>The tensor of a name, where there is one.</summary>
    public bool TryGet(string name, [NotNullWhen(true)] out WeightEntry? entry) => _byName.TryGetValue(name, out entry);

    /// <summary>Reads one tensor, on the CPU; the caller (or the dispose scope) owns it.</summary>
    /// <param name="name">Its key.</param>
    /// <param name="dtype">Element type to convert to; null keeps the stored one.</param>
    /// <exception cref="WeightsMismatchException">There is none.</exception>
    /// <exception cref="WeightsFormatException">The file has become shorter, or its checksum is wrong.</exception>
    public Tensor Read(string name, ScalarType? dtype = null) => this[name].Read(dtype);

    /// <summary>Reads every tensor, on the CPU; the caller (or the dispose scope) owns them.</summary>
    /// <param name="dtype">Element type to convert to; null keeps the stored ones.</param>
    public Dictionary<string, Tensor> ReadAll(ScalarType? dtype = null) => Entries.ToDictionary(e => e.Name, e => e.Read(dtype));

    /// <summary>The tensors under a prefix such as "control_model.", with the prefix removed.</summary>
    public WeightTable Under(string prefix) =>
        new(Entries.Where(e => e.Name.StartsWith(prefix, StringComparison.Ordinal)).Select(e => e.As(e.Name[prefix.Length..])));
}
