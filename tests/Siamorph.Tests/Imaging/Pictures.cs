using System.Buffers.Binary;
using System.IO.Compression;
using Siamorph.Imaging;
using SkiaSharp;

namespace Siamorph.Tests.Imaging;

/// <summary>Small images for tests, and files as other programs write them.</summary>
internal static class Pictures
{
    /// <summary>Smooth random colours: different for every seed, unlike each other.</summary>
    public static RgbImage Image(int seed, int width = 48, int height = 40)
    {
        var random = new Seed((ulong)seed).Random();
        var coarse = new RgbImage(new ImageSize(8, 8));
        for (var i = 0; i < coarse.Pixels.Length; i++) coarse.Pixels[i] = (byte)random.Next(256);
        return Resize.Image(coarse, new ImageSize(width, height));
    }

    /// <summary>Left and right exchanged.</summary>
    public static RgbImage Mirrored(RgbImage image)
    {
        var (mirrored, width) = (new RgbImage(image.Size), image.Size.Width);
        for (var i = 0; i < width * image.Size.Height; i++)
            image.Pixels.AsSpan(3 * (i / width * width + width - 1 - i % width), 3).CopyTo(mirrored.Pixels.AsSpan(3 * i));
        return mirrored;
    }

    /// <summary>A disc a little off the centre.</summary>
    public static LabelMap Disc(int width = 48, int height = 40, double radius = 0.25)
    {
        var mask = new LabelMap(new ImageSize(width, height));
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
                if (Math.Pow((x + 0.5) / width - 0.4, 2) + Math.Pow((y + 0.5) / height - 0.55, 2) < radius * radius)
                    mask.Labels[y * width + x] = 1;
        return mask;
    }

    /// <summary>Writes pair number <paramref name="n"/> into images/ and masks/.</summary>
    public static void WritePair(string folder, string stem, int n)
    {
        ImageFile.WritePng(Path.Combine(folder, "images", $"{stem}.png"), Image(n));
        ImageFile.WriteMaskPng(Path.Combine(folder, "masks", $"{stem}.png"), Disc());
    }

    public static void WriteJpeg(string path, RgbImage image, int quality = 90)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var bitmap = SKBitmap.Decode(ImageFile.EncodePng(image));
        using var data = bitmap.Encode(SKEncodedImageFormat.Jpeg, quality);
        File.WriteAllBytes(path, data.ToArray());
    }

    public static void WriteGrey(string path, ImageSize size, Func<int, byte> level)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, Png(size, 8, 0, (x, y) => [level(y * size.Width + x)]));
    }

    /// <summary>A PNG chunk by chunk: <paramref name="sample"/> gives the bytes of a pixel.</summary>
    public static byte[] Png(ImageSize size, byte bitDepth, byte colourType, Func<int, int, byte[]> sample, int filter = 0)
    {
        using var raw = new MemoryStream();
        using (var zip = new ZLibStream(raw, CompressionLevel.Fastest, leaveOpen: true))
        {
            byte[] above = [];
            for (var y = 0; y < size.Height; y++)
            {
                byte[] row = [.. Enumerable.Range(0, size.Width).SelectMany(x => sample(x, y))];
                zip.WriteByte((byte)filter);
                zip.Write(filter == 2 && y > 0 ? [.. row.Select((b, i) => (byte)(b - above[i]))] : row);
                above = row;
            }
        }
        return [0x89, .. "PNG\r\n"u8, 0x1A, 0x0A, .. Header(size, bitDepth, colourType), .. Chunk("IDAT", raw.ToArray()),
            .. Chunk("IEND", [])];
    }

    public static byte[] Header(ImageSize size, byte bitDepth, byte colourType)
    {
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, size.Width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), size.Height);
        (header[8], header[9]) = (bitDepth, colourType);
        return Chunk("IHDR", header);
    }

    public static byte[] Chunk(string kind, byte[] content)
    {
        byte[] body = [.. System.Text.Encoding.ASCII.GetBytes(kind), .. content];
        var crc = 0xFFFFFFFFu;
        foreach (var b in body)
        {
            crc ^= b;
            for (var i = 0; i < 8; i++) crc = (crc >> 1) ^ (0xEDB88320u & (0u - (crc & 1)));
        }
        var (length, check) = (new byte[4], new byte[4]);
        BinaryPrimitives.WriteInt32BigEndian(length, content.Length);
        BinaryPrimitives.WriteUInt32BigEndian(check, ~crc);
        return [.. length, .. body, .. check];
    }
}
