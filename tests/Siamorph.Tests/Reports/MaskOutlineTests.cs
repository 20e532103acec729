using Siamorph.Imaging;
using Siamorph.Reports;

namespace Siamorph.Tests.Reports;

public sealed class MaskOutlineTests
{
    [Fact]
    public void Path_OfAnEmptyMask_IsEmpty() =>
        Assert.Equal("", MaskOutline.Path(new LabelMap(new ImageSize(4, 3), new byte[12])));

    [Fact]
    public void Path_OfOnePixel_IsADiamondThroughTheMiddlesOfItsEdges() =>
        Assert.Equal("M1.5 1L2 1.5L1.5 2L1 1.5Z", MaskOutline.Path(Filled(new ImageSize(3, 3), (x, y) => x == 1 && y == 1)));

    [Fact]
    public void Path_OfARectangle_HasTwoPointsACorner_AndNoneOnItsSides() =>
        Assert.Equal(8, Points(MaskOutline.Path(Filled(new ImageSize(9, 9), (x, y) => x is > 1 and < 8 && y is > 1 and < 7))));

    [Fact]
    public void Path_OfATriangleOfSteps_IsStraightAlongThem() =>
        Assert.InRange(Points(MaskOutline.Path(Filled(new ImageSize(20, 20), (x, y) => y <= x))), 4, 8);

    [Fact]
    public void Path_OfARing_IsTwoLoops() => Assert.Equal(2,
        MaskOutline.Path(Filled(new ImageSize(7, 7), (x, y) => x is > 0 and < 6 && y is > 0 and < 6 && (x, y) is not (3, 3)))
            .Count(c => c == 'Z'));

    private static int Points(string path) => path.Count(c => c is 'M' or 'L');

    private static LabelMap Filled(ImageSize size, Func<int, int, bool> inside)
    {
        var labels = new byte[size.Width * size.Height];
        for (var i = 0; i < labels.Length; i++) labels[i] = inside(i % size.Width, i / size.Width) ? (byte)1 : (byte)0;
        return new LabelMap(size, labels);
    }
}
