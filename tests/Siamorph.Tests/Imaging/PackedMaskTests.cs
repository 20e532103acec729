using Siamorph.Imaging;

namespace Siamorph.Tests.Imaging;

public class PackedMaskTests
{
    [Fact]
    public void Pixels_AreBitsFromTheLowest_WithoutPadding()
    {
        var mask = new LabelMap(new ImageSize(3, 3), [1, 0, 0, 0, 1, 0, 0, 0, 1]);
        Assert.Equal([0b0001_0001, 0b1], PackedMask.Pack(mask));
        Assert.Equal(mask.Labels, PackedMask.Unpack([0b0001_0001, 0b1], mask.Size).Labels);
    }

    [Theory]
    [InlineData(4, 4, 3)]
    [InlineData(4, 4, 1)]
    [InlineData(0, 4, 0)]
    [InlineData(-1, -8, 1)]
    [InlineData(65536, 65536, 1)]
    public void Bits_ThatAreNotOfTheSize_AreRefused(int width, int height, int bytes) =>
        Assert.Throws<InvalidDatasetException>(() => PackedMask.Unpack(new byte[bytes], new ImageSize(width, height)));
}
