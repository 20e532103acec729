using System.Buffers.Binary;
using System.Text.Json;
using static TorchSharp.torch;

namespace Siamorph.Weights;

/// <summary>Reads and writes the safetensors format: a JSON header, then raw little-endian row-major tensors.</summary>
internal static class SafeTensors
{
    internal static readonly Dictionary<string, ScalarType> TypesByName = new()
    {
        ["F64"] = ScalarType.Float64, ["F32"] = ScalarType.Float32, ["F16"] = ScalarType.Float16,
        ["BF16"] = ScalarType.BFloat16, ["I64"] = ScalarType.Int64, ["I32"] = ScalarType.Int32,
        ["I16"] = ScalarType.Int16, ["I8"] = ScalarType.Int8, ["U8"] = ScalarType.Byte, ["BOOL"] = ScalarType.Bool,
    };

    private static readonly Dictionary<ScalarType, string> NamesByType = TypesByName.ToDictionary(p => p.Value, p => p.Key);

    /// <summary>Reads only the header: names, shapes, types and metadata.</summary>
    /// <exception cref="WeightsFormatException">The file is missing, cut off or damaged.</exception>
    public static SafeTensorsHeader ReadHeader(string path)
    {
        using var file = WeightBytes.Open(path);
        return SafeTensorsHeader.Read(file);
    }

    /// <summary>Reads every tensor, on the CPU in its stored type. The caller (or the dispose scope) owns them.</summary>
    /// <exception cref="WeightsFormatException">The file is missing, cut off or damaged.</exception>
    public static Dictionary<string, Tensor> Read(string path)
    {
        using var file = Open(WeightBytes.Open(path));
        return file.ReadAll();
    }

    internal static WeightsFile Open(WeightBytes file)
    {
        try
        {
            var header = SafeTensorsHeader.Read(file);
            var entries = header.Tensors.Select(e => new WeightEntry(
                e.Name, e.DType, e.Shape, () => e.Packed is { } packed
                    ? packed.Read(file, header.DataStart + e.Begin, e.Shape)
                    : file.ReadTensor(header.DataStart + e.Begin, e.Shape, e.DType)));
            return new(file.Path, WeightsFormat.SafeTensors, entries, header.Metadata, [], [file]);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Writes tensors of any device; the file is whole or absent. Equal contents give equal bytes.</summary>
    /// <exception cref="SiamorphException">The file can't be written.</exception>
    public static void Write(
        string path, IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string>? metadata = null) =>
        Write(path, WeightTable.Of(tensors), metadata);

    /// <summary>Writes stored weights of any format, one tensor in memory at a time; the file is whole or absent.</summary>
    /// <param name="path">Must not be the file that the weights are read from.</param>
    /// <param name="weights">Such as a <see cref="WeightsFile"/>.</param>
    /// <param name="metadata">Free text by key.</param>
    /// <exception cref="SiamorphException">The file can't be written, or the weights can't be read.</exception>
    public static void Write(string path, WeightTable weights, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(weights);
        var ordered = weights.Entries.OrderByDescending(e => ElementSize(e.DType))
            .ThenBy(e => e.Name, StringComparer.Ordinal).ToList();
        AtomicFile.Write(path, stream =>
        {
            WriteHeader(stream, ordered, metadata);
            foreach (var entry in ordered) WriteBytes(stream, entry);
        });
    }

    internal static int ElementSize(ScalarType type) => type switch
    {
        ScalarType.Float64 or ScalarType.Int64 => 8,
        ScalarType.Float32 or ScalarType.Int32 => 4,
        ScalarType.Float16 or ScalarType.BFloat16 or ScalarType.Int16 => 2,
        _ => 1,
    };

    /// <summary>The name of an element type in safetensors files, such as "F32".</summary>
    public static string NameOf(ScalarType type) => NamesByType.TryGetValue(type, out var name) ? name : type.ToString();

    private static void WriteHeader(
        Stream stream, List<WeightEntry> tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject("__metadata__");
                foreach (var (key, value) in metadata) json.WriteString(key, value);
                json.WriteEndObject();
            }
            var at = 0L;
            foreach (var entry in tensors) at = WriteEntry(json, entry, at);
            json.WriteEndObject();
        }
        while (buffer.Length % 8 != 0) buffer.WriteByte((byte)' ');
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, buffer.Length);
        stream.Write(length);
        buffer.WriteTo(stream);
    }

    private static long WriteEntry(Utf8JsonWriter json, WeightEntry entry, long at)
    {
        if (!NamesByType.TryGetValue(entry.DType, out var type))
            throw new ArgumentException($"'{entry.Name}' has type {entry.DType}, which safetensors doesn't know.");
        var end = at + entry.Bytes;
        json.WriteStartObject(entry.Name);
        json.WriteString("dtype", type);
        json.WriteStartArray("shape");
        foreach (var d in entry.Shape) json.WriteNumberValue(d);
        json.WriteEndArray();
        json.WriteStartArray("data_offsets");
        json.WriteNumberValue(at);
        json.WriteNumberValue(end);
        json.WriteEndArray();
        json.WriteEndObject();
        return end;
    }

    private static void WriteBytes(Stream stream, WeightEntry entry)
    {
        if (entry.Elements == 0) return;
        using var scope = NewDisposeScope();
        entry.Read().detach().cpu().contiguous().WriteBytesToStream(stream);
    }
}
