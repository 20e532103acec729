using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;

namespace Siamorph.Imaging.Formats;

/// <summary>Writes grey PNG files of 16 bits, which the codec library does not (PNG specification, third edition).</summary>
internal static class PngWriter
{
    /// <summary>A file of one grey channel.</summary>
    /// <param name="size">Its size.</param>
    /// <param name="levels">0 to 65535, row by row.</param>
    public static byte[] Grey16(ImageSize size, ReadOnlySpan<ushort> levels)
    {
        using var file = new MemoryStream();
        file.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]);
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, size.Width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), size.Height);
        header[8] = 16; // bits; the colour type after it, 0, is grey
        Chunk(file, "IHDR"u8, header);
        Chunk(file, "IDAT"u8, Compressed(size, levels));
        Chunk(file, "IEND"u8, []);
        return file.ToArray();
    }

    private static byte[] Compressed(ImageSize size, ReadOnlySpan<ushort> levels)
    {
        using var memory = new MemoryStream();
        using (var packed = new ZLibStream(memory, CompressionLevel.Optimal))
        {
            var row = new byte[1 + 2 * size.Width]; // begins with its filter, none
            for (var y = 0; y < size.Height; y++)
            {
                for (var x = 0; x < size.Width; x++)
                    BinaryPrimitives.WriteUInt16BigEndian(row.AsSpan(1 + 2 * x), levels[y * size.Width + x]);
                packed.Write(row);
            }
        }
        return memory.ToArray();
    }

    private static void Chunk(MemoryStream file, ReadOnlySpan<byte> kind, ReadOnlySpan<byte> data)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        file.Write(number);
        file.Write(kind);
        file.Write(data);
        var sum = new Crc32();
        sum.Append(kind);
        sum.Append(data);
        BinaryPrimitives.WriteUInt32BigEndian(number, sum.GetCurrentHashAsUInt32());
        file.Write(number);
    }
}
