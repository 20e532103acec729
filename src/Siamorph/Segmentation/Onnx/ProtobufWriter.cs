using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Siamorph.Segmentation.Onnx;

/// <summary>
/// Writes protocol buffer fields, of which ONNX files consist: each a tag, then a number, 4 bytes, or a length with bytes.
/// </summary>
internal sealed class ProtobufWriter
{
    private readonly ArrayBufferWriter<byte> _bytes = new();

    public void Number(int field, long value)
    {
        Varint((ulong)(field << 3));
        Varint((ulong)value);
    }

    public void Single(int field, float value)
    {
        Varint((ulong)(field << 3 | 5));
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
        _bytes.Write(bytes);
    }

    public void Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

    public void Bytes(int field, ReadOnlySpan<byte> value)
    {
        Varint((ulong)(field << 3 | 2));
        Varint((ulong)value.Length);
        _bytes.Write(value);
    }

    /// <summary>A message within this one.</summary>
    public void Message(int field, Action<ProtobufWriter> write)
    {
        var inner = new ProtobufWriter();
        write(inner);
        Bytes(field, inner._bytes.WrittenSpan);
    }

    /// <summary>Fields written elsewhere.</summary>
    public void Append(ProtobufWriter other) => _bytes.Write(other._bytes.WrittenSpan);

    public byte[] ToArray() => _bytes.WrittenSpan.ToArray();

    private void Varint(ulong value)
    {
        Span<byte> bytes = stackalloc byte[10];
        var length = 0;
        for (; value >= 0x80; value >>= 7) bytes[length++] = (byte)(value | 0x80);
        bytes[length++] = (byte)value;
        _bytes.Write(bytes[..length]);
    }
}
