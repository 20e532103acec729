using System.IO.Compression;
using BitMiracle.LibTiff.Classic;
using Siamorph.Imaging;

namespace Siamorph.Tests.Imaging;

/// <summary>Files with chosen numbers in them, as labelling tools write them.</summary>
internal static class StoredFiles
{
    private static readonly (int X, int Y, int Right, int Down)[] Passes =
        [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)];

    /// <summary>A PNG of any depth; <paramref name="sample"/> gives the numbers of a pixel.</summary>
    public static byte[] Png(ImageSize size, (int Bits, int ColourType) kind, Func<int, int, int[]> sample,
        bool interlaced = false, params byte[][] chunks)
    {
        using var raw = new MemoryStream();
        using (var zip = new ZLibStream(raw, CompressionLevel.Fastest, leaveOpen: true))
            foreach (var (x0, y0, right, down) in interlaced ? Passes : [(0, 0, 1, 1)])
                for (var y = y0; y < size.Height && x0 < size.Width; y += down)
                {
                    zip.WriteByte(0);
                    var numbers = new List<int>();
                    for (var x = x0; x < size.Width; x += right) numbers.AddRange(sample(x, y));
                    zip.Write(Pack(numbers, kind.Bits));
                }
        var header = Pictures.Header(size, (byte)kind.Bits, (byte)kind.ColourType);
        if (interlaced) header = Pictures.Chunk("IHDR", [.. header.AsSpan(8, 12), 1]);
        return [0x89, .. "PNG\r\n"u8, 0x1A, 0x0A, .. header, .. chunks.SelectMany(c => c),
            .. Pictures.Chunk("IDAT", raw.ToArray()), .. Pictures.Chunk("IEND", [])];
    }

    /// <summary>A TIFF; every page has the same numbers.</summary>
    public static void Tiff(string path, ImageSize size, TiffKind kind, Func<int, int, double[]> sample)
    {
        using var tiff = BitMiracle.LibTiff.Classic.Tiff.Open(path, "w");
        for (var page = 0; page < kind.Pages; page++)
        {
            var channels = sample(0, 0).Length;
            tiff.SetField(TiffTag.IMAGEWIDTH, size.Width);
            tiff.SetField(TiffTag.IMAGELENGTH, size.Height);
            tiff.SetField(TiffTag.BITSPERSAMPLE, kind.Bits);
            tiff.SetField(TiffTag.SAMPLESPERPIXEL, channels);
            tiff.SetField(TiffTag.SAMPLEFORMAT, kind.Format);
            tiff.SetField(TiffTag.PHOTOMETRIC, channels >= 3 ? Photometric.RGB : Photometric.MINISBLACK);
            tiff.SetField(TiffTag.PLANARCONFIG, PlanarConfig.CONTIG);
            tiff.SetField(TiffTag.COMPRESSION, kind.Compression);
            if (kind.Tile > 0)
            {
                tiff.SetField(TiffTag.TILEWIDTH, kind.Tile);
                tiff.SetField(TiffTag.TILELENGTH, kind.Tile);
                WriteTiles(tiff, size, kind, sample);
            }
            else
            {
                tiff.SetField(TiffTag.ROWSPERSTRIP, 7);
                for (var y = 0; y < size.Height; y++)
                    tiff.WriteScanline(Bytes(Enumerable.Range(0, size.Width).SelectMany(x => sample(x, y)), kind), y);
            }
            tiff.WriteDirectory();
        }
    }

    private static void WriteTiles(Tiff tiff, ImageSize size, TiffKind kind, Func<int, int, double[]> sample)
    {
        for (var top = 0; top < size.Height; top += kind.Tile)
            for (var left = 0; left < size.Width; left += kind.Tile)
            {
                var numbers = from y in Enumerable.Range(top, kind.Tile)
                              from x in Enumerable.Range(left, kind.Tile)
                              from v in sample(Math.Min(x, size.Width - 1), Math.Min(y, size.Height - 1))
                              select v;
                var bytes = Bytes(numbers, kind);
                tiff.WriteEncodedTile(tiff.ComputeTile(left, top, 0, 0), bytes, bytes.Length);
            }
    }

    private static byte[] Bytes(IEnumerable<double> numbers, TiffKind kind) => (kind.Format, kind.Bits) switch
    {
        (SampleFormat.IEEEFP, 32) => [.. numbers.SelectMany(n => BitConverter.GetBytes((float)n))],
        (SampleFormat.IEEEFP, _) => [.. numbers.SelectMany(BitConverter.GetBytes)],
        (_, 32) => [.. numbers.SelectMany(n => BitConverter.GetBytes((int)n))],
        (_, 16) => [.. numbers.SelectMany(n => BitConverter.GetBytes((ushort)(int)n))],
        _ => Pack([.. numbers.Select(n => (int)n)], kind.Bits),
    };

    private static byte[] Pack(List<int> numbers, int bits)
    {
        if (bits == 16) return [.. numbers.SelectMany(n => new[] { (byte)(n >> 8), (byte)n })];
        var packed = new byte[(numbers.Count * bits + 7) / 8];
        for (var i = 0; i < numbers.Count; i++)
            for (var b = 0; b < bits; b++)
                if ((numbers[i] >> (bits - 1 - b) & 1) != 0) packed[(i * bits + b) / 8] |= (byte)(0x80 >> ((i * bits + b) % 8));
        return packed;
    }

    /// <summary>A BMP with a palette, 8 bits.</summary>
    public static byte[] Bmp(ImageSize size, byte[] palette, Func<int, int, byte> sample)
    {
        var stride = (size.Width + 3) / 4 * 4;
        var pixels = 54 + palette.Length / 3 * 4;
        var file = new byte[pixels + stride * size.Height];
        "BM"u8.CopyTo(file);
        void Put(int at, int value) => BitConverter.TryWriteBytes(file.AsSpan(at), value);
        Put(2, file.Length);
        Put(10, pixels);
        Put(14, 40);
        Put(18, size.Width);
        Put(22, size.Height);
        Put(26, 1 | 8 << 16);
        Put(46, palette.Length / 3);
        for (var i = 0; i < palette.Length / 3; i++)
            (file[54 + 4 * i], file[55 + 4 * i], file[56 + 4 * i]) = (palette[3 * i + 2], palette[3 * i + 1], palette[3 * i]);
        for (var y = 0; y < size.Height; y++)
            for (var x = 0; x < size.Width; x++) file[pixels + (size.Height - 1 - y) * stride + x] = sample(x, y);
        return file;
    }

    /// <summary>A GIF of 2-bit indices; every frame has the same.</summary>
    public static byte[] Gif(ImageSize size, byte[] palette, Func<int, int, byte> sample, int frames = 1)
    {
        List<byte> file = [.. "GIF89a"u8, (byte)size.Width, 0, (byte)size.Height, 0, 0x81, 0, 0, .. palette];
        for (var frame = 0; frame < frames; frame++)
        {
            file.AddRange([0x2C, 0, 0, 0, 0, (byte)size.Width, 0, (byte)size.Height, 0, 0, 2]);
            var codes = new List<int>(); // the dictionary is cleared before it grows, so that codes keep 3 bits
            for (var i = 0; i < size.Width * size.Height; i++)
            {
                if (i % 2 == 0) codes.Add(4);
                codes.Add(sample(i % size.Width, i / size.Width));
            }
            codes.Add(5);
            var bytes = new byte[(codes.Count * 3 + 7) / 8];
            for (var i = 0; i < codes.Count * 3; i++)
                if ((codes[i / 3] >> (i % 3) & 1) != 0) bytes[i / 8] |= (byte)(1 << (i % 8));
            foreach (var block in bytes.Chunk(255)) file.AddRange([(byte)block.Length, .. block]);
            file.Add(0);
        }
        return [.. file, 0x3B];
    }
}

/// <summary>What kind of TIFF to write.</summary>
internal sealed record TiffKind(int Bits, SampleFormat Format = SampleFormat.UINT)
{
    public Compression Compression { get; init; } = Compression.NONE;

    public int Tile { get; init; }

    public int Pages { get; init; } = 1;
}
