using Siamorph.Imaging.Formats;

namespace Siamorph.Imaging;

/// <summary>What an image file says of itself, read without decoding it.</summary>
/// <param name="Size">Width and height in pixels, as stored.</param>
/// <param name="Format">"png", "jpeg", "tiff", "bmp", "webp" or "gif".</param>
/// <param name="Rotated">An orientation tag asks viewers to turn or mirror the image. It is not obeyed here.</param>
internal sealed record ImageHeader(ImageSize Size, string Format, bool Rotated);

/// <summary>An image of grey levels: one byte a pixel, row by row from the top left.</summary>
/// <param name="Size">Width and height in pixels.</param>
/// <param name="Levels">y · width + x; of a coloured file the brightest channel.</param>
/// <param name="Lossless">The file format keeps levels exactly, so small numbers mean what they say.</param>
public sealed record GreyImage(ImageSize Size, byte[] Levels, bool Lossless)
{
    /// <summary>
    /// Of a mask file: true where the levels are numbers of classes or instances, false where they are brightness; null: see
    /// <see cref="MaskLevels"/>.
    /// </summary>
    public bool? Numbers { get; init; }

    /// <summary>
    /// The largest number that the file stores; numbers above 255 stand as 255 in <see cref="Levels"/>. 0 where nobody looked.
    /// </summary>
    public double Largest { get; init; }

    /// <summary>How many different numbers the file stores; 0 where nobody looked.</summary>
    public int Distinct { get; init; }

    /// <summary>What a reader should know of how the file was read, or null.</summary>
    public string? Note { get; init; }
}

/// <summary>
/// Reads and writes images: PNG, JPEG, BMP, WebP, GIF and TIFF, one image a file. The size is looked at
/// before anything is decoded, and a damaged or cut-off file is refused, never half shown.
/// </summary>
public static class ImageFile
{
    /// <summary>Larger images are refused before decoding: a small file may otherwise claim all memory.</summary>
    public const long MaxPixels = 64L * 1024 * 1024;

    /// <summary>Larger files are refused unread.</summary>
    private const long LargestFile = 512L * 1024 * 1024;

    /// <summary>Extensions read here, in lower case and with the dot.</summary>
    public static IReadOnlyList<string> Extensions { get; } =
        [".png", ".jpg", ".jpeg", ".bmp", ".webp", ".gif", ".tif", ".tiff"];

