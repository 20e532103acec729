using Siamorph.Imaging;

namespace Siamorph.Tests.Imaging;

public sealed class CorruptionTests
{
    private static readonly Seed Seed = new(5);

    public static TheoryData<CorruptionKind> Kinds => [.. Corruption.Kinds];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Apply_IsAFunctionOfItsArguments_AndLeavesTheImage(CorruptionKind kind)
    {
        var image = Pictures.Image(3);
        var before = image.Pixels.ToArray();
        var one = Corruption.Apply(image, kind, 2, Seed);
        Assert.Equal(before, image.Pixels);
        Assert.Equal(image.Size, one.Size);
        Assert.Equal(one.Pixels, Corruption.Apply(image, kind, 2, Seed).Pixels);
        if (kind is not (CorruptionKind.Blur or CorruptionKind.Jpeg))
            Assert.NotEqual(one.Pixels, Corruption.Apply(image, kind, 2, new Seed(6)).Pixels);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Apply_Stronger_ChangesMore(CorruptionKind kind)
    {
        for (var n = 0; n < 4; n++)
        {
            var image = Pictures.Image(n, 64, 48);
            var detail = new Seed((ulong)n).Random();
            for (var i = 0; i < image.Pixels.Length; i++)
                image.Pixels[i] = (byte)Math.Clamp(image.Pixels[i] + 30 * detail.Normal(), 0, 255);
            var changes = Enumerable.Range(1, Corruption.Strengths)
                .Select(s => Change(image, Corruption.Apply(image, kind, s, Seed.Derive(n)))).ToArray();
            Assert.True(changes[0] > 0.3, $"{kind}: strength 1 changes {changes[0]:0.00} levels");
            for (var s = 1; s < changes.Length; s++)
                Assert.True(changes[s] > 1.05 * changes[s - 1], $"{kind}: {string.Join(", ", changes)}");
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Apply_ToExtremes_StaysInRange(CorruptionKind kind)
    {
        foreach (var level in new byte[] { 0, 255 })
        {
            var flat = new RgbImage(new ImageSize(9, 7));
            Array.Fill(flat.Pixels, level);
            var result = Corruption.Apply(flat, kind, Corruption.Strengths, Seed);
            // A value beyond the range that wrapped around would lie at its other end.
            if (kind is CorruptionKind.Blur or CorruptionKind.Jpeg)
                Assert.All(result.Pixels, p => Assert.InRange(p, level - 16, level + 16));
            if (kind == CorruptionKind.Noise) Assert.Contains(level, result.Pixels);
            if (level == 0 && kind is CorruptionKind.ColourCast or CorruptionKind.Illumination)
                Assert.All(result.Pixels, p => Assert.Equal(0, level == 0 ? p : 0));
        }
    }

    [Fact]
    public void ColourCast_OfGrey_KeepsTheMeanOfTheLogarithms()
    {
        var grey = new RgbImage(new ImageSize(4, 4));
        Array.Fill(grey.Pixels, (byte)120);
        var cast = Corruption.Apply(grey, CorruptionKind.ColourCast, 3, Seed).Pixels;
        Assert.Equal(Math.Log(120), cast.Take(3).Average(p => Math.Log(p)), 0.01);
        Assert.True(cast.Take(3).Max() - cast.Take(3).Min() > 30);
    }

    [Fact]
    public void Blur_OfAPoint_IsAGaussianOfTheStatedWidth()
    {
        var size = new ImageSize(101, 101);
        var image = new RgbImage(size);
        for (var c = 0; c < 3; c++) // a line: the profile across it is one-dimensional
            for (var y = 0; y < 101; y++) image.Pixels[3 * (y * 101 + 50) + c] = 255;
        var blurred = Corruption.Apply(image, CorruptionKind.Blur, 3, Seed);
        var sigma = 0.048 * 101;
        foreach (var d in new[] { 0, 2, 5 })
            Assert.Equal(255 / (sigma * Math.Sqrt(2 * Math.PI)) * Math.Exp(-d * d / (2 * sigma * sigma)),
                blurred.Pixels[3 * (30 * 101 + 50 + d)], 1.0);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    public void Apply_WithAnotherStrength_IsRefused(int strength) =>
        Assert.Throws<ArgumentOutOfRangeException>(() =>
            Corruption.Apply(Pictures.Image(1), CorruptionKind.Blur, strength, Seed));

    private static double Change(RgbImage a, RgbImage b) => a.Pixels.Zip(b.Pixels, (x, y) => Math.Abs(x - y)).Average();
}
