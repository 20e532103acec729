using BitMiracle.LibTiff.Classic;

namespace Siamorph.Imaging.Formats;

// Samples of a TIFF page as stored: strips or tiles, planes together or apart, 1 to 64 bits, whole or real numbers.
internal static class TiffSamples
{
    private const int Unsigned = 1, Signed = 2, Real = 3, Untyped = 4;

    internal static StoredImage Read(string path, Tiff tiff, ImageSize size)
    {
        var channels = TiffCodec.Number(tiff, TiffTag.SAMPLESPERPIXEL, 1);
        var (bits, format) = (TiffCodec.Number(tiff, TiffTag.BITSPERSAMPLE, 1),
            TiffCodec.Number(tiff, TiffTag.SAMPLEFORMAT, Unsigned));
        var photometric = TiffCodec.Number(tiff, TiffTag.PHOTOMETRIC, (int)Photometric.MINISBLACK);
        if (!IsKnown(bits, format) || channels is < 1 or > 8)
            throw new InvalidDatasetException(
                $"{path}: a TIFF of {channels} × {bits}-bit samples (sample format {format}) is not read. Save it as PNG or TIFF "
                    + $"with 8 or 16 bits.");
        var values = new double[checked(size.Width * size.Height * channels)];
        var separate = channels > 1 && TiffCodec.Number(tiff, TiffTag.PLANARCONFIG, 1) == (int)PlanarConfig.SEPARATE;
        var layout = new Layout(size, channels, separate, bits, format);
        if (tiff.IsTiled()) ReadTiles(path, tiff, layout, values);
        else ReadLines(path, tiff, layout, values);
        if (photometric == (int)Photometric.MINISWHITE && format is Unsigned or Untyped)
            for (var i = 0; i < values.Length; i++) values[i] = Math.Pow(2, bits) - 1 - values[i];
        return Stored(layout, values) with
        {
            HasAlpha = channels > (photometric == (int)Photometric.RGB ? 3 : 1),
            Palette = photometric == (int)Photometric.PALETTE ? [] : null,
            StatedMaximum = bits is > 8 and < 16 ? (1 << bits) - 1 : Stated(tiff, bits),
        };
    }

    // Fewer bits than the type has, where the file says so.
    private static double Stated(Tiff tiff, int bits) =>
        bits == 16 && tiff.GetField(TiffTag.MAXSAMPLEVALUE) is { Length: > 0 } field
        && field[0].ToInt() is > 255 and < 65535 and var most ? most : 0;

    private static bool IsKnown(int bits, int format) => format switch
    {
        Unsigned or Untyped => bits is 1 or 2 or 4 or 8 or 10 or 12 or 14 or 16 or 32 or 64,
        Signed => bits is 8 or 16 or 32 or 64,
        Real => bits is 16 or 32 or 64,
        _ => false,
    };

    private static StoredImage Stored(Layout layout, double[] values)
    {
        var whole = Array.TrueForAll(values, v => v >= 0 && v <= uint.MaxValue && v == Math.Floor(v))
            && (layout.Format != Real || Array.Exists(values, v => v > 1));
        return whole || layout.Format is Unsigned or Untyped && layout.Bits <= 32
            ? new(layout.Size, layout.Channels, layout.Bits) { Numbers = Array.ConvertAll(values, v => (uint)v) }
            : new(layout.Size, layout.Channels, layout.Bits) { Reals = Array.ConvertAll(values, v => (float)v) };
    }

    private static void ReadLines(string path, Tiff tiff, Layout layout, double[] values)
    {
        var line = new byte[Math.Max(tiff.ScanlineSize(), layout.RowBytes(layout.Size.Width))];
        for (var plane = 0; plane < layout.Planes; plane++)
            for (var y = 0; y < layout.Size.Height; y++)
            {
                if (!tiff.ReadScanline(line, 0, y, (short)plane)) throw StoredImage.Damaged(path);
                layout.Put(line, values, plane, (0, y), layout.Size.Width);
            }
    }

    private static void ReadTiles(string path, Tiff tiff, Layout layout, double[] values)
    {
        var (width, height) = (TiffCodec.Number(tiff, TiffTag.TILEWIDTH, 0), TiffCodec.Number(tiff, TiffTag.TILELENGTH, 0));
        if (width < 1 || height < 1 || (long)width * height > ImageFile.MaxPixels) throw StoredImage.Damaged(path);
        var (tile, row) = (new byte[Math.Max(tiff.TileSize(), layout.RowBytes(width) * height)], layout.RowBytes(width));
        for (var plane = 0; plane < layout.Planes; plane++)
            for (var top = 0; top < layout.Size.Height; top += height)
                for (var left = 0; left < layout.Size.Width; left += width)
                {
                    if (tiff.ReadEncodedTile(tiff.ComputeTile(left, top, 0, (short)plane), tile, 0, tile.Length) < 0)
                        throw StoredImage.Damaged(path);
                    for (var y = 0; y < height && top + y < layout.Size.Height; y++)
                        layout.Put(tile.AsSpan(y * row), values, plane, (left, top + y),
                            Math.Min(width, layout.Size.Width - left));
                }
    }

    private sealed record Layout(ImageSize Size, int Channels, bool Separate, int Bits, int Format)
    {
        internal int Planes => Separate ? Channels : 1;

        private int Together => Separate ? 1 : Channels;

        internal int RowBytes(int width) => checked((int)(((long)width * Together * Bits + 7) / 8));

        internal void Put(ReadOnlySpan<byte> row, double[] values, int plane, (int X, int Y) at, int width)
        {
            var to = (at.Y * Size.Width + at.X) * Channels + plane;
            if (Separate)
                for (var x = 0; x < width; x++) values[to + x * Channels] = Sample(row, x);
            else
                for (var i = 0; i < width * Channels; i++) values[to + i] = Sample(row, i);
        }

        private double Sample(ReadOnlySpan<byte> row, int i) => (Format, Bits) switch
        {
            (Real, 16) => (double)BitConverter.ToHalf(row[(2 * i)..]),
            (Real, 32) => BitConverter.ToSingle(row[(4 * i)..]),
            (Real, _) => BitConverter.ToDouble(row[(8 * i)..]),
            (Signed, 8) => (sbyte)row[i],
            (Signed, 16) => BitConverter.ToInt16(row[(2 * i)..]),
            (Signed, 32) => BitConverter.ToInt32(row[(4 * i)..]),
            (Signed, _) => BitConverter.ToInt64(row[(8 * i)..]),
            (_, 8) => row[i],
            (_, 16) => BitConverter.ToUInt16(row[(2 * i)..]),
            (_, 32) => BitConverter.ToUInt32(row[(4 * i)..]),
            (_, 64) => BitConverter.ToUInt64(row[(8 * i)..]),
            _ => Packed(row, i),
        };

        // 1, 2, 4, 10, 12 or 14 bits, the first in the highest place.
        private int Packed(ReadOnlySpan<byte> row, int i)
        {
            var first = (long)i * Bits;
            var at = (int)(first / 8);
            var window = (uint)row[at] << 16 | (uint)(at + 1 < row.Length ? row[at + 1]
                : 0) << 8 | (at + 2 < row.Length ? row[at + 2] : 0u);
            return (int)(window >> (24 - (int)(first % 8) - Bits) & ((1u << Bits) - 1));
        }
    }
}
