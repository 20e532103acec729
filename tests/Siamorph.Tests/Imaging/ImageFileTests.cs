using BitMiracle.LibTiff.Classic;
using Siamorph.Imaging;

namespace Siamorph.Tests.Imaging;

public sealed class ImageFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Pipe_IsRefused_InsteadOfWaitedFor()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("Windows has no pipes among its files.");
        var pipe = _folder["pipe.png"];
        using (var made = System.Diagnostics.Process.Start("mkfifo", pipe))
            await made.WaitForExitAsync(TestContext.Current.CancellationToken);
        var link = _folder["link.png"];
        File.CreateSymbolicLink(link, pipe);
        foreach (var path in (string[])[pipe, link])
        {
            var read = Task.Run(() => Assert.Throws<InvalidDatasetException>(() => ImageFile.ReadRgb(path)),
                TestContext.Current.CancellationToken);
            Assert.Same(read, await Task.WhenAny(read,
                Task.Delay(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken)));
            Assert.False(ImageFile.MayBeWide(path));
        }
    }

    [Theory]
    [InlineData("jpg", 640, 480, 160, 120)]
    [InlineData("jpg", 300, 500, 96, 160)]
    [InlineData("jpg", 48, 40, 48, 40)]
    [InlineData("png", 640, 480, 160, 120)]
    public void DecodeReduced_IsNearlyTheWholeImageMadeSmaller(
        string kind, int width, int height, int reducedWidth, int reducedHeight)
    {
        var image = Pictures.Image(3, width, height);
        var bytes = kind == "jpg" ? ImageFile.EncodeJpeg(image, 95) : ImageFile.EncodePng(image);
        var reduced = ImageFile.DecodeReduced("an image", bytes, 160);
        Assert.Equal(new ImageSize(reducedWidth, reducedHeight), reduced.Size);
        var wanted = Resize.Image(ImageFile.DecodeRgb("an image", bytes), reduced.Size);
        Assert.InRange(reduced.Pixels.Zip(wanted.Pixels, (a, b) => Math.Abs(a - b)).Average(), 0, 2);
    }

    [Fact]
    public void DecodeReduced_OfACutOffFile_IsRefused()
    {
        var bytes = ImageFile.EncodeJpeg(Pictures.Image(3, 640, 480), 90);
        Assert.Throws<InvalidDatasetException>(() => ImageFile.DecodeReduced("an image", bytes[..(bytes.Length / 2)], 160));
    }

    [Fact]
    public void Png_WrittenAndRead_IsTheSame()
    {
        var image = Pictures.Image(1, 37, 23);
        ImageFile.WritePng(_folder["a.png"], image);
        var read = ImageFile.ReadRgb(_folder["a.png"]);
        Assert.Equal(image.Size, read.Size);
        Assert.Equal(image.Pixels, read.Pixels);
        Assert.Equal(new ImageHeader(new ImageSize(37, 23), "png", false), ImageFile.Identify(_folder["a.png"]));
    }

    [Fact]
    public void Mask_WrittenAndRead_IsTheSameAndHolds0And255()
    {
        var mask = Pictures.Disc();
        ImageFile.WriteMaskPng(_folder["m.png"], mask);
        Assert.Equal(mask.Labels, ImageFile.ReadMask(_folder["m.png"]).Labels);
        Assert.Equal<byte>([0, 255], ImageFile.ReadGrey(_folder["m.png"]).Levels.Distinct().Order());
    }

    [Theory]
    [InlineData(127, 0)]
    [InlineData(128, 1)]
    public void Mask_OfGreyLevels_IsCutAbove127(byte level, byte expected)
    {
        Pictures.WriteGrey(_folder["m.png"], new ImageSize(4, 2), i => i == 3 ? level : (byte)(20 * i));
        Assert.Equal(expected, ImageFile.ReadMask(_folder["m.png"]).Labels[3]);
    }

    [Fact]
    public void Mask_OfClassNumbers_MarksEveryClass()
    {
        Pictures.WriteGrey(_folder["m.png"], new ImageSize(3, 1), i => (byte)i);
        Assert.Equal([0, 1, 1], ImageFile.ReadMask(_folder["m.png"]).Labels);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(1, 2)]
    [InlineData(255, 0)]
    [InlineData(65535, 2)]
    public void Mask_Of16Bits_KeepsSmallNumbers(int high, int filter)
    {
        File.WriteAllBytes(_folder["m.png"], Pictures.Png(
            new ImageSize(5, 3), 16, 0, (x, y) => x == 2 || y == 1 ? [(byte)(high >> 8), (byte)high] : [0, 0], filter));
        Assert.Equal([0, 0, 1, 0, 0, 1, 1, 1, 1, 1, 0, 0, 1, 0, 0], ImageFile.ReadMask(_folder["m.png"]).Labels);
    }

    [Fact]
    public void Image_Of16Bits_IsReducedTo8()
    {
        File.WriteAllBytes(_folder["a.png"],
            Pictures.Png(new ImageSize(2, 1), 16, 2, (x, _) => [(byte)(200 - x), 200, 100, 100, 0, 0]));
        Assert.Equal([200, 100, 0, 199, 100, 0], ImageFile.ReadRgb(_folder["a.png"]).Pixels);
        Assert.Equal([255, 128, 0, 254, 128, 0], ImageFile.ReadRgb(_folder["a.png"], new IntensityRange(0, 200 * 257)).Pixels);
    }

    [Theory]
    [InlineData(8)]
    [InlineData(16)]
    public void Tiff_IsRead(int bits)
    {
        using (var tiff = Tiff.Open(_folder["m.tif"], "w"))
        {
            tiff.SetField(TiffTag.IMAGEWIDTH, 3);
            tiff.SetField(TiffTag.IMAGELENGTH, 2);
            tiff.SetField(TiffTag.BITSPERSAMPLE, bits);
            tiff.SetField(TiffTag.SAMPLESPERPIXEL, 1);
            tiff.SetField(TiffTag.PHOTOMETRIC, Photometric.MINISBLACK);
            tiff.SetField(TiffTag.ROWSPERSTRIP, 2);
            for (var y = 0; y < 2; y++)
                tiff.WriteScanline(bits == 8 ? [0, 1, 1] : [0, 0, 1, 0, 1, 0], y);
        }
        Assert.Equal([0, 1, 1, 0, 1, 1], ImageFile.ReadMask(_folder["m.tif"]).Labels);
        Assert.Equal(new ImageSize(3, 2), ImageFile.ReadRgb(_folder["m.tif"]).Size);
        Assert.Equal("tiff", ImageFile.Identify(_folder["m.tif"]).Format);

        File.WriteAllBytes(_folder["cut.tif"], File.ReadAllBytes(_folder["m.tif"])[..14]);
        AssertRefused("cut.tif");
    }

    [Theory]
    [InlineData("png", 0.3)]
    [InlineData("png", 0.7)]
    [InlineData("png", 0.99)]
    [InlineData("jpg", 0.3)]
    [InlineData("jpg", 0.7)]
    [InlineData("jpg", 0.99)]
    public void CutOffFile_IsRefused(string kind, double kept)
    {
        WriteAny($"a.{kind}");
        var bytes = File.ReadAllBytes(_folder[$"a.{kind}"]);
        File.WriteAllBytes(_folder[$"cut.{kind}"], bytes[..(int)(kept * bytes.Length)]);
        AssertRefused($"cut.{kind}");
    }

    [Fact]
    public void PngWithFlippedBits_IsRefused()
    {
        WriteAny("a.png");
        var bytes = File.ReadAllBytes(_folder["a.png"]);
        for (var i = bytes.Length / 3; i < bytes.Length / 3 + 30; i++) bytes[i] ^= 0x55;
        File.WriteAllBytes(_folder["a.png"], bytes);
        AssertRefused("a.png");
    }

    [Fact]
    public void DecompressionBomb_IsRefusedByItsHeader()
    {
        File.WriteAllBytes(_folder["bomb.png"], [
            0x89, .. "PNG\r\n"u8, 0x1A, 0x0A, .. Pictures.Header(new ImageSize(30000, 30000), 8, 0),
            .. Pictures.Chunk("IDAT", [1, 2, 3]), .. Pictures.Chunk("IEND", [])]);
        Assert.Contains("30000×30000", AssertRefused("bomb.png"), StringComparison.Ordinal);
        File.WriteAllBytes(_folder["bomb16.png"], [
            0x89, .. "PNG\r\n"u8, 0x1A, 0x0A, .. Pictures.Header(new ImageSize(60000, 60000), 16, 0),
            .. Pictures.Chunk("IDAT", [1, 2, 3]), .. Pictures.Chunk("IEND", [])]);
        AssertRefused("bomb16.png");
    }

    [Fact]
    public void NoPicture_IsRefused()
    {
        File.WriteAllText(_folder["a.png"], "not an image");
        File.WriteAllBytes(_folder["empty.png"], []);
        AssertRefused("a.png");
        AssertRefused("empty.png");
        AssertRefused("missing.png");
    }

    private string AssertRefused(string name)
    {
        var path = _folder[name];
        Assert.Contains(path, Assert.Throws<InvalidDatasetException>(() => ImageFile.ReadRgb(path)).Message,
            StringComparison.Ordinal);
        return Assert.Throws<InvalidDatasetException>(() => ImageFile.ReadMask(path)).Message;
    }

    private void WriteAny(string name)
    {
        if (name.EndsWith("jpg", StringComparison.Ordinal)) Pictures.WriteJpeg(_folder[name], Pictures.Image(3, 120, 90));
        else ImageFile.WritePng(_folder[name], Pictures.Image(3, 120, 90));
    }
}
