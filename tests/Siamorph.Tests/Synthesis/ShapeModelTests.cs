using Siamorph.Evaluation.Masks;
using Siamorph.Imaging;
using Siamorph.Synthesis;

namespace Siamorph.Tests.Synthesis;

public sealed class ShapeModelTests
{
    private static readonly ImageSize Size = new(64, 64);

    [Fact]
    public void Draw_FromEllipses_GivesNewSolidLesions_AsLargeAndRoundAsTheGivenOnes()
    {
        var given = Enumerable.Range(0, 40).Select(i => Ellipse(new Seed(7).Derive(i).Random())).ToList();
        var model = ShapeModel.Fit(given);
        var drawn = Enumerable.Range(0, 100).Select(i => model.Draw(Size, new Seed(1).Derive(i))).ToList();
        var (least, most) = (given.Min(Area), given.Max(Area));
        Assert.All(drawn, m => Assert.InRange(Area(m), least / 1.26, most * 1.26));
        Assert.All(drawn, m => Assert.Equal(1, ConnectedComponents.Of(m).Count));
        Assert.InRange(drawn.Average(Area) / given.Average(Area), 0.8, 1.25);
        // An ellipse fills π/4 of the rectangle around it, whichever way it is long.
        Assert.InRange(drawn.Average(Filling), 0.70, 0.86);
        Assert.True(drawn.Count(m => given.All(g => Overlap(g, m) < 0.98)) > 90, "new shapes are copies of the given ones");
        var spread = drawn.Select(m => (double)Area(m)).ToList();
        Assert.True(Math.Sqrt(spread.Average(a => a * a) - Math.Pow(spread.Average(), 2)) > 0.2 * spread.Average(),
            "all of one size");
    }

    [Fact]
    public void Draw_IsAFunctionOfTheSeed_AndOfAnySize()
    {
        var model = ShapeModel.Fit([.. Enumerable.Range(0, 8).Select(i => Ellipse(new Seed(7).Derive(i).Random()))]);
        Assert.Equal(model.Draw(Size, new Seed(5)).Labels, model.Draw(Size, new Seed(5)).Labels);
        Assert.NotEqual(model.Draw(Size, new Seed(5)).Labels, model.Draw(Size, new Seed(6)).Labels);
        var large = model.Draw(new ImageSize(256, 256), new Seed(5));
        Assert.InRange(Area(large) / 16.0 / Area(model.Draw(Size, new Seed(5))), 0.9, 1.1);
    }

    [Fact]
    public void Draw_FromASingleMask_GivesItBack()
    {
        var only = Ellipse(new Seed(3).Random());
        var drawn = ShapeModel.Fit([only, new LabelMap(Size)]).Draw(Size, new Seed(1));
        Assert.True(Overlap(only, drawn) > 0.93, $"Dice {Overlap(only, drawn):0.000}"); // but for the grid
    }

    [Fact]
    public void Draw_OfMasksWithSeveralLesions_HasSeveralAsOften()
    {
        var given = Enumerable.Range(0, 20).Select(i => Two(new Seed(9).Derive(i).Random())).ToList();
        var model = ShapeModel.Fit(given);
        Assert.True(Enumerable.Range(0, 40)
            .Count(i => ConnectedComponents.Of(model.Draw(Size, new Seed(2).Derive(i))).Count == 2) > 15);
    }

    [Fact]
    public void Fit_OfMasksWithoutALesion_IsRefused()
        => Assert.Contains("no mask has a lesion",
        Assert.Throws<InvalidDatasetException>(() => ShapeModel.Fit([new LabelMap(Size)])).Message, StringComparison.Ordinal);

    [Fact]
    public void Options_OfShapesThatNeedAPicture_AreRefused()
    {
        var error = Assert.Throws<InvalidOptionsException>(() => new SynthesisOptions
        {
            Shapes = 5, Start = SampleStart.Real,
        }.Validate());
        Assert.Contains("has no image", error.Message, StringComparison.Ordinal);
    }

    private static LabelMap Ellipse(SeededRandom random) =>
        Fill(new LabelMap(Size), random, random.Uniform(20, 44), random.Uniform(20, 44));

    private static LabelMap Two(SeededRandom random) => Fill(Fill(new LabelMap(Size), random, 16, 16), random, 48, 48);

    private static LabelMap Fill(LabelMap mask, SeededRandom random, double cx, double cy)
    {
        double a = random.Uniform(5, 14), b = a * random.Uniform(0.6, 1);
        for (var y = 0; y < Size.Height; y++)
            for (var x = 0; x < Size.Width; x++)
                if (Math.Pow((x - cx) / a, 2) + Math.Pow((y - cy) / b, 2) <= 1) mask.Labels[y * Size.Width + x] = 1;
        return mask;
    }

    private static int Area(LabelMap mask) => mask.Labels.Count(l => l != 0);

    private static double Filling(LabelMap mask)
    {
        var inside = Enumerable.Range(0, mask.Labels.Length).Where(i => mask.Labels[i] != 0).ToList();
        var (width, height) = (mask.Size.Width, 0);
        var (left, right) = (inside.Min(i => i % width), inside.Max(i => i % width));
        height = inside.Max(i => i / width) - inside.Min(i => i / width) + 1;
        return (double)inside.Count / ((right - left + 1) * height);
    }

    private static double Overlap(LabelMap a, LabelMap b) =>
        2.0 * a.Labels.Zip(b.Labels, (p, q) => p != 0 && q != 0).Count(x => x) / (Area(a) + Area(b));
}
