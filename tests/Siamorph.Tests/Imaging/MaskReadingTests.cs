using BitMiracle.LibTiff.Classic;
using Siamorph.Imaging;

namespace Siamorph.Tests.Imaging;

/// <summary>One shape, stored in every way in which people have it: it must be read as that shape.</summary>
public sealed class MaskReadingTests : IDisposable
{
    private static readonly ImageSize Size = new(21, 18);
    private static readonly byte[] WhiteFirst = [255, 255, 255, 0, 0, 0, 90, 0, 0, 0, 90, 0];
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(2, 3)]
    [InlineData(4, 1)]
    [InlineData(4, 15)]
    [InlineData(8, 1)]
    [InlineData(8, 38)]
    [InlineData(8, 100)]
    [InlineData(16, 1)]
    [InlineData(16, 300)]
    [InlineData(16, 4095)]
    public void GreyPng_OfTwoValues_IsTheShape(int bits, int lesion)
    {
        foreach (var interlaced in new[] { false, true })
        {
            File.WriteAllBytes(_folder["m.png"],
                StoredFiles.Png(Size, (bits, 0), (x, y) => [Inside(x, y) ? lesion : 0], interlaced));
            AssertShape("m.png");
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(8)]
    public void PalettePng_IsReadByPlace_NotByColour(int bits)
    {
        foreach (var interlaced in new[] { false, true })
        {
            File.WriteAllBytes(_folder["m.png"], StoredFiles.Png(
                Size, (bits, 3), (x, y) => [Inside(x, y) ? 1 : 0], interlaced,
                Pictures.Chunk("PLTE", WhiteFirst[..(bits == 1 ? 6 : 12)])));
            AssertShape("m.png");
        }
    }

    [Theory]
    [InlineData(8, 2, 1)]
    [InlineData(16, 2, 1)]
    [InlineData(8, 6, 1)]
    [InlineData(16, 2, 700)]
    [InlineData(16, 4, 9)]
    public void ColourPng_OfEqualChannels_IsTheShape(int bits, int colourType, int lesion)
    {
        File.WriteAllBytes(_folder["m.png"], StoredFiles.Png(Size, (bits, colourType), (x, y) =>
        {
            var level = Inside(x, y) ? lesion : 0;
            return colourType switch { 2 => [level, level, level], 6 => [level, level, level, 255], _ => [level, 65535] };
        }));
        AssertShape("m.png");
    }

    [Fact]
    public void ColourPng_OfFlatDarkColours_IsEverythingButBlack()
    {
        File.WriteAllBytes(_folder["m.png"],
            StoredFiles.Png(Size, (8, 2), (x, y) => !Inside(x, y) ? [0, 0, 0] : x < 10 ? [0, 64, 0] : [128, 0, 0]));
        AssertShape("m.png");
    }

    [Theory]
    [InlineData(8, 40)]
    [InlineData(8, 200)]
    [InlineData(16, 900)]
    [InlineData(16, 60000)]
    public void Instances_OfAnyNumber_AreTheLesion(int bits, int largest)
    {
        var instance = (int x) => largest - x / 4 * (largest / 9);
        File.WriteAllBytes(_folder["m.png"], StoredFiles.Png(Size, (bits, 0), (x, y) => [Inside(x, y) ? instance(x) : 0]));
        AssertShape("m.png");
        Assert.True(MaskLevels.AreClassNumbers(ImageFile.ReadMaskLevels(_folder["m.png"])));
    }

    [Fact]
    public void SoftOutline_IsCutInTheMiddle()
    {
        File.WriteAllBytes(_folder["m.png"], StoredFiles.Png(Size, (8, 0), (x, _) => [Math.Clamp((x - 5) * 25, 0, 255)]));
        Assert.Equal([.. Enumerable.Range(0, Size.Width).Select(x => (x - 5) * 25 > 127 ? (byte)1 : (byte)0)],
            ImageFile.ReadMask(_folder["m.png"]).Labels[..Size.Width]);
        File.WriteAllBytes(_folder["w.png"], StoredFiles.Png(Size, (16, 0), (x, _) => [Math.Clamp((x - 5) * 25, 0, 255) * 257]));
        Assert.Equal(ImageFile.ReadMask(_folder["m.png"]).Labels, ImageFile.ReadMask(_folder["w.png"]).Labels);
    }

    [Fact]
    public void MeanOfAnnotators_IsNotTakenForNumbers()
    {
        File.WriteAllBytes(_folder["m.png"], StoredFiles.Png(Size, (8, 0), (x, _) => [x / 6 * 85]));
        Assert.False(MaskLevels.AreClassNumbers(ImageFile.ReadMaskLevels(_folder["m.png"])));
    }

    [Theory]
    [InlineData(1, 1, SampleFormat.UINT, Compression.NONE, 0)]
    [InlineData(4, 1, SampleFormat.UINT, Compression.LZW, 0)]
    [InlineData(8, 1, SampleFormat.UINT, Compression.NONE, 16)]
    [InlineData(8, 255, SampleFormat.UINT, Compression.LZW, 16)]
    [InlineData(16, 1, SampleFormat.UINT, Compression.DEFLATE, 16)]
    [InlineData(16, 2000, SampleFormat.UINT, Compression.PACKBITS, 0)]
    [InlineData(16, 7, SampleFormat.INT, Compression.NONE, 0)]
    [InlineData(32, 1, SampleFormat.UINT, Compression.NONE, 0)]
    [InlineData(32, 100000, SampleFormat.INT, Compression.LZW, 16)]
    [InlineData(32, 1, SampleFormat.IEEEFP, Compression.NONE, 0)]
    [InlineData(32, 0.9, SampleFormat.IEEEFP, Compression.NONE, 16)]
    [InlineData(64, 1, SampleFormat.IEEEFP, Compression.NONE, 0)]
    public void Tiff_OfEveryKind_IsTheShape(int bits, double lesion, SampleFormat format, Compression compression, int tile)
    {
        StoredFiles.Tiff(_folder["m.tif"], Size, new(bits, format)
        {
            Compression = compression, Tile = tile,
        }, (x, y) => [Inside(x, y) ? lesion : 0]);
        AssertShape("m.tif");
    }

    [Theory]
    [InlineData(8, 0)]
    [InlineData(8, 16)]
    [InlineData(16, 0)]
    public void ColourTiff_Of0And1_IsTheShape(int bits, int tile)
    {
        StoredFiles.Tiff(_folder["m.tif"], Size, new(bits) { Tile = tile }, (x, y) => Inside(x, y) ? [1, 1, 1] : [0, 0, 0]);
        AssertShape("m.tif");
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    [InlineData(300.5)]
    public void Tiff_OfNumbersThatMeanNothing_IsRefused(double value)
    {
        StoredFiles.Tiff(_folder["m.tif"], Size, new(32, SampleFormat.IEEEFP), (x, y) => [Inside(x, y) ? value : 0]);
        Assert.Contains(_folder["m.tif"],
            Assert.Throws<InvalidDatasetException>(() => ImageFile.ReadMask(_folder["m.tif"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void BmpAndGif_AreReadByPlace()
    {
        File.WriteAllBytes(_folder["m.bmp"], StoredFiles.Bmp(Size, WhiteFirst, (x, y) => Inside(x, y) ? (byte)1 : (byte)0));
        AssertShape("m.bmp");
        File.WriteAllBytes(_folder["m.gif"], StoredFiles.Gif(Size, WhiteFirst, (x, y) => Inside(x, y) ? (byte)2 : (byte)0));
        AssertShape("m.gif");
    }

    [Fact]
    public void Transparency_IsTheMask_WhereNothingElseDiffers()
    {
        foreach (var colour in new[] { 0, 255 })
        {
            File.WriteAllBytes(_folder["m.png"],
                StoredFiles.Png(Size, (8, 6), (x, y) => [colour, colour, colour, Inside(x, y) ? 255 : 0]));
            AssertShape("m.png");
            Assert.Contains("alpha", ImageFile.ReadMaskLevels(_folder["m.png"]).Note!, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void SeveralPages_AreRefusedByNumber()
    {
        StoredFiles.Tiff(_folder["m.tif"], Size, new(8) { Pages = 3 }, (_, _) => [1]);
        File.WriteAllBytes(_folder["m.gif"], StoredFiles.Gif(Size, WhiteFirst, (_, _) => 1, frames: 2));
        File.WriteAllBytes(_folder["m.png"],
            StoredFiles.Png(Size, (8, 0), (_, _) => [1], false, Pictures.Chunk("acTL", [0, 0, 0, 4, 0, 0, 0, 0])));
        foreach (var (name, pages) in new[] { ("m.tif", "3 pages"), ("m.gif", "2 frames"), ("m.png", "4 frames") })
            Assert.Contains(pages, Assert.Throws<InvalidDatasetException>(() => ImageFile.ReadMask(_folder[name])).Message,
                StringComparison.Ordinal);
        foreach (var name in new[] { "m.tif", "m.gif" })
            Assert.Throws<InvalidDatasetException>(() => ImageFile.ReadRgb(_folder[name]));
    }

    [Fact]
    public void HeadersThatClaimTheImpossible_AreRefused()
    {
        var bmp = StoredFiles.Bmp(Size, WhiteFirst, (_, _) => 1);
        BitConverter.TryWriteBytes(bmp.AsSpan(22), int.MinValue);
        StoredFiles.Tiff(_folder["m.tif"], Size, new(8), (_, _) => [1]);
        var tiff = File.ReadAllBytes(_folder["m.tif"]);
        var lengths = tiff.AsSpan().IndexOf((byte[])[0x17, 0x01, 4, 0]); // StripByteCounts
        BitConverter.TryWriteBytes(tiff.AsSpan(lengths + 4), 0x70000000);
        byte[] telephone = [0, 0, 19, 13, .. new byte[39]]; // what the codec takes for an image of telephones
        foreach (var (name, file) in new[] { ("a.bmp", bmp), ("b.tif", tiff), ("c.png", telephone) })
        {
            File.WriteAllBytes(_folder[name], file);
            foreach (var read in new Action[] { () => ImageFile.ReadMask(_folder[name]), () => ImageFile.ReadRgb(_folder[name]) })
                Assert.Contains(name, Assert.Throws<InvalidDatasetException>(read).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void PngWithAWrongChecksum_IsRefused()
    {
        var file = StoredFiles.Png(Size, (2, 0), (x, y) => [Inside(x, y) ? 1 : 0]);
        file[^14] ^= 1; // of the pixels
        File.WriteAllBytes(_folder["m.png"], file);
        Assert.Throws<InvalidDatasetException>(() => ImageFile.ReadMask(_folder["m.png"]));
    }

    private static bool Inside(int x, int y) => x is > 3 and < 17 && y is > 2 and < 14 && x + y > 9;

    private void AssertShape(string name)
    {
        var mask = ImageFile.ReadMask(_folder[name]);
        Assert.Equal(Size, mask.Size);
        Assert.Equal([.. from y in Enumerable.Range(0, Size.Height) from x in Enumerable.Range(0, Size.Width) select Inside(x, y)
            ? (byte)1 : (byte)0], mask.Labels);
    }
}
