using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;

namespace Siamorph.Weights.PyTorch;

/// <summary>One file within a zip archive, stored without compression.</summary>
/// <param name="Name">Its path within the archive.</param>
/// <param name="Offset">Where its bytes begin in the archive.</param>
/// <param name="Length">How many they are.</param>
/// <param name="Crc">Their CRC-32.</param>
internal sealed record ZipRecord(string Name, long Offset, long Length, uint Crc);

/// <summary>
/// The directory of a zip archive (with zip64), every extent checked: PyTorch stores its tensors uncompressed in one.
/// </summary>
internal static class ZipDirectory
{
    private const int EndLength = 22;
    private const int LongestComment = 65535;

    /// <summary>Every file of the archive, in the order of the directory.</summary>
    /// <exception cref="WeightsFormatException">The archive is cut off, damaged, compressed or encrypted.</exception>
    public static IReadOnlyList<ZipRecord> Read(WeightBytes file)
    {
        var (count, start, length, end) = FindDirectory(file);
        if (start < 0 || length < 0 || start > end || length > end - start || length > int.MaxValue || count < 0
            || count > length / 46)
            throw Damaged(file, "its directory lies outside it");
        if (start + length != end) throw Damaged(file, "its directory has another length than it says");
        var directory = file.Read(start, (int)length);
        var records = new List<ZipRecord>();
        var extents = new List<(long Begin, long End)>();
        var at = 0;
        for (var i = 0L; i < count; i++) at = ReadEntry(file, directory, at, start, records, extents);
        if (at != directory.Length) throw Damaged(file, "its directory has another number of entries than it says");
        extents.Sort();
        for (var i = 1; i < extents.Count; i++)
            if (extents[i].Begin < extents[i - 1].End) throw Damaged(file, "two of its entries overlap");
        if (records.DistinctBy(r => r.Name).Count() != records.Count)
            throw Damaged(file, "two of its entries have the same name");
        return records;
    }

    /// <summary>A fault of the archive.</summary>
    public static WeightsFormatException Damaged(WeightBytes file, string finding) =>
        new($"{file.Path}: not a whole PyTorch file: {finding}. Copy or download it again.");

    /// <summary>Refuses bytes whose checksum is not the record's.</summary>
    public static void Check(WeightBytes file, ZipRecord record, Crc32 sum)
    {
        if (sum.GetCurrentHashAsUInt32() != record.Crc)
            throw Damaged(file, $"the checksum of its entry '{record.Name}' is wrong");
    }

    private static (long Count, long Start, long Length, long End) FindDirectory(WeightBytes file)
    {
        var tailStart = Math.Max(0, file.Length - EndLength - LongestComment);
        var tail = file.Read(tailStart, (int)(file.Length - tailStart)).AsSpan();
        for (var i = tail.Length - EndLength; i >= 0; i--)
        {
            if (!tail[i..].StartsWith("PK\x05\x06"u8)
                || BinaryPrimitives.ReadUInt16LittleEndian(tail[(i + 20)..]) != tail.Length - EndLength - i) continue;
            var end = tail[i..];
            if (BinaryPrimitives.ReadUInt32LittleEndian(end[4..]) != 0) throw Damaged(file, "it is one part of several");
            var count = BinaryPrimitives.ReadUInt16LittleEndian(end[10..]);
            if (BinaryPrimitives.ReadUInt16LittleEndian(end[8..]) != count)
                throw Damaged(file, "its directory contradicts itself");
            var (length, start) = (BinaryPrimitives.ReadUInt32LittleEndian(end[12..]),
                BinaryPrimitives.ReadUInt32LittleEndian(end[16..]));
            return i >= 20 && tail[(i - 20)..].StartsWith("PK\x06\x07"u8)
                ? FindLongDirectory(file, tailStart + i - 20)
                : (count, start, length, tailStart + i);
        }
        throw Damaged(file, $"its {file.Length} bytes end without the directory that closes it, so it is cut off");
    }

