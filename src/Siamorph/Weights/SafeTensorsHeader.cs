using System.Buffers.Binary;
using System.Text.Json;
using TorchSharp;

namespace Siamorph.Weights;

/// <summary>One tensor of a safetensors file.</summary>
/// <param name="Name">Its key.</param>
/// <param name="DType">Element type.</param>
/// <param name="Shape">Sizes, outermost first; empty for a scalar.</param>
/// <param name="Begin">First byte, counted from the end of the header.</param>
/// <param name="End">One past the last byte, counted from the end of the header.</param>
internal sealed record TensorEntry(string Name, torch.ScalarType DType, long[] Shape, long Begin, long End)
{
    /// <summary>
    /// How the file keeps the numbers in 8 bits, which are read as 16; null where they are kept as <see cref="DType"/>.
    /// </summary>
    internal EightBitFloat? Packed { get; init; }
}

/// <summary>What a safetensors file says it holds, checked against its length before anything is allocated.</summary>
/// <param name="Tensors">The tensors in the order of their bytes.</param>
/// <param name="Metadata">Free text the writer left, by key.</param>
/// <param name="DataStart">Where the first tensor's bytes begin in the file.</param>
internal sealed record SafeTensorsHeader(
    IReadOnlyList<TensorEntry> Tensors, IReadOnlyDictionary<string, string> Metadata, long DataStart)
{
    private const long LongestHeader = 100_000_000; // the format's own limit

    internal static SafeTensorsHeader Read(WeightBytes file)
    {
        var path = file.Path;
        var prefix = file.Read(0, 8);
        FileKind.ThrowIfText(file, file.Read(0, 512));
        if (prefix.Length < 8) throw Damaged(path, $"has only {file.Length} bytes");
        var length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length > LongestHeader) throw Damaged(path, $"claims a header of {length} bytes, more than the format allows");
        if ((long)length > file.Length - 8) throw Damaged(path, $"claims a header of {length} bytes, the file has {file.Length}");
        return Parse(file.Read(8, (int)length), path, 8 + (long)length, file.Length);
    }

    private static SafeTensorsHeader Parse(byte[] json, string path, long dataStart, long fileLength)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false });
            var metadata = new Dictionary<string, string>();
            var tensors = new List<TensorEntry>();
            foreach (var property in document.RootElement.EnumerateObject())
            {
                if (property.Name != "__metadata__") tensors.Add(Entry(property, path));
                else foreach (var item in property.Value.EnumerateObject()) metadata[item.Name] = item.Value.GetString() ?? "";
            }
            tensors.Sort((a, b) => a.Begin != b.Begin ? a.Begin.CompareTo(b.Begin) : a.End.CompareTo(b.End));
            CheckExtents(tensors, path, fileLength - dataStart);
            return new(tensors, metadata, dataStart);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or OverflowException
            or KeyNotFoundException)
        {
            throw new WeightsFormatException(Damaged(path, $"has a header that can't be read ({e.Message})").Message, e);
        }
    }

    private static TensorEntry Entry(JsonProperty property, string path)
    {
        var dtype = property.Value.GetProperty("dtype").GetString() ?? "";
        var shape = property.Value.GetProperty("shape").EnumerateArray().Select(d => d.GetInt64()).ToArray();
        var offsets = property.Value.GetProperty("data_offsets").EnumerateArray().Select(d => d.GetInt64()).ToArray();
        var packed = EightBitFloat.Named(dtype);
        if (!SafeTensors.TypesByName.TryGetValue(dtype, out var type) && packed is null)
            throw new WeightsFormatException(
                $"{path}: tensor '{property.Name}' has the element type '{dtype}', which is not read here. Write the file with "
                    + $"F32, F16, BF16 or F8_E4M3 in the program that it comes from.");
        if (packed is not null) type = torch.ScalarType.Float16;
        if (offsets.Length != 2 || shape.Length > 64 || shape.Any(d => d < 0))
            throw Damaged(path, $"tensor '{property.Name}' has an impossible shape or extent");
        var bytes = checked(shape.Aggregate(1L, (n, d) => checked(n * d)) * (packed is null ? SafeTensors.ElementSize(type) : 1));
        if (offsets[0] < 0 || checked(offsets[1] - offsets[0]) != bytes)
            throw Damaged(path, $"tensor '{property.Name}' needs {bytes} bytes but is given {offsets[1] - offsets[0]}");
        return new(property.Name, type, shape, offsets[0], offsets[1]) { Packed = packed };
    }

    private static void CheckExtents(List<TensorEntry> tensors, string path, long available)
    {
        var at = 0L;
        foreach (var tensor in tensors)
        {
            if (tensor.End > available)
                throw Damaged(path, $"tensor '{tensor.Name}' ends at byte {tensor.End}, the file at {available}");
            if (tensor.Begin != at)
                throw Damaged(path, $"tensor '{tensor.Name}' begins at byte {tensor.Begin} where {at} was due");
            at = tensor.End;
        }
        if (at != available) throw Damaged(path, $"has {available - at} bytes after its last tensor");
    }

    private static WeightsFormatException Damaged(string path, string finding) =>
        new($"{path}: not a whole safetensors file: {finding}. Copy or download it again.");
}
