using System.Runtime.InteropServices;
using BitMiracle.LibTiff.Classic;

namespace Siamorph.Imaging;

// First page of a TIFF file.
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
        var (size, raster) = With(path, bytes, tiff => Raster(path, tiff));
        var rgb = new byte[3 * raster.Length];
        for (var i = 0; i < raster.Length; i++)
            (rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2]) = ((byte)Tiff.GetR(raster[i]), (byte)Tiff.GetG(raster[i]), (byte)Tiff.GetB(raster[i]));
        return new RgbImage(size, rgb);
    }

    internal static GreyImage ReadGrey(string path, byte[] bytes) => With(path, bytes, tiff =>
    {
        if (IsPlainGrey(tiff)) return new GreyImage(SizeOf(path, tiff), Levels(path, tiff), Lossless: true);
        var (size, raster) = Raster(path, tiff);
        var grey = Array.ConvertAll(raster, p => (byte)Math.Max(Tiff.GetR(p), Math.Max(Tiff.GetG(p), Tiff.GetB(p))));
        return new GreyImage(size, grey, Lossless: false);
    });

    private static bool IsPlainGrey(Tiff tiff) =>
        Number(tiff, TiffTag.SAMPLESPERPIXEL, 1) == 1 && Number(tiff, TiffTag.BITSPERSAMPLE, 1) is 8 or 16
        && Number(tiff, TiffTag.PHOTOMETRIC, 1) == (int)Photometric.MINISBLACK && !tiff.IsTiled()
        && Number(tiff, TiffTag.COMPRESSION, 1) != (int)Compression.JPEG;

    private static byte[] Levels(string path, Tiff tiff)
    {
        var size = SizeOf(path, tiff);
        var wide = Number(tiff, TiffTag.BITSPERSAMPLE, 1) == 16;
        var line = new byte[Math.Max(tiff.ScanlineSize(), size.Width * (wide ? 2 : 1))];
        var samples = new ushort[size.Width * size.Height];
        for (var y = 0; y < size.Height; y++)
        {
            if (!tiff.ReadScanline(line, y)) throw Damaged(path);
            var words = MemoryMarshal.Cast<byte, ushort>(line.AsSpan());
            for (var x = 0; x < size.Width; x++) samples[y * size.Width + x] = wide ? words[x] : line[x];
        }
        return wide ? Png16.ToLevels(samples) : Array.ConvertAll(samples, s => (byte)s);
    }

    private static (ImageSize, int[]) Raster(string path, Tiff tiff)
    {
        var size = SizeOf(path, tiff);
        var raster = new int[size.Width * size.Height];
        if (!tiff.ReadRGBAImageOriented(size.Width, size.Height, raster, Orientation.TOPLEFT, stopOnError: true)) throw Damaged(path);
        return (size, raster);
    }

    private static T With<T>(string path, byte[] bytes, Func<Tiff, T> read)
    {
        _sawError = false;
        using var tiff = Tiff.ClientOpen(path, "r", new MemoryStream(bytes), new TiffStream()) ?? throw Damaged(path);
        try
        {
            var value = read(tiff);
            return _sawError ? throw Damaged(path) : value;
        }
        catch (Exception e) when (e is not SiamorphException)
        {
            throw Damaged(path, e); // the library lets index and cast errors of bad files through
        }
    }

    private static ImageSize SizeOf(string path, Tiff tiff)
    {
        var size = new ImageSize(Number(tiff, TiffTag.IMAGEWIDTH, 0), Number(tiff, TiffTag.IMAGELENGTH, 0));
        ImageFile.RefuseHuge(path, size);
        return size;
    }

    private static int Number(Tiff tiff, TiffTag tag, int otherwise) => tiff.GetField(tag)?[0].ToInt() ?? otherwise;

    private static InvalidDatasetException Damaged(string path, Exception? cause = null)
    {
        var message = $"{path}: the picture is cut off or damaged. Replace the file or remove the pair.";
        return cause is null ? new InvalidDatasetException(message) : new InvalidDatasetException(message, cause);
    }

    private sealed class Quiet : TiffErrorHandler
    {
        public override void ErrorHandler(Tiff tif, string method, string format, params object[] args) => _sawError = true;

        public override void ErrorHandlerExt(Tiff tif, object clientData, string method, string format, params object[] args) => _sawError = true;

        public override void WarningHandler(Tiff tif, string method, string format, params object[] args) { }

        public override void WarningHandlerExt(Tiff tif, object clientData, string method, string format, params object[] args) { }
    }
}