    /// <summary>Whether the name ends as images do.</summary>
    public static bool IsPicture(string path) =>
        Extensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);

    /// <summary>Reads size and format without decoding.</summary>
    /// <exception cref="InvalidDatasetException">The file is missing, no image, or too large.</exception>
    internal static ImageHeader Identify(string path)
    {
        var bytes = Load(path);
        return TiffCodec.IsTiff(bytes) ? TiffCodec.Identify(path, bytes) : SkiaCodec.Identify(path, bytes);
    }

    /// <summary>
    /// Reads a colour image; grey ones are repeated in three channels, transparency is dropped. Levels of more than 8 bits
    /// are brought to 0…255 by <paramref name="range"/>, or where there is none by the depth that the file uses.
    /// </summary>
    /// <exception cref="InvalidDatasetException">The file is missing, damaged, cut off, no image, several images, or too
    /// large.</exception>
    public static RgbImage ReadRgb(string path, IntensityRange? range = null) => DecodeRgb(path, Load(path), range);

    /// <summary>The same of a file's bytes; <paramref name="name"/> stands for the path in errors.</summary>
    internal static RgbImage DecodeRgb(string name, byte[] bytes, IntensityRange? range = null)
    {
        if (HighBitDepth.TryRead(name, bytes) is { } wide) return HighBitDepth.ToRgb(wide, range ?? IntensityRange.OfDepth(wide));
        return TiffCodec.IsTiff(bytes) ? TiffCodec.ReadRgb(name, bytes) : SkiaCodec.ReadRgb(name, bytes);
    }

    /// <summary>
    /// An image for showing, fitted into a square of <paramref name="side"/> pixels; smaller ones stay as they are. Large JPEG
    /// files are decoded at a reduced size, so levels may differ by a few from those of <see cref="DecodeRgb"/>.
    /// </summary>
    internal static RgbImage DecodeReduced(string name, byte[] bytes, int side, IntensityRange? range = null)
    {
        var wholly = PngReader.IsWide(bytes) || TiffCodec.IsTiff(bytes);
        var image = wholly ? DecodeRgb(name, bytes, range) : SkiaCodec.ReadRgb(name, bytes, atLeast: side);
        return Resize.Image(image, image.Size.FittedInto(side));
    }

    /// <summary>
    /// Reads one channel of an image as levels 0…255; of coloured files the brightest one. Wide levels as in
    /// <see cref="ReadRgb"/>.
    /// </summary>
    /// <exception cref="InvalidDatasetException">The file is missing, damaged, cut off, no image, several images, or too
    /// large.</exception>
    public static GreyImage ReadGrey(string path, IntensityRange? range = null)
    {
        var bytes = Load(path);
        if (HighBitDepth.TryRead(path, bytes) is { } wide)
            return Brightest(HighBitDepth.ToRgb(wide, range ?? IntensityRange.OfDepth(wide)), lossless: true);
        return TiffCodec.IsTiff(bytes) ? Brightest(TiffCodec.ReadRgb(path, bytes), TiffCodec.IsLossless(path, bytes))
            : SkiaCodec.ReadGrey(path, bytes);
    }

    /// <summary>
    /// Reads a mask file by what it stores: places in a palette, numbers of classes or instances of any size, black and white
    /// in any depth, or brightness. See docs/reference/datasets.md for the rules.
    /// </summary>
    /// <exception cref="InvalidDatasetException">The file is missing, damaged, cut off, no image, several images, or too
    /// large.</exception>
    public static GreyImage ReadMaskLevels(string path) => DecodeMaskLevels(path, Load(path));

    /// <summary>The same of a file's bytes; <paramref name="name"/> stands for the path in errors.</summary>
    internal static GreyImage DecodeMaskLevels(string name, byte[] bytes)
    {
        if (Stored(name, bytes) is { } stored) return MaskReading.Of(stored, name);
        return TiffCodec.IsTiff(bytes) ? Brightest(TiffCodec.ReadRgb(name, bytes), TiffCodec.IsLossless(name, bytes))
            : SkiaCodec.ReadMask(name, bytes);
    }

    /// <summary>Reads a mask and makes it binary, see <see cref="ReadMaskLevels"/>.</summary>
    /// <exception cref="InvalidDatasetException">The file is missing, damaged, cut off, no image, several images, or too
    /// large.</exception>
    public static LabelMap ReadMask(string path) => MaskLevels.Binarise(ReadMaskLevels(path));

    /// <summary>The image as the bytes of a PNG file.</summary>
    public static byte[] EncodePng(RgbImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        return SkiaCodec.EncodePng(image);
    }

    /// <summary>The image as the bytes of a JPEG file, ten times smaller than a PNG and made faster: for showing alone.</summary>
    internal static byte[] EncodeJpeg(RgbImage image, int quality) => SkiaCodec.EncodeJpeg(image, quality);

    /// <summary>Writes a colour PNG, whole or not at all.</summary>
    /// <exception cref="SiamorphException">The folder can't be written.</exception>
    public static void WritePng(string path, RgbImage image)
    {
        var bytes = EncodePng(image);
        AtomicFile.Write(path, s => s.Write(bytes));
    }

    /// <summary>Writes an 8-bit grey PNG, whole or not at all.</summary>
    /// <exception cref="SiamorphException">The folder can't be written.</exception>
    public static void WriteGreyPng(string path, GreyImage image)
    {
        var bytes = EncodeGreyPng(image);
        AtomicFile.Write(path, s => s.Write(bytes));
    }

    /// <summary>Grey levels as the bytes of such a file.</summary>
    internal static byte[] EncodeGreyPng(GreyImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        return SkiaCodec.EncodeGreyPng(image.Size, image.Levels);
    }

    /// <summary>Writes grey levels of 0 to 65535 as a PNG of 16 bits.</summary>
    /// <exception cref="SiamorphException">The folder can't be written.</exception>
    internal static void WriteGreyPng16(string path, ImageSize size, ushort[] levels)
    {
        var bytes = PngWriter.Grey16(size, levels);
        AtomicFile.Write(path, s => s.Write(bytes));
    }

    /// <summary>Writes a mask as an 8-bit grey PNG: background 0, every other class 255.</summary>
    /// <exception cref="SiamorphException">The folder can't be written.</exception>
    public static void WriteMaskPng(string path, LabelMap mask)
    {
        var bytes = EncodeMaskPng(mask);
        AtomicFile.Write(path, s => s.Write(bytes));
    }

    /// <summary>A mask as the bytes of such a file.</summary>
    internal static byte[] EncodeMaskPng(LabelMap mask)
    {
        ArgumentNullException.ThrowIfNull(mask);
        return SkiaCodec.EncodeGreyPng(mask.Size, Array.ConvertAll(mask.Labels, l => l == 0 ? (byte)0 : (byte)255));
    }

    /// <summary>The mask in such bytes; <paramref name="name"/> stands for the path in errors.</summary>
    internal static LabelMap DecodeMaskPng(string name, byte[] bytes) =>
        MaskLevels.Binarise(MaskReading.Of(PngReader.Read(name, bytes), name));

    // Asked of every file of a set, so only the first bytes of a PNG are looked at.
    internal static bool MayBeWide(string path)
    {
        if (!Path.GetExtension(path).Equals(".png", StringComparison.OrdinalIgnoreCase))
            return Path.GetExtension(path).StartsWith(".tif", StringComparison.OrdinalIgnoreCase);
        if (Length(path) == 0) return false;
        using var file = File.OpenRead(path);
        Span<byte> start = stackalloc byte[64];
        return PngReader.IsWide(start[..file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)]);
    }

    private static StoredImage? Stored(string path, byte[] bytes) =>
        PngReader.IsPng(bytes) ? PngReader.Read(path, bytes)
        : TiffCodec.IsTiff(bytes) ? TiffCodec.ReadStored(path, bytes)
        : BmpIndices.IsBmp(bytes) ? BmpIndices.TryRead(path, bytes)
        : null;

    private static GreyImage Brightest(RgbImage image, bool lossless)
    {
        var levels = new byte[image.Pixels.Length / 3];
        for (var i = 0; i < levels.Length; i++)
            levels[i] = Math.Max(image.Pixels[3 * i], Math.Max(image.Pixels[3 * i + 1], image.Pixels[3 * i + 2]));
        return new GreyImage(image.Size, levels, lossless) { Largest = levels.Max(), Distinct = levels.Distinct().Count() };
    }

    internal static void RefuseHuge(string path, ImageSize size)
    {
        if (size.Width < 1 || size.Height < 1 || (long)size.Width * size.Height > MaxPixels)
            throw new InvalidDatasetException(
                $"{path}: claims {size} pixels, at most {MaxPixels / (1024 * 1024)} megapixels are read. Scale it down or "
                    + $"remove it.");
    }

    private static long Length(string path)
    {
        var info = new FileInfo(path);
        return info.ResolveLinkTarget(returnFinalTarget: true) is FileInfo target ? target.Length : info.Length;
    }

    private static byte[] Load(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        try
        {
            // Asked before it is opened: a pipe or a device has no length, and whoever opens one may wait for ever.
            var length = Length(path);
            if (length > LargestFile) throw new InvalidDatasetException(
                $"{path}: has {length / (1024 * 1024)} MB, at most {LargestFile / (1024 * 1024)} are read. Scale it down or "
                    + $"remove it.");
            return length > 0 ? File.ReadAllBytes(path)
                : throw new InvalidDatasetException($"{path}: the file is empty. Replace or remove it.");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InvalidDatasetException($"{path}: the file does not exist. Restore it or remove the pair.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidDatasetException($"{path}: can't be read ({e.Message.TrimEnd('.')}). Check the file's rights.", e);
        }
    }
}
