using System.Runtime.InteropServices;
using SkiaSharp;

namespace Siamorph.Imaging.Formats;

// Everything but TIFF, wide images and most masks. No colour management: levels are taken as they are stored.
internal static class SkiaCodec
{
    internal static ImageHeader Identify(string path, byte[] bytes)
    {
        using var data = SKData.CreateCopy(bytes);
        using var codec = Open(path, data);
        return new ImageHeader(
            SizeOf(codec), codec.EncodedFormat.ToString().ToLowerInvariant(), codec.EncodedOrigin != SKEncodedOrigin.TopLeft);
    }

    // JPEG files can be decoded at eighths of their size: the smallest with atLeast pixels along the longer side is taken.
    // That is for showing, where the last digit does not count.
    internal static RgbImage ReadRgb(string path, byte[] bytes, int? atLeast = null)
    {
        var (size, _, rgba) = Decode(path, bytes, atLeast);
        var rgb = new byte[3 * size.Width * size.Height];
        for (int from = 0, to = 0; to < rgb.Length; from += 4, to += 3)
            (rgb[to], rgb[to + 1], rgb[to + 2]) = (rgba[from], rgba[from + 1], rgba[from + 2]);
        return new RgbImage(size, rgb);
    }

    internal static GreyImage ReadGrey(string path, byte[] bytes)
    {
        var (size, format, rgba) = Decode(path, bytes);
        var grey = new byte[size.Width * size.Height];
        for (var i = 0; i < grey.Length; i++) grey[i] = Math.Max(rgba[4 * i], Math.Max(rgba[4 * i + 1], rgba[4 * i + 2]));
        return new GreyImage(size, grey, IsLossless(format, bytes));
    }

    // A mask: a GIF by its palette, others (and images with transparency) by their channels.
    internal static GreyImage ReadMask(string path, byte[] bytes)
    {
        if (GifIndices.IsGif(bytes))
        {
            RefuseSeveral(path, bytes);
            if (GifIndices.TryRead(path, bytes) is { } indices) return MaskReading.Of(indices, path);
        }
        var (size, format, rgba) = Decode(path, bytes);
        return MaskReading.Of(new StoredImage(size, 4, 8)
        {
            Numbers = Array.ConvertAll(rgba, b => (uint)b), HasAlpha = true, Lossless = IsLossless(format, bytes),
        }, path);
    }

    private static void RefuseSeveral(string path, byte[] bytes)
    {
        using var data = SKData.CreateCopy(bytes);
        using var codec = Open(path, data);
        StoredImage.RefuseSeveral(path, codec.FrameCount, "frames");
    }

    private static bool IsLossless(SKEncodedImageFormat format, ReadOnlySpan<byte> bytes) =>
        format is SKEncodedImageFormat.Png or SKEncodedImageFormat.Bmp or SKEncodedImageFormat.Gif
        || (format == SKEncodedImageFormat.Webp && bytes[..Math.Min(bytes.Length, 64)].IndexOf("VP8L"u8) >= 0);

    internal static byte[] EncodePng(RgbImage image) => Encode(image.Size, Rgba(image), SKColorType.Rgba8888);

    // What is left of an image after lossy compression, its colours at half resolution.
    internal static RgbImage ThroughJpeg(RgbImage image, int quality) =>
        ReadRgb("an image in memory", EncodeJpeg(image, quality));

    // Colours at half resolution, as most cameras store them.
    internal static byte[] EncodeJpeg(RgbImage image, int quality) => Encode(image.Size, Rgba(image), SKColorType.Rgba8888,
        new SKJpegEncoderOptions(quality, SKJpegEncoderDownsample.Downsample420, SKJpegEncoderAlphaOption.Ignore));

    internal static byte[] EncodeGreyPng(ImageSize size, byte[] levels) => Encode(size, levels, SKColorType.Gray8);

    private static byte[] Rgba(RgbImage image)
    {
        var rgba = new byte[4 * image.Size.Width * image.Size.Height];
        for (int from = 0, to = 0; to < rgba.Length; from += 3, to += 4)
            (rgba[to], rgba[to + 1], rgba[to + 2], rgba[to + 3]) =
                (image.Pixels[from], image.Pixels[from + 1], image.Pixels[from + 2], 255);
        return rgba;
    }

    // PNG, unless there are options for JPEG.
    private static byte[] Encode(ImageSize size, byte[] pixels, SKColorType type, SKJpegEncoderOptions? jpeg = null)
    {
        var info = new SKImageInfo(size.Width, size.Height, type, SKAlphaType.Opaque);
        var pin = GCHandle.Alloc(pixels, GCHandleType.Pinned);
        try
        {
            using var map = new SKPixmap(info, pin.AddrOfPinnedObject(), info.RowBytes);
            using var data = (jpeg is { } options ? map.Encode(options)
                : map.Encode(new SKPngEncoderOptions(SKPngEncoderFilterFlags.AllFilters, 6)))
                ?? throw new SiamorphException($"An image of {size} can't be encoded.");
            return data.ToArray();
        }
        finally
        {
            pin.Free();
        }
    }

    private static (ImageSize, SKEncodedImageFormat, byte[]) Decode(string path, byte[] bytes, int? atLeast = null)
    {
        using var data = SKData.CreateCopy(bytes);
        using var codec = Open(path, data);
        StoredImage.RefuseSeveral(path, codec.FrameCount, "frames");
        var size = atLeast is { } side ? Reduced(codec, side) : SizeOf(codec);
        var info = new SKImageInfo(size.Width, size.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul);
        var pixels = new byte[info.BytesSize];
        var pin = GCHandle.Alloc(pixels, GCHandleType.Pinned);
        try
        {
            var result = codec.GetPixels(info, pin.AddrOfPinnedObject());
            if (result != SKCodecResult.Success || TruncationCheck.IsMissing(bytes))
                throw new InvalidDatasetException(
                    $"{path}: the image is truncated or damaged. Replace the file or remove the pair.");
        }
        finally
        {
            pin.Free();
        }
        return (size, codec.EncodedFormat, pixels);
    }

    private static ImageSize Reduced(SKCodec codec, int side)
    {
        var full = SizeOf(codec);
        var least = Math.Min(1f, (float)side / Math.Max(full.Width, full.Height));
        var reduced = codec.GetScaledDimensions(least);
        return Math.Max(reduced.Width, reduced.Height) >= side ? new(reduced.Width, reduced.Height) : full;
    }

    private static SKCodec Open(string path, SKData data)
    {
        var codec = SKCodec.Create(data)
            ?? throw new InvalidDatasetException(
                $"{path}: not an image file that can be read, or its header is damaged. Replace or remove it.");
        try
        {
            // The codec also takes icons, and almost anything that begins with zeros for an image of telephones.
            if (codec.EncodedFormat is not (SKEncodedImageFormat.Png or SKEncodedImageFormat.Jpeg or SKEncodedImageFormat.Bmp
                or SKEncodedImageFormat.Gif or SKEncodedImageFormat.Webp))
                throw new InvalidDatasetException(
                    $"{path}: not an image file that can be read, or its header is damaged. Replace or remove it.");
            ImageFile.RefuseHuge(path, SizeOf(codec));
            return codec;
        }
        catch
        {
            codec.Dispose();
            throw;
        }
    }

    private static ImageSize SizeOf(SKCodec codec) => new(codec.Info.Width, codec.Info.Height);
}