    private static (long Count, long Start, long Length, long End) FindLongDirectory(WeightBytes file, long locator)
    {
        var place = BinaryPrimitives.ReadInt64LittleEndian(file.Read(locator, 20).AsSpan(8));
        if (place < 0 || place > locator - 56) throw Damaged(file, "its directory lies outside it");
        var end = file.Read(place, 56).AsSpan();
        if (!end.StartsWith("PK\x06\x06"u8)) throw Damaged(file, "its directory is not where it says");
        return (BinaryPrimitives.ReadInt64LittleEndian(end[32..]), BinaryPrimitives.ReadInt64LittleEndian(end[48..]),
            BinaryPrimitives.ReadInt64LittleEndian(end[40..]), place);
    }

    private static int ReadEntry(
        WeightBytes file, ReadOnlySpan<byte> directory, int at, long directoryStart, List<ZipRecord> records,
        List<(long, long)> extents)
    {
        var entry = directory[at..];
        if (entry.Length < 46 || !entry.StartsWith("PK\x01\x02"u8)) throw Damaged(file, "its directory is garbled");
        var (flags, method) = (BinaryPrimitives.ReadUInt16LittleEndian(entry[8..]),
            BinaryPrimitives.ReadUInt16LittleEndian(entry[10..]));
        var crc = BinaryPrimitives.ReadUInt32LittleEndian(entry[16..]);
        int nameLength = BinaryPrimitives.ReadUInt16LittleEndian(entry[28..]),
            extraLength = BinaryPrimitives.ReadUInt16LittleEndian(entry[30..]);
        var whole = 46 + nameLength + extraLength + BinaryPrimitives.ReadUInt16LittleEndian(entry[32..]);
        if (whole > entry.Length) throw Damaged(file, "its directory is garbled");
        var nameBytes = entry.Slice(46, nameLength);
        var name = Encoding.UTF8.GetString(nameBytes);
        var (stored, length, local) = Extents(file, entry, entry.Slice(46 + nameLength, extraLength));
        if ((flags & 1) != 0) throw Damaged(file, $"its entry '{name}' is encrypted");
        if (method != 0 || stored != length)
            throw new WeightsFormatException(
                $"{file.Path}: its entry '{name}' is compressed, which PyTorch never does: unpack the archive and name the "
                    + $"weight file in it.");
        var begin = local < 0 || local > directoryStart - 30 ? -1 : DataStart(file, local, nameBytes);
        if (begin < 0 || length < 0 || length > directoryStart - begin)
            throw Damaged(file, $"its entry '{name}' lies outside it");
        extents.Add((local, begin + length));
        if (!name.EndsWith('/')) records.Add(new(name, begin, length, crc));
        return at + whole;
    }

    // Sizes and offset; each that doesn't fit 32 bits stands in the zip64 field, in this order.
    private static (long Stored, long Length, long Local) Extents(
        WeightBytes file, ReadOnlySpan<byte> entry, ReadOnlySpan<byte> extra)
    {
        Span<long> values = [
            BinaryPrimitives.ReadUInt32LittleEndian(entry[24..]), BinaryPrimitives.ReadUInt32LittleEndian(entry[20..]),
            BinaryPrimitives.ReadUInt32LittleEndian(entry[42..])];
        while (extra.Length >= 4)
        {
            var (id, size) = (BinaryPrimitives.ReadUInt16LittleEndian(extra),
                BinaryPrimitives.ReadUInt16LittleEndian(extra[2..]));
            if (size > extra.Length - 4) break;
            var field = extra.Slice(4, size);
            for (var i = 0; id == 1 && i < values.Length; i++)
            {
                if (values[i] != uint.MaxValue) continue;
                if (field.Length < 8) throw Damaged(file, "its directory is garbled");
                values[i] = BinaryPrimitives.ReadInt64LittleEndian(field);
                field = field[8..];
            }
            extra = extra[(4 + size)..];
        }
        return (values[1], values[0], values[2]);
    }

    private static long DataStart(WeightBytes file, long local, ReadOnlySpan<byte> name)
    {
        var header = file.Read(local, 30 + name.Length).AsSpan();
        if (header.Length < 30 + name.Length || !header.StartsWith("PK\x03\x04"u8) || !header[30..].SequenceEqual(name)
            || BinaryPrimitives.ReadUInt16LittleEndian(header[26..]) != name.Length)
            throw Damaged(file, $"its entry '{Encoding.UTF8.GetString(name)}' is not where its directory says");
        return local + 30 + name.Length + BinaryPrimitives.ReadUInt16LittleEndian(header[28..]);
    }
}
