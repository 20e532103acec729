using System.Buffers.Binary;

namespace Siamorph.Imaging.Formats;

// Places in the palette of an uncompressed BMP of 1, 4 or 8 bits; other BMP files are images of levels.
internal static class BmpIndices
{
    private const int HeaderLength = 54;

    internal static bool IsBmp(ReadOnlySpan<byte> file) => file.StartsWith("BM"u8);

    // Null where the file has no palette, or is packed; damage is for the common codec to name.
    internal static StoredImage? TryRead(string path, ReadOnlySpan<byte> file)
    {
        if (file.Length < HeaderLength || !IsBmp(file)) return null;
        var (pixels, header) = (Number(file, 10), Number(file, 14));
        var size = new ImageSize(Number(file, 18), (int)Math.Min(int.MaxValue, Math.Abs((long)Number(file, 22))));
        int bits = BinaryPrimitives.ReadUInt16LittleEndian(file[28..]), compression = Number(file, 30);
        if (header < 40 || compression != 0 || bits is not (1 or 4 or 8)) return null;
        ImageFile.RefuseHuge(path, size);
        var stride = (size.Width * bits + 31) / 32 * 4;
        if (pixels < HeaderLength || pixels + (long)stride * size.Height > file.Length) return null;
        var colours = Math.Min(Number(file, 46) is > 0 and <= 256 and var used ? used : 1 << bits, (pixels - 14 - header) / 4);
        if (colours < 1) return null;
        return new(size, 1, bits)
        {
            Numbers = Rows(file[pixels..], size, bits, (stride, Number(file, 22) < 0)),
            Palette = Colours(file.Slice(14 + header, 4 * colours)),
        };
    }

    private static uint[] Rows(ReadOnlySpan<byte> data, ImageSize size, int bits, (int Stride, bool TopDown) layout)
    {
        var numbers = new uint[size.Width * size.Height];
        for (var y = 0; y < size.Height; y++)
        {
            var row = data.Slice((layout.TopDown ? y : size.Height - 1 - y) * layout.Stride, layout.Stride);
            for (var x = 0; x < size.Width; x++)
                numbers[y * size.Width + x] = (uint)(row[x * bits / 8] >> (8 - bits - x * bits % 8) & ((1 << bits) - 1));
        }
        return numbers;
    }

    private static byte[] Colours(ReadOnlySpan<byte> table)
    {
        var palette = new byte[table.Length / 4 * 3];
        for (var i = 0; i < table.Length / 4; i++)
            (palette[3 * i], palette[3 * i + 1], palette[3 * i + 2]) = (table[4 * i + 2], table[4 * i + 1], table[4 * i]);
        return palette;
    }

    private static int Number(ReadOnlySpan<byte> file, int at) => BinaryPrimitives.ReadInt32LittleEndian(file[at..]);
}
