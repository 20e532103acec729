using Siamorph.Data;
using Siamorph.Data.Folders;
using Siamorph.Imaging;
using Siamorph.Synthesis;
using Siamorph.Tests.Siamese;

namespace Siamorph.Tests.Synthesis;

public sealed class SampleStartTests : IDisposable
{
    private static readonly MaskDeformationOptions Moved = new() { Rotation = 20, Scale = 0.2, Elastic = 0.02, Flip = true };
    private readonly string _folder = Directory.CreateTempSubdirectory("siamorph-starts-").FullName;
    private readonly IReadOnlyList<ImageMaskPair> _pairs;

    public SampleStartTests() => _pairs = SmallSetting.TrainedRun(_folder, count: 6);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Real_AtStrengthZeroWithoutDeformation_IsTheRealPair()
    {
        var made = Draw("out", new() { Start = SampleStart.Real, Strength = 0 });
        foreach (var pair in made)
        {
            var host = _pairs.Single(p => p.Id == pair.Origin!.Host);
            Assert.Equal(PairFiles.ReadImage(host).Pixels, ImageFile.ReadRgb(pair.ImagePath).Pixels);
            Assert.Equal(PairFiles.ReadMask(host).Labels, ImageFile.ReadMask(pair.MaskPath).Labels);
            Assert.True(pair.Origin!.IsEditedReal);
            Assert.Equal(0, pair.Origin.Strength);
        }
    }

    [Fact]
    public void Real_MovesImageAndMaskAlike()
    {
        var size = new ImageSize(32, 32);
        var mask = new LabelMap(size);
        var image = new RgbImage(size);
        for (var i = 0; i < mask.Labels.Length; i++)
        {
            if (i % 32 is < 8 or > 20 || i / 32 is < 10 or > 25) continue;
            mask.Labels[i] = 1;
            image.Pixels[3 * i] = 255; // red exactly where the mask is
        }
        var moved = MaskDeformation.Apply(image, mask, Moved, new Seed(3));
        Assert.NotEqual(mask.Labels, moved.Mask.Labels);
        var agreeing = moved.Mask.Labels.Where((l, i) => (l != 0) == (moved.Image.Pixels[3 * i] >= 128)).Count();
        Assert.True(agreeing >= moved.Mask.Labels.Length - 12, $"{agreeing} of {moved.Mask.Labels.Length} pixels agree");
    }

    [Fact]
    public void Paste_JoinsTheLesionsOfTwoPatients_AndLeavesTheRestAlone()
    {
        var groups = _pairs.Select((p, i) => p with { Group = i < 3 ? "a" : "b" }).ToList();
        var made = Synthesizer.Edit(groups, new()
        {
            Start = SampleStart.Paste, Strength = 0, ImagesPerMask = 3, Deformation = Moved, Seed = 1,
        }, SmallSetting.Options, In("out"), NullMonitor.Instance).Pairs;
        Assert.Contains(made, p => p.Origin!.Donor is not null);
        foreach (var pair in made.Where(p => p.Origin!.Donor is not null))
        {
            var (host, donor) = (groups.Single(p => p.Id == pair.Origin!.Host), groups.Single(p => p.Id == pair.Origin!.Donor));
            Assert.NotEqual(host.Group, donor.Group);
            var (before, after) = (PairFiles.ReadMask(host).Labels, ImageFile.ReadMask(pair.MaskPath).Labels);
            Assert.All(Enumerable.Range(0, before.Length), i => Assert.True(before[i] == 0 || after[i] != 0));
            var share = Feather.Of(new LabelMap(new ImageSize(32, 32), [.. after.Zip(before, (a, b) => (byte)(a != 0 ? 1 : b))]),
                margin: 1, softness: 2);
            var (old, now) = (PairFiles.ReadImage(host).Pixels, ImageFile.ReadRgb(pair.ImagePath).Pixels);
            Assert.All(Enumerable.Range(0, share.Length).Where(i => share[i] == 0), i => Assert.Equal(old[3 * i], now[3 * i]));
            Assert.NotEqual(old, now);
        }
    }

    [Fact]
    public void Inpaint_KeepsEveryPixelOutsideItsRegion()
    {
        var options = new SynthesisOptions { Start = SampleStart.Inpaint, Steps = 3, Seed = 1 };
        var made = Draw("out", options);
        var source = new StartSource(_pairs, new ImageSize(32, 32), options, LabelReading.Hard);
        var kept = 0;
        for (var index = 0; index < _pairs.Count; index++)
        {
            var pair = made.Single(p => p.Origin!.SourceMask == _pairs[index].Id);
            var start = source.Of(index, pair.Origin!.Seed);
            Assert.NotEqual(_pairs[index].Id, pair.Origin.Host);
            Assert.Equal(start.Mask.Labels, ImageFile.ReadMask(pair.MaskPath).Labels);
            var now = ImageFile.ReadRgb(pair.ImagePath).Pixels;
            foreach (var i in Enumerable.Range(0, start.Region!.Length).Where(i => start.Region[i] == 0))
                for (var c = 0; c < 3; c++, kept++) Assert.InRange(now[3 * i + c] - start.Image!.Pixels[3 * i + c], -1, 1);
        }
        Assert.True(kept > 100);
    }

