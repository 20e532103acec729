using System.Buffers.Binary;
using System.IO.Compression;

namespace Siamorph.Imaging;

// 16-bit grey PNG (not interlaced), as labelling tools write masks: the common codec keeps the upper byte only and
// would lose class numbers.
internal static class Png16
{
    private const int HeaderLength = 8 + 8 + 13 + 4;

    internal static GreyImage? TryReadGrey(string path, byte[] file)
    {
        if (!IsGrey16(file)) return null;
        var size = new ImageSize(
            BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(16)), BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(20)));
        ImageFile.RefuseHuge(path, size);
        try
        {
            return new GreyImage(size, ToLevels(Samples(file, size)), Lossless: true);
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or ArgumentOutOfRangeException)
        {
            throw new InvalidDatasetException($"{path}: the picture is cut off or damaged. Replace the file or remove the pair.", e);
        }
    }

    private static bool IsGrey16(ReadOnlySpan<byte> file) =>
        file.Length > HeaderLength && file[..4].SequenceEqual<byte>([0x89, 0x50, 0x4E, 0x47])
        && file[24] == 16 && file[25] == 0 && file[28] == 0;

    private static ushort[] Samples(byte[] file, ImageSize size)
    {
        using var inflated = new ZLibStream(new MemoryStream(ImageData(file)), CompressionMode.Decompress);
        var stride = 2 * size.Width;
        var (row, above) = (new byte[stride], new byte[stride]);
        var samples = new ushort[size.Width * size.Height];
        for (var y = 0; y < size.Height; y++)
        {
            var filter = inflated.ReadByte();
            inflated.ReadExactly(row);
            Unfilter(filter, row, above);
            for (var x = 0; x < size.Width; x++)
                samples[y * size.Width + x] = BinaryPrimitives.ReadUInt16BigEndian(row.AsSpan(2 * x));
            (row, above) = (above, row);
        }
        return samples;
    }

    private static byte[] ImageData(byte[] file)
    {
        using var joined = new MemoryStream();
        for (var at = 8; ;)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(at));
            var kind = file.AsSpan(at + 4, 4);
            if (kind.SequenceEqual("IEND"u8)) return joined.ToArray();
            if (kind.SequenceEqual("IDAT"u8)) joined.Write(file.AsSpan(at + 8, length));
            at = checked(at + 12 + length);
        }
    }

    private static void Unfilter(int filter, byte[] row, byte[] above)
    {
        for (var i = 0; i < row.Length; i++)
        {
            int left = i >= 2 ? row[i - 2] : 0, corner = i >= 2 ? above[i - 2] : 0;
            row[i] += (byte)(filter switch
            {
                0 => 0,
                1 => left,
                2 => above[i],
                3 => (left + above[i]) / 2,
                4 => Paeth(left, above[i], corner),
                _ => throw new InvalidDataException("Unknown PNG filter."),
            });
        }
    }

    private static int Paeth(int left, int up, int corner)
    {
        var estimate = left + up - corner;
        int dl = Math.Abs(estimate - left), du = Math.Abs(estimate - up), dc = Math.Abs(estimate - corner);
        return dl <= du && dl <= dc ? left : du <= dc ? up : corner;
    }

    internal static byte[] ToLevels(ushort[] samples)
    {
        var narrow = samples.All(s => s <= 255);
        return Array.ConvertAll(samples, s => (byte)(narrow ? s : s >> 8));
    }
}
