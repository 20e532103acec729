using BitMiracle.LibTiff.Classic;

namespace Siamorph.Imaging.Formats;

// TIFF files of one page.
internal static class TiffCodec
{
    // The library knows one handler for the whole process; it is called on the thread that reads.
    [ThreadStatic]
    private static bool _sawError;

    static TiffCodec() => Tiff.SetErrorHandler(new Quiet());

    internal static bool IsTiff(ReadOnlySpan<byte> file) =>
        file.StartsWith((ReadOnlySpan<byte>)[0x49, 0x49, 42, 0]) || file.StartsWith((ReadOnlySpan<byte>)[0x4D, 0x4D, 0, 42]);

    internal static ImageHeader Identify(string path, byte[] bytes) =>
        With(path, bytes, tiff => new ImageHeader(SizeOf(path, tiff), "tiff", Number(tiff, TiffTag.ORIENTATION, 1) != 1));

    internal static RgbImage ReadRgb(string path, byte[] bytes)
    {
        StoredImage.RefuseSeveral(path, TiffPages.Count(bytes), "pages");
        var (size, raster) = With(path, bytes, tiff => Raster(path, tiff, bytes.Length));
        var rgb = new byte[3 * raster.Length];
        for (var i = 0; i < raster.Length; i++)
            (rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2]) =
                ((byte)Tiff.GetR(raster[i]), (byte)Tiff.GetG(raster[i]), (byte)Tiff.GetB(raster[i]));
        return new RgbImage(size, rgb);
    }

    // As stored; null where only an image can be had from it, as of JPEG or printing colours.
    internal static StoredImage? ReadStored(string path, byte[] bytes)
    {
        StoredImage.RefuseSeveral(path, TiffPages.Count(bytes), "pages");
        return With(path, bytes, tiff => HasPlainSamples(tiff)
            ? TiffSamples.Read(path, tiff, Plausible(path, tiff, bytes.Length)) : null);
    }

    // Pages that hold more than 8 bits a sample.
    internal static bool IsWide(string path, byte[] bytes) =>
        With(path, bytes, tiff => Number(tiff, TiffTag.BITSPERSAMPLE, 1) > 8 && HasPlainSamples(tiff));

    // Whether the codec keeps levels; asked of files that are read as an image.
    internal static bool IsLossless(string path, byte[] bytes) => With(path, bytes, tiff => Number(tiff, TiffTag.COMPRESSION, 1)
        is not ((int)Compression.JPEG or (int)Compression.OJPEG));

    private static bool HasPlainSamples(Tiff tiff) =>
        Number(tiff, TiffTag.PHOTOMETRIC, (int)Photometric.MINISBLACK)
            is (int)Photometric.MINISBLACK or (int)Photometric.MINISWHITE or (int)Photometric.RGB or (int)Photometric.PALETTE
        && Number(tiff, TiffTag.COMPRESSION, 1) is not ((int)Compression.JPEG or (int)Compression.OJPEG);

    private static (ImageSize, int[]) Raster(string path, Tiff tiff, long length)
    {
        var size = SizeOf(path, tiff);
        RefuseHollow(path, tiff, size, length);
        var raster = new int[size.Width * size.Height];
        if (!tiff.ReadRGBAImageOriented(size.Width, size.Height, raster, Orientation.TOPLEFT, stopOnError: true))
            throw StoredImage.Damaged(path);
        return (size, raster);
    }

    private static T With<T>(string path, byte[] bytes, Func<Tiff, T> read)
    {
        _sawError = false;
        TiffPages.RefuseImpossible(path, bytes);
        try
        {
            using var tiff = Tiff.ClientOpen(path, "r", new MemoryStream(bytes), new TiffStream())
                ?? throw StoredImage.Damaged(path);
            var value = read(tiff);
            return _sawError ? throw StoredImage.Damaged(path) : value;
        }
        catch (Exception e) when (e is not SiamorphException)
        {
            throw StoredImage.Damaged(path, e); // the library lets index and cast errors of bad files through
        }
    }

    private static ImageSize Plausible(string path, Tiff tiff, long length)
    {
        var size = SizeOf(path, tiff);
        RefuseHollow(path, tiff, size, length);
        return size;
    }

    private static void RefuseHollow(string path, Tiff tiff, ImageSize size, long length)
    {
        var most = (Compression)Number(tiff, TiffTag.COMPRESSION, 1) switch
        {
            Compression.NONE => 1,
            Compression.PACKBITS => StoredImage.RunLengths,
            Compression.DEFLATE or Compression.ADOBE_DEFLATE => StoredImage.Deflated,
            _ => StoredImage.Lzw,
        };
        StoredImage.RefuseHollow(path, size,
            Number(tiff, TiffTag.SAMPLESPERPIXEL, 1) * Number(tiff, TiffTag.BITSPERSAMPLE, 1) / 8.0, (length, most));
    }

    private static ImageSize SizeOf(string path, Tiff tiff)
    {
        var size = new ImageSize(Number(tiff, TiffTag.IMAGEWIDTH, 0), Number(tiff, TiffTag.IMAGELENGTH, 0));
        ImageFile.RefuseHuge(path, size);
        return size;
    }

    internal static int Number(Tiff tiff, TiffTag tag, int otherwise) => tiff.GetField(tag)?[0].ToInt() ?? otherwise;

    private sealed class Quiet : TiffErrorHandler
    {
        public override void ErrorHandler(Tiff tif, string method, string format, params object[] args) => _sawError = true;

        public override void ErrorHandlerExt(Tiff tif, object clientData, string method, string format, params object[] args) =>
            _sawError = true;

        public override void WarningHandler(Tiff tif, string method, string format, params object[] args) { }

        public override void WarningHandlerExt(
            Tiff tif, object clientData, string method, string format, params object[] args) { }
    }
}
