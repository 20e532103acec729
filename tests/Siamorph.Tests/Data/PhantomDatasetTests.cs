using Siamorph.Data.Checks;
using Siamorph.Data.Folders;
using Siamorph.Data.Phantom;
using Siamorph.Imaging;

namespace Siamorph.Tests.Data;

public sealed class PhantomDatasetTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private static readonly PhantomOptions Small = new() { Count = 10, Size = new ImageSize(40, 32), FramesPerCase = 3 };

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Write_MakesAFolderThatReadsBackAndHasNoFault()
    {
        var written = PhantomDataset.Write(_folder.Path, Small, NullMonitor.Instance);
        var read = DatasetFolder.Read(_folder.Path);
        Assert.Equal(written.Pairs, read.Pairs);
        Assert.Equal(["case-0000", "case-0001", "case-0002", "case-0003"], read.Pairs.Select(p => p.Group!).Distinct());
        Assert.All(read.Pairs.GroupBy(p => p.Group), g => Assert.Single(g.Select(p => p.Prompt).Distinct()));
        Assert.Empty(DatasetValidator.Check(read, NullMonitor.Instance).Findings);
    }

    [Fact]
    public void AnImage_DependsOnSeedNumberAndSizeAlone()
    {
        PhantomDataset.Write(_folder["ten"], Small, NullMonitor.Instance);
        PhantomDataset.Write(_folder["five"], Small with { Count = 5 }, NullMonitor.Instance);
        foreach (var name in new[] { "images/phantom-00004.png", "masks/phantom-00004.png" })
            Assert.Equal(File.ReadAllBytes(_folder["ten", name]), File.ReadAllBytes(_folder["five", name]));
        var (image, mask) = PhantomDataset.Paint(Small, 4);
        Assert.Equal(image.Pixels, ImageFile.ReadRgb(_folder["ten", "images", "phantom-00004.png"]).Pixels);
        Assert.Equal(mask.Labels, ImageFile.ReadMask(_folder["ten", "masks", "phantom-00004.png"]).Labels);
        Assert.NotEqual(image.Pixels, PhantomDataset.Paint(Small with { Seed = new Seed(2) }, 4).Image.Pixels);
    }

    [Fact]
    public void TheScene_IsTheSameAtEverySize()
    {
        for (var i = 0; i < 4; i++)
        {
            var small = PhantomDataset.Paint(Small with { Size = new ImageSize(32, 32) }, i).Mask;
            var large = Resize.Mask(PhantomDataset.Paint(Small with { Size = new ImageSize(96, 96) }, i).Mask, small.Size);
            var differing = small.Labels.Zip(large.Labels).Count(l => l.First != l.Second);
            Assert.True(differing < 0.05 * small.Labels.Length, $"image {i}: {differing} labels differ");
        }
    }

    [Fact]
    public void Lesions_AreAsLargeAsInColonoscopySets()
    {
        var areas = Enumerable.Range(0, 240)
            .Select(i => PhantomDataset.Paint(new PhantomOptions
            {
                Size = new ImageSize(32, 32),
            }, i).Mask.Labels.Average(l => (double)l)).Order().ToList();
        Assert.InRange(areas.Average(), 0.12, 0.19);
        Assert.InRange(areas[120], 0.085, 0.145);
        Assert.InRange(areas[12], 0.01, 0.05);
        Assert.InRange(areas[228], 0.30, 0.52);
        Assert.All(areas, a => Assert.InRange(a, 0.003, 0.85));
    }

    [Fact]
    public void Lesions_StandOutAtTheirOutline()
    {
        // Across the outline brightness changes more than it does between pixels elsewhere: the image follows the mask.
        var (at, elsewhere) = (0.0, 0.0);
        for (var i = 0; i < 24; i++)
        {
            var (image, mask) = PhantomDataset.Paint(new PhantomOptions(), i);
            var (across, plain) = Steps(image, mask);
            (at, elsewhere) = (at + across, elsewhere + plain);
        }
        Assert.True(at > 1.15 * elsewhere, $"{at / elsewhere:F2}");
    }

    [Fact]
    public void Write_NeitherMixesWithOtherImages_NorTakesBadOptions()
    {
        PhantomDataset.Write(_folder.Path, Small with { Count = 3 }, NullMonitor.Instance);
        Assert.Throws<SiamorphException>(() =>
            PhantomDataset.Write(_folder.Path, Small with { Count = 2 }, NullMonitor.Instance));
        var message = Assert.Throws<InvalidOptionsException>(
            () => PhantomDataset.Write(_folder.Path, new PhantomOptions
            {
                Count = 0, Size = new ImageSize(3, 64), Devices = 9, FramesPerCase = 0,
            }, NullMonitor.Instance)).Message;
        foreach (var name in new[] { "count", "size", "devices", "framesPerCase" })
            Assert.Contains(name, message, StringComparison.Ordinal);
    }

    private static (double Across, double Elsewhere) Steps(RgbImage image, LabelMap mask)
    {
        var (across, plain) = (new List<double>(), new List<double>());
        for (var i = 0; i + 1 < mask.Labels.Length; i++)
            (mask.Labels[i] != mask.Labels[i + 1] ? across : plain)
                .Add(Math.Abs(image.Pixels[3 * i + 1] - image.Pixels[3 * i + 4]));
        return (across.Average(), plain.Average());
    }
}