    [Theory]
    [InlineData(SampleStart.Real, 0.5, 0)]
    [InlineData(SampleStart.Paste, 0.35, 0)]
    [InlineData(SampleStart.Inpaint, null, 0)]
    [InlineData(SampleStart.Noise, null, 0.5)]
    public void Images_DependOnTheirSeedAlone(SampleStart start, double? strength, double imageWeight)
    {
        var options = new SynthesisOptions
        {
            Start = start, Strength = strength, ImageWeight = imageWeight, Steps = 4, Seed = 1, BatchSize = 1,
            Deformation = Moved,
        };
        var one = Draw("one", options);
        var many = Synthesizer.Run(In("run"), [.. _pairs.Reverse()], options with
        {
            BatchSize = 4,
        }, In("many"), NullMonitor.Instance).Pairs;
        foreach (var pair in one)
        {
            var other = many.Single(p => p.Id == pair.Id);
            Assert.Equal(pair.Origin, other.Origin);
            Assert.Equal(ImageFile.ReadMask(pair.MaskPath).Labels, ImageFile.ReadMask(other.MaskPath).Labels);
            var (a, b) = (ImageFile.ReadRgb(pair.ImagePath).Pixels, ImageFile.ReadRgb(other.ImagePath).Pixels);
            Assert.All(a.Zip(b), p => Assert.InRange(p.First - p.Second, -1, 1));
        }
    }

    [Fact]
    public void ImageWeight_ChangesTheImage_AndIsNamed()
    {
        var options = new SynthesisOptions { Steps = 3, Seed = 1 };
        var (without, with) = (Draw("without", options), Draw("with", options with { ImageWeight = 0.5 }));
        Assert.NotEqual(ImageFile.ReadRgb(without[0].ImagePath).Pixels, ImageFile.ReadRgb(with[0].ImagePath).Pixels);
        Assert.Equal((0.5, with[0].Origin!.SourceMask), (with[0].Origin!.ImageWeight, with[0].Origin!.Host));
        Assert.False(without[0].Origin!.IsEditedReal);
    }

    [Fact]
    public void Manifest_NamesWhatAPairIsMadeOf()
    {
        Draw("out", new() { Start = SampleStart.Paste, Strength = 0.35, Steps = 4, Deformation = Moved });
        var pair = DatasetFolder.Read(In("out")).Pairs.First(p => p.Origin!.Donor is not null);
        Assert.Equal(("paste", 0.35, true), (pair.Origin!.Start, pair.Origin.Strength, pair.Origin.IsEditedReal));
        Assert.Contains(_pairs, p => p.Id == pair.Origin.Host);
    }

    [Fact]
    public void MasksWithoutImages_AreRefused_WhereImagesAreNeeded()
    {
        var bare = _pairs.Select(p => p with { ImagePath = p.MaskPath }).ToList();
        var error = Assert.Throws<InvalidDatasetException>(() => Synthesizer.Run(In("run"), bare, new()
        {
            Start = SampleStart.Real,
        }, In("out"), NullMonitor.Instance));
        Assert.Contains("start real", error.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(In("out")));
    }

    [Fact]
    public void OnePatient_CannotLendALesionToHimself()
    {
        var alone = _pairs.Select(p => p with { Group = "one" }).ToList();
        Assert.Throws<InvalidDatasetException>(() => Synthesizer.Run(In("run"), alone, new()
        {
            Start = SampleStart.Paste,
        }, In("out"), NullMonitor.Instance));
    }

    [Fact]
    public void Options_NameEveryFault()
    {
        var error = Assert.Throws<InvalidOptionsException>(() => new SynthesisOptions
        {
            Start = SampleStart.Inpaint, Strength = 0.5, ImageWeight = -1,
        }.Validate());
        Assert.Contains("strength", error.Message, StringComparison.Ordinal);
        Assert.Contains("imageWeight", error.Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOptionsException>(() => new SynthesisOptions
        {
            Start = SampleStart.Real, Deformation = new() { Recombination = 0.5 },
        }.Validate());
    }

    private IReadOnlyList<ImageMaskPair> Draw(string name, SynthesisOptions options) =>
        Synthesizer.Run(In("run"), _pairs, options, In(name), NullMonitor.Instance).Pairs;

    private string In(string name) => Path.Combine(_folder, name);
}
