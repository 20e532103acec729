using BitMiracle.LibTiff.Classic;
using Siamorph.Data.Folders;
using Siamorph.Imaging;

namespace Siamorph.Tests.Imaging;

public sealed class IntensityRangeTests : IDisposable
{
    private static readonly ImageSize Size = new(40, 30);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(255)]
    [InlineData(1023)]
    [InlineData(4095)]
    [InlineData(65535)]
    public void WidePictures_LookAsTheirEightBitTwins(int depth)
    {
        Write(depth, (path, level) => File.WriteAllBytes(path,
            StoredFiles.Png(Size, (16, 2), (x, y) => [level(x, y, 0), level(x, y, 1), level(x, y, 2)])));
        AssertTwins(2);
    }

    [Theory]
    [InlineData(SampleFormat.UINT, 4095)]
    [InlineData(SampleFormat.IEEEFP, 1)]
    public void WideTiffs_LookAsTheirEightBitTwins(SampleFormat format, double depth)
    {
        foreach (var (name, shade) in new[] { ("a", 0), ("b", 40) })
        {
            StoredFiles.Tiff(_folder[$"{name}.tif"], Size, new(format == SampleFormat.UINT ? 16 : 32, format),
                (x, y) => [Shade(x, y, 0, shade) * depth / 255]);
            ImageFile.WritePng(_folder["twins", $"{name}.png"], Twin(shade, grey: true));
        }
        AssertTwins(2);
    }

    [Fact]
    public void StatedDepth_IsTheRange()
    {
        var significant = Pictures.Chunk("sBIT", [12]);
        File.WriteAllBytes(_folder["a.png"], StoredFiles.Png(Size, (16, 0), (x, y) => [x + y], false, significant));
        Assert.Equal(new IntensityRange(0, 4095), IntensityRange.OfSet([_folder["a.png"]]));
        // Stated, but not kept to
        File.WriteAllBytes(_folder["a.png"], StoredFiles.Png(Size, (16, 0), (x, y) => [x * 1000], false, significant));
        Assert.True(IntensityRange.OfSet([_folder["a.png"]])!.High > 4095);
    }

    [Fact]
    public void EightBits_HaveNoRange()
    {
        ImageFile.WritePng(_folder["a.png"], Twin(0));
        Assert.Null(IntensityRange.OfSet([_folder["a.png"], _folder["missing.png"]]));
    }

    [Fact]
    public void Range_IsOneForTheSet_AndKeptByText()
    {
        File.WriteAllBytes(_folder["images", "a.png"].EnsureFolder(), StoredFiles.Png(Size, (16, 0), (_, _) => [100]));
        File.WriteAllBytes(_folder["images", "b.png"], StoredFiles.Png(Size, (16, 0), (x, _) => [x * 50]));
        foreach (var name in new[] { "a", "b" })
            ImageFile.WriteMaskPng(_folder["masks", $"{name}.png"], Pictures.Disc(Size.Width, Size.Height));
        var ranges = DatasetFolder.Read(_folder[""]).Pairs.Select(p => p.Range!).ToList();
        Assert.Equal(ranges[0], ranges[1]);
        Assert.InRange(ranges[0].High, 1800, 1950);
        Assert.Equal(ranges[0], IntensityRange.Parse(ranges[0].ToString()));
        Assert.Throws<FormatException>(() => IntensityRange.Parse("5:1"));
    }

    private void Write(int depth, Action<string, Func<int, int, int, int>> write)
    {
        foreach (var (name, shade) in new[] { ("a", 0), ("b", 40) })
        {
            write(_folder[$"{name}.png"], (x, y, c) => (int)Math.Round(Shade(x, y, c, shade) * depth / 255.0));
            ImageFile.WritePng(_folder["twins", $"{name}.png"], Twin(shade));
        }
    }

    private void AssertTwins(int count)
    {
        string[] files = [.. Directory.EnumerateFiles(_folder[""]).Where(ImageFile.IsPicture)];
        Assert.Equal(count, files.Length);
        var range = IntensityRange.OfSet(files);
        foreach (var file in files)
        {
            var (wide, twin) = (ImageFile.ReadRgb(file, range),
                ImageFile.ReadRgb(_folder["twins", Path.ChangeExtension(Path.GetFileName(file), ".png")]));
            Assert.All(wide.Pixels.Zip(twin.Pixels), p => Assert.InRange(p.First, p.Second - 3, p.Second + 3));
        }
    }

    private static int Shade(int x, int y, int channel, int shade) =>
        Math.Clamp(6 * x + 2 * y + 5 * channel + shade - 40, 0, 255);

    private static RgbImage Twin(int shade, bool grey = false)
    {
        var image = new RgbImage(Size);
        for (var i = 0; i < image.Pixels.Length; i++)
            image.Pixels[i] = (byte)Shade(i / 3 % Size.Width, i / 3 / Size.Width, grey ? 0 : i % 3, shade);
        return image;
    }
}

file static class Folders
{
    public static string EnsureFolder(this string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return path;
    }
}
