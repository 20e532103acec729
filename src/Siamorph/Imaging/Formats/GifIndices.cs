using System.Buffers.Binary;

namespace Siamorph.Imaging.Formats;

// Places in the palette of a GIF of one frame that fills its canvas (GIF89a specification); the common codec gives colours only.
internal static class GifIndices
{
    private const int MostCodes = 4096;

    internal static bool IsGif(ReadOnlySpan<byte> file) => file.StartsWith("GIF8"u8);

    // Null where the frame is only a part of the image; damage is for the common codec to name.
    internal static StoredImage? TryRead(string path, byte[] file)
    {
        try
        {
            return Read(path, file);
        }
        catch (Exception e) when (e is ArgumentException or IndexOutOfRangeException or InvalidDataException)
        {
            throw StoredImage.Damaged(path, e);
        }
    }

    private static StoredImage? Read(string path, byte[] file)
    {
        var canvas = new ImageSize(Short(file, 6), Short(file, 8));
        ImageFile.RefuseHuge(path, canvas);
        StoredImage.RefuseHollow(path, canvas, 1, (file.Length, StoredImage.Lzw));
        var at = 13;
        var colours = Table(file, file[10], ref at);
        for (; file[at] != 0x3B;)
        {
            if (file[at] == 0x21) at = Skip(file, at + 2);
            else if (file[at] != 0x2C) throw new InvalidDataException("Unknown block.");
            else
            {
                var (corner, size, flags) = ((Short(file, at + 1), Short(file, at + 3)),
                    new ImageSize(Short(file, at + 5), Short(file, at + 7)), file[at + 9]);
                at += 10;
                var own = Table(file, flags, ref at);
                if (corner != (0, 0) || size != canvas) return null;
                var indices = Decode(file, at, size.Width * size.Height);
                return new(size, 1, 8)
                {
                    Numbers = (flags & 0x40) != 0 ? Woven(indices, size) : indices, Palette = own.Length > 0 ? own : colours,
                };
            }
        }
        return null;
    }

    private static byte[] Table(byte[] file, byte flags, ref int at)
    {
        if ((flags & 0x80) == 0) return [];
        var length = 3 << ((flags & 7) + 1);
        at += length;
        return file.AsSpan(at - length, length).ToArray();
    }

    private static int Skip(byte[] file, int at)
    {
        while (file[at] != 0) at += 1 + file[at];
        return at + 1;
    }

    // LZW: each code stands for the string of another code and one index more.
    private static uint[] Decode(byte[] file, int at, int count)
    {
        int least = file[at++], clear = 1 << least, bits = least + 1, next = clear + 2, last = -1;
        if (least is < 1 or > 8) throw new InvalidDataException("Impossible code size.");
        var (prefix, suffix, length) = (new int[MostCodes], new byte[MostCodes], new int[MostCodes]);
        for (var i = 0; i < clear; i++) (prefix[i], suffix[i], length[i]) = (-1, (byte)i, 1);
        var indices = new uint[count];
        var codes = new Bits(file, at);
        for (var done = 0; done < count;)
        {
            var code = codes.Next(bits);
            if (code == clear) (bits, next, last) = (least + 1, clear + 2, -1);
            else if (code == clear + 1) throw new InvalidDataException("Ends before its last pixel.");
            else
            {
                var known = code < next && (code < clear || last >= 0);
                if (!known && (code != next || last < 0)) throw new InvalidDataException("Unknown code.");
                var text = known ? code : last;
                var first = First(prefix, suffix, text);
                if (last >= 0 && next < MostCodes)
                {
                    (prefix[next], suffix[next], length[next]) = (last, first, length[last] + 1);
                    next++;
                }
                Put(indices, ref done, (prefix, suffix, length[code]), code);
                if (next == 1 << bits && bits < 12) bits++;
                last = code;
            }
        }
        return indices;
    }

    private static byte First(int[] prefix, byte[] suffix, int code)
    {
        while (prefix[code] >= 0) code = prefix[code];
        return suffix[code];
    }

    private static void Put(uint[] indices, ref int done, (int[] Prefix, byte[] Suffix, int Length) table, int code)
    {
        for (var i = table.Length - 1; i >= 0; i--, code = table.Prefix[code])
            if (done + i < indices.Length) indices[done + i] = table.Suffix[code];
        done += table.Length;
    }

    // Rows of an interlaced image come in four passes.
    private static uint[] Woven(uint[] rows, ImageSize size)
    {
        var picture = new uint[rows.Length];
        var from = 0;
        foreach (var (first, step) in new[] { (0, 8), (4, 8), (2, 4), (1, 2) })
            for (var y = first; y < size.Height; y += step, from += size.Width)
                rows.AsSpan(from, size.Width).CopyTo(picture.AsSpan(y * size.Width));
        return picture;
    }

    private static int Short(byte[] file, int at) => BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(at));

    // Codes of changing width, the lowest bit first, from blocks of up to 255 bytes.
    private sealed class Bits(byte[] file, int at)
    {
        private int _at = at, _left, _held;
        private uint _bits;

        internal int Next(int count)
        {
            while (_held < count)
            {
                if (_left == 0 && (_left = file[_at++]) == 0) throw new InvalidDataException("Ends before its last pixel.");
                _bits |= (uint)file[_at++] << _held;
                (_left, _held) = (_left - 1, _held + 8);
            }
            var code = (int)(_bits & ((1u << count) - 1));
            (_bits, _held) = (_bits >> count, _held - count);
            return code;
        }
    }
}
