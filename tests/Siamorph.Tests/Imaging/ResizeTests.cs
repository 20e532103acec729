using Siamorph.Imaging;

namespace Siamorph.Tests.Imaging;

public class ResizeTests
{
    [Fact]
    public void Image_HalvedWidth_WeighsByTheTriangle()
    {
        // (0.75·0 + 0.75·100 + 0.25·200) / 1.75 and (0.25·100 + 0.75·200 + 0.75·40) / 1.75
        var half = Resize.Levels([0, 100, 200, 40], new ImageSize(4, 1), new ImageSize(2, 1), 1);
        Assert.Equal([71, 117], half);
    }

    [Theory]
    [InlineData(7, 5)]
    [InlineData(200, 3)]
    [InlineData(48, 40)]
    public void Image_OfOneColour_StaysSo(int width, int height)
    {
        var image = new RgbImage(new ImageSize(48, 40));
        Array.Fill(image.Pixels, (byte)93);
        Assert.All(Resize.Image(image, new ImageSize(width, height)).Pixels, p => Assert.Equal(93, p));
    }

    [Fact]
    public void Mask_KeepsItsShareAndHoldsNoNewClass()
    {
        var mask = Pictures.Disc(300, 200);
        var small = Resize.Mask(mask, new ImageSize(64, 64));
        Assert.Equal<byte>([0, 1], small.Labels.Distinct().Order());
        Assert.Equal(mask.Labels.Average(l => l), small.Labels.Average(l => l), 0.01);
    }

    [Fact]
    public void Mask_EnlargedAndReduced_IsTheSame()
    {
        var mask = Pictures.Disc(31, 17);
        var large = Resize.Mask(mask, new ImageSize(93, 51));
        Assert.Equal(mask.Labels, Resize.Mask(large, mask.Size).Labels);
    }
}
