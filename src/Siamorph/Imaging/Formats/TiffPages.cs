using System.Buffers.Binary;

namespace Siamorph.Imaging.Formats;

// Walks the chain of directories of a TIFF file (TIFF 6.0) before the decoder does: it counts the pages, and finds entries that
// claim more than the file can hold, for which the decoder would take gigabytes.
internal static class TiffPages
{
    private const int EntryLength = 12, Width = 256, Height = 257, NewSubfileType = 254, StripOffsets = 273, StripLengths = 279,
    TileOffsets = 324, TileLengths = 325;
    private const uint Reduced = 1, Transparency = 4;
    private static readonly int[] TypeSizes = [1, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 1]; // none or unknown: at least a byte

    private readonly record struct Entry(int Tag, int Type, uint Count, uint Value, int At);

    /// <summary>How many pages there are; thumbnails and transparency masks don't count.</summary>
    internal static int Count(ReadOnlySpan<byte> file)
    {
        var pages = 0;
        foreach (var directory in Directories(file))
            if (!directory.Any(e => e.Tag == NewSubfileType && (e.Value & (Reduced | Transparency)) != 0)) pages++;
        return pages;
    }

    /// <exception cref="InvalidDatasetException">An entry is longer than the file, or the image is too large.</exception>
    internal static void RefuseImpossible(string path, ReadOnlySpan<byte> file)
    {
        foreach (var directory in Directories(file))
        {
            foreach (var entry in directory)
                if ((long)TypeSizes[Math.Min(entry.Type, TypeSizes.Length - 1)] * entry.Count > file.Length)
                    throw StoredImage.Damaged(path);
            foreach (var entry in directory.Where(e => e.Tag is StripOffsets or StripLengths or TileOffsets or TileLengths))
                for (var i = 0u; i < entry.Count; i++)
                    if (Element(file, entry, i) > file.Length) throw StoredImage.Damaged(path);
            uint? Size(int tag) => directory.Where(e => e.Tag == tag).Select(e => (uint?)e.Value).FirstOrDefault();
            if (Size(Width) is { } width && Size(Height) is { } height)
                ImageFile.RefuseHuge(path, new((int)Math.Min(width, int.MaxValue), (int)Math.Min(height, int.MaxValue)));
        }
    }

    private static List<List<Entry>> Directories(ReadOnlySpan<byte> file)
    {
        var little = file[0] == 0x49;
        var seen = new HashSet<uint>();
        var directories = new List<List<Entry>>();
        for (var at = Long(file, 4, little); at != 0 && at <= file.Length - 6 && seen.Add(at);)
        {
            var count = Short(file, (int)at, little);
            var end = at + 2 + (long)count * EntryLength;
            if (end + 4 > file.Length)
            {
                directories.Add([new(0, 0, uint.MaxValue, 0, (int)at)]); // cut off: no entry is that long
                break;
            }
            var entries = new List<Entry>(count);
            for (var i = 0; i < count; i++)
            {
                var entry = (int)at + 2 + i * EntryLength;
                var type = Short(file, entry + 2, little);
                // A short stands in the first half of the place for a long.
                var value = type == 3 ? (uint)Short(file, entry + 8, little) : Long(file, entry + 8, little);
                entries.Add(new(Short(file, entry, little), type, Long(file, entry + 4, little), value, entry));
            }
            directories.Add(entries);
            at = Long(file, (int)end, little);
        }
        return directories;
    }

    // Elements that fit into four bytes stand in the entry itself, others where it points to.
    private static long Element(ReadOnlySpan<byte> file, Entry entry, uint i)
    {
        if (entry.Type is not (3 or 4)) return 0;
        var (little, size) = (file[0] == 0x49, TypeSizes[entry.Type]);
        long start = (long)size * entry.Count <= 4 ? entry.At + 8 : Long(file, entry.At + 8, little);
        var at = start + (long)size * i;
        return at + size > file.Length ? long.MaxValue : size == 2 ? Short(file, (int)at, little) : Long(file, (int)at, little);
    }

    private static int Short(ReadOnlySpan<byte> file, int at, bool little) =>
        little ? BinaryPrimitives.ReadUInt16LittleEndian(file[at..]) : BinaryPrimitives.ReadUInt16BigEndian(file[at..]);

    private static uint Long(ReadOnlySpan<byte> file, int at, bool little) => file.Length < at + 4 ? 0
        : little ? BinaryPrimitives.ReadUInt32LittleEndian(file[at..]) : BinaryPrimitives.ReadUInt32BigEndian(file[at..]);
}
