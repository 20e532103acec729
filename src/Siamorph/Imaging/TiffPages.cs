using System.Buffers.Binary;

namespace Siamorph.Imaging;

// Counts the pages of a TIFF file by its chain of directories (TIFF 6.0); thumbnails and transparency masks don't count.
internal static class TiffPages
{
    private const int EntryLength = 12, NewSubfileType = 254;
    private const uint Reduced = 1, Transparency = 4;

    internal static int Count(ReadOnlySpan<byte> file)
    {
        var little = file[0] == 0x49;
        var seen = new HashSet<uint>();
        var pages = 0;
        for (var at = Long(file, 4, little); at != 0 && at <= file.Length - 6 && seen.Add(at);)
        {
            var entries = Short(file, (int)at, little);
            var end = at + 2 + (long)entries * EntryLength;
            if (end + 4 > file.Length) break; // the decoder says what is wrong with it
            uint kind = 0;
            for (var i = 0; i < entries; i++)
            {
                var entry = (int)at + 2 + i * EntryLength;
                if (Short(file, entry, little) == NewSubfileType) kind = Long(file, entry + 8, little);
            }
            if ((kind & (Reduced | Transparency)) == 0) pages++;
            at = Long(file, (int)end, little);
        }
        return pages;
    }

    private static int Short(ReadOnlySpan<byte> file, int at, bool little) =>
        little ? BinaryPrimitives.ReadUInt16LittleEndian(file[at..]) : BinaryPrimitives.ReadUInt16BigEndian(file[at..]);

    private static uint Long(ReadOnlySpan<byte> file, int at, bool little) => file.Length < at + 4 ? 0
        : little ? BinaryPrimitives.ReadUInt32LittleEndian(file[at..]) : BinaryPrimitives.ReadUInt32BigEndian(file[at..]);
}
