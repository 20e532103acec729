using Siamorph.Imaging;
using Siamorph.Synthesis;

namespace Siamorph.Tests.Synthesis;

public class MaskDeformationTests
{
    private static readonly MaskDeformationOptions Everything = new()
    {
        Flip = true, Rotation = 40, Scale = 0.4, Elastic = 0.05, Recombination = 0.3,
    };

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void Flip_MirrorsAsTheModelsTrainingDid(bool leftRight, bool topBottom)
    {
        var mask = new LabelMap(new ImageSize(8, 6));
        mask.Labels[0] = 1; // the upper left corner
        var corners = Enumerable.Range(0, 64).Select(i => Array.IndexOf(MaskDeformation.Apply(mask, mask, new()
        {
            Flip = true, Mirrors = (leftRight, topBottom),
        }, new Seed((ulong)i)).Mask.Labels, (byte)1)).Distinct().Order().ToList();
        Assert.Equal([.. new[] { 0, leftRight ? 7 : 0, topBottom ? 40 : 0, leftRight && topBottom ? 47 : 0 }.Distinct()],
            corners);
    }

    [Fact]
    public void Off_ReturnsTheMaskItself()
    {
        var mask = Disc(32, 12, 15, 6);
        Assert.Same(mask, MaskDeformation.Apply(mask, mask, new(), new Seed(1)).Mask);
    }

    [Fact]
    public void Variants_AreSeeded_Varied_AndPlausible()
    {
        var (mask, other) = (Disc(48, 20, 25, 9), Disc(48, 33, 30, 5));
        var area = mask.Labels.Count(l => l == 1);
        var distinct = new HashSet<string>();
        for (var i = 0; i < 60; i++)
        {
            var (a, description) = MaskDeformation.Apply(mask, other, Everything, new Seed((ulong)i));
            Assert.Equal(a.Labels, MaskDeformation.Apply(mask, other, Everything, new Seed((ulong)i)).Mask.Labels);
            Assert.All(a.Labels, l => Assert.InRange(l, 0, 1));
            Assert.InRange(a.Labels.Count(l => l == 1), area / 3, area * 3);
            Assert.NotEmpty(description);
            distinct.Add(Convert.ToHexString(a.Labels));
        }
        Assert.True(distinct.Count > 50);
    }

    [Fact]
    public void EmptyMask_StaysEmpty()
    {
        var empty = new LabelMap(new ImageSize(16, 16));
        Assert.All(MaskDeformation.Apply(empty, empty, Everything, new Seed(3)).Mask.Labels, l => Assert.Equal(0, l));
    }

    private static LabelMap Disc(int size, int x, int y, int radius)
    {
        var mask = new LabelMap(new ImageSize(size, size));
        for (var i = 0; i < mask.Labels.Length; i++)
            if (Math.Pow(i % size - x, 2) + Math.Pow(i / size - y, 2) <= radius * radius) mask.Labels[i] = 1;
        return mask;
    }
}
