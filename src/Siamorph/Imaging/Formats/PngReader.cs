using System.IO.Hashing;
using System.Buffers.Binary;
using System.IO.Compression;

namespace Siamorph.Imaging.Formats;

// PNG of every depth, colour type and interlacing, as stored: the common codec scales low depths and turns places in a
// palette into colours, which loses what a mask means (PNG specification, third edition, W3C 2025).
internal static class PngReader
{
    private const int SignatureLength = 8, HeaderLength = 13, Around = 12; // length, kind and checksum of a chunk
    private const int Grey = 0, Rgb = 2, Indexed = 3, GreyAlpha = 4, Rgba = 6;

    internal static bool IsPng(ReadOnlySpan<byte> file) =>
        file.StartsWith((ReadOnlySpan<byte>)[0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]);

    internal static bool IsWide(ReadOnlySpan<byte> file) => file.Length > SignatureLength + 8 + HeaderLength && IsPng(file)
        && file[24] == 16;

    /// <exception cref="InvalidDatasetException">The file is damaged, cut off, too large, or an animation.</exception>
    internal static StoredImage Read(string path, byte[] file)
    {
        try
        {
            var chunks = PngChunks.Read(file);
            StoredImage.RefuseSeveral(path, chunks.Frames, "frames");
            var layout = new PngLayout(chunks.Header.Span);
            ImageFile.RefuseHuge(path, layout.Size);
            if (!layout.IsValid) throw new InvalidDataException("Impossible header.");
            StoredImage.RefuseHollow(path, layout.Size, layout.Channels * layout.Bits / 8.0,
                (chunks.Data.Length, StoredImage.Deflated));
            using var inflated = new ZLibStream(new MemoryStream(chunks.Data), CompressionMode.Decompress);
            var numbers = PngPixels.Read(inflated, layout);
            return new StoredImage(layout.Size, layout.Channels, layout.Bits)
            {
                Numbers = numbers,
                HasAlpha = layout.ColourType is GreyAlpha or Rgba,
                Palette = layout.ColourType == Indexed ? chunks.Palette : null,
                StatedMaximum = chunks.SignificantBits is > 0 and < 16 and var bits && layout.Bits == 16 ? (1 << bits) - 1 : 0,
            };
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or ArgumentException
            or IndexOutOfRangeException or OverflowException)
        {
            throw StoredImage.Damaged(path, e);
        }
    }

    // What the header says.
    internal readonly struct PngLayout
    {
        internal PngLayout(ReadOnlySpan<byte> header)
        {
            if (header.Length != HeaderLength) throw new InvalidDataException("No header.");
            Size = new ImageSize(BinaryPrimitives.ReadInt32BigEndian(header), BinaryPrimitives.ReadInt32BigEndian(header[4..]));
            (Bits, ColourType, Interlaced) = (header[8], header[9], header[12] == 1);
            var methods = header[10] == 0 && header[11] == 0 && header[12] <= 1;
            IsValid = methods && ColourType switch
            {
                Grey => Bits is 1 or 2 or 4 or 8 or 16,
                Indexed => Bits is 1 or 2 or 4 or 8,
                Rgb or GreyAlpha or Rgba => Bits is 8 or 16,
                _ => false,
            };
        }

        internal ImageSize Size { get; }

        internal int Bits { get; }

        internal int ColourType { get; }

        internal bool Interlaced { get; }

        internal bool IsValid { get; }

        internal int Channels => ColourType switch { Rgb => 3, GreyAlpha => 2, Rgba => 4, _ => 1 };

        // Bytes that a row of this many pixels takes.
        internal int Stride(int width) => (width * Channels * Bits + 7) / 8;
    }

    // The chunks that matter, put together; the checksum of each of them is held to.
    private sealed record PngChunks(ReadOnlyMemory<byte> Header, byte[] Data, byte[] Palette, int Frames, int SignificantBits)
    {
        internal static PngChunks Read(byte[] file)
        {
            ReadOnlyMemory<byte> header = default;
            using var data = new MemoryStream();
            byte[] palette = [];
            int frames = 1, significant = 0;
            for (var at = SignatureLength; ;)
            {
                var length = BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(at, 4));
                if (length < 0) throw new InvalidDataException("Impossible chunk.");
                var kind = file.AsSpan(at + 4, 4);
                var body = file.AsSpan(at + 8, length);
                var critical = char.IsUpper((char)kind[0]);
                if (critical && Crc32.HashToUInt32(file.AsSpan(at + 4, 4 + length)) != BinaryPrimitives.ReadUInt32BigEndian(
                    file.AsSpan(at + 8 + length, 4)))
                    throw new InvalidDataException("Checksum.");
                if (kind.SequenceEqual("IEND"u8)) return new(header, data.ToArray(), palette, frames, significant);
                if (kind.SequenceEqual("IHDR"u8)) header = file.AsMemory(at + 8, length);
                else if (kind.SequenceEqual("IDAT"u8)) data.Write(body);
                else if (kind.SequenceEqual("PLTE"u8)) palette = body.ToArray();
                else if (kind.SequenceEqual("acTL"u8) && length >= 4) frames = BinaryPrimitives.ReadInt32BigEndian(body);
                else if (kind.SequenceEqual("sBIT"u8) && length >= 1) significant = body[..Math.Min(length, 3)].ToArray().Max();
                at = checked(at + Around + length);
            }
        }
    }
}
