using Siamorph.Data;
using Siamorph.Imaging;
using Siamorph.Siamese;
using Siamorph.Synthesis;
using Siamorph.Tests.Siamese;

namespace Siamorph.Tests.Synthesis;

public sealed class SynthesisSessionTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly IReadOnlyList<ImageMaskPair> _masks;

    public SynthesisSessionTests() => _masks = SmallSetting.TrainedRun(_folder.Path, count: 4);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(SampleStart.Noise, null, 0)]
    [InlineData(SampleStart.Noise, null, 0.5)]
    [InlineData(SampleStart.Real, 0.5, 0)]
    [InlineData(SampleStart.Real, 0.0, 0)]
    public void Draw_SameIdSeedAndSettings_IsWhatSynthesizeWrites(SampleStart start, double? strength, double imageWeight)
    {
        var options = new SynthesisOptions
        {
            ImagesPerMask = 2, Seed = 11, Steps = 3, Guidance = 2, BatchSize = 1, Start = start, Strength = strength,
            ImageWeight = imageWeight,
        };
        var written = Synthesizer.Run(_folder["run"], _masks, options, _folder["out"], NullMonitor.Instance).Pairs;
        using var warm = new SynthesisSession(_folder["run"], new());
        foreach (var (pair, i) in written.Select((p, i) => (p, i)))
        {
            var mask = _masks.Single(m => m.Id == pair.Origin!.SourceMask);
            var answer = Draw(warm, Request(mask) with
            {
                Number = i / _masks.Count, Seed = 11, Steps = 3, Guidance = 2, Start = start, Strength = strength,
                ImageWeight = imageWeight,
                Image = File.ReadAllBytes(mask.ImagePath), PreviewEvery = i % 2,
            });
            Assert.Equal((pair.Id, pair.Prompt, pair.Origin), (answer.Pair, answer.Prompt, answer.Origin));
            Assert.Equal(File.ReadAllBytes(pair.ImagePath), answer.Image);
            Assert.Equal(File.ReadAllBytes(pair.MaskPath), answer.Mask);
        }
    }

    [Fact]
    public void Draw_WithSoftLabels_IsWhatSynthesizeWrites()
    {
        var options = SmallSetting.Options with
        {
            Labels = LabelKind.Soft, BoundaryWidth = 0.1, Siamese = SmallSetting.Options.Siamese with { Steps = 1 },
            Base = SmallSetting.Options.Base with { Steps = 1 },
        };
        using (var data = PairedDataset.Load(_masks, new ImageSize(32, 32), NullMonitor.Instance, options.LabelReading))
            SiameseTrainer.Run(options, data, _folder["soft"], NullMonitor.Instance);
        var written = Synthesizer.Run(_folder["soft"], [.. _masks.Take(1)], new()
        {
            Steps = 2, Seed = 5,
        }, _folder["out"], NullMonitor.Instance).Pairs[0];
        using var warm = new SynthesisSession(_folder["soft"], new());
        var answer = Draw(warm, Request(_masks[0]) with { Seed = 5, Steps = 2 });
        Assert.Equal(File.ReadAllBytes(written.MaskPath), answer.Mask);
        Assert.Equal(File.ReadAllBytes(written.ImagePath), answer.Image);
        Assert.Contains(ImageFile.ReadGrey(written.MaskPath).Levels, l => l is > 0 and < 255);
    }

    [Fact]
    public void Draw_FromBits_IsTheSameAsFromAFile()
    {
        using var warm = new SynthesisSession(_folder["run"], new() { Steps = 2 });
        var mask = ImageFile.ReadMask(_masks[1].MaskPath);
        var bits = new MaskBytes { Bits = PackedMask.Pack(mask), Width = mask.Size.Width, Height = mask.Size.Height };
        var (file, packed) = (Draw(warm, Request(_masks[1])), Draw(warm, Request(_masks[1]) with { Mask = bits }));
        Assert.Equal(file.Image, packed.Image);
        Assert.Equal(file.Mask, packed.Mask);
        Assert.NotEqual(file.Image, Draw(warm, Request(_masks[1]) with { Number = 1 }).Image);
    }

    [Fact]
    public void Previews_ComeEveryKSteps_AndEndBeforeTheImage()
    {
        using var warm = new SynthesisSession(_folder["run"], new());
        var previews = new List<DrawAnswer>();
        var answer = Draw(warm, Request(_masks[0]) with { Steps = 10, PreviewEvery = 2, Request = 7 }, previews.Add);
        Assert.Equal([2, 4, 6, 8], previews.Select(p => p.Done!.Value));
        Assert.All(previews, p => Assert.Equal((10, "7"), (p.Steps, p.Request!.ToJsonString())));
        Assert.Equal(4, previews.Select(p => Convert.ToHexString(p.Preview!)).Distinct().Count());
        Assert.All(previews, p => Assert.Equal(new ImageSize(32, 32), ImageFile.DecodeRgb("preview", p.Preview!).Size));
        Assert.Equal("7", answer.Request!.ToJsonString());
        // Estimates come nearer to what the image becomes.
        Assert.True(Distance(previews[^1]) < Distance(previews[0]), $"{Distance(previews[0])} … {Distance(previews[^1])}");

        double Distance(DrawAnswer preview) => ImageFile.DecodeRgb("a", preview.Preview!).Pixels
            .Zip(ImageFile.DecodeRgb("b", answer.Image!).Pixels, (a, b) => Math.Abs(a - b)).Average();
    }

    [Fact]
    public void Draw_Stopped_EndsAfterTheStep_AndTheNextDrawsAsBefore()
    {
        using var warm = new SynthesisSession(_folder["run"], new() { Steps = 6 });
        var before = Draw(warm, Request(_masks[0]));
        using var stop = new CancellationTokenSource();
        var seen = 0;
        Assert.Throws<OperationCanceledException>(() => warm.Draw(Request(_masks[0]) with { PreviewEvery = 1 }, _ =>
        {
            seen++;
            stop.Cancel();
        }, stop.Token));
        Assert.Equal(1, seen);
        Assert.Equal(before.Image, Draw(warm, Request(_masks[0])).Image);
    }

    [Fact]
    public void Options_ThatRequestsSay_AreRefused()
    {
        var error = Assert.Throws<InvalidOptionsException>(() => new SynthesisSession(_folder["run"], new() { Count = 3 }));
        Assert.Contains("come with each request", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Model_SaysWhatIsLoaded()
    {
        using var warm = new SynthesisSession(_folder["run"], new() { Steps = 6 });
        var written = Synthesizer.Run(_folder["run"], [.. _masks.Take(1)], new() { Steps = 1 }, _folder["out"],
            NullMonitor.Instance).Pairs[0];
        Assert.Equal((written.Origin!.ModelHash, 32, 6), (warm.Model.Hash, warm.Model.ImageSize, warm.Model.Steps));
        Assert.Contains(_masks[0].Prompt, warm.Model.Prompts);
    }

    private static DrawAnswer Draw(SynthesisSession warm, DrawRequest request, Action<DrawAnswer>? preview = null) =>
        warm.Draw(request, preview ?? (_ => { }), TestContext.Current.CancellationToken);

    private static DrawRequest Request(ImageMaskPair mask) => new()
    {
        Id = mask.Id, Prompt = mask.Prompt, Mask = new() { Png = File.ReadAllBytes(mask.MaskPath) },
    };
}
