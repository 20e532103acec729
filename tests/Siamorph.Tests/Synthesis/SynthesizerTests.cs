using Siamorph.Data;
using Siamorph.Data.Folders;
using Siamorph.Diffusion;
using Siamorph.Imaging;
using Siamorph.Synthesis;
using Siamorph.Tests.Siamese;

namespace Siamorph.Tests.Synthesis;

public sealed class SynthesizerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("siamorph-synthesis-").FullName;
    private readonly IReadOnlyList<ImageMaskPair> _masks;

    public SynthesizerTests() => _masks = SmallSetting.TrainedRun(_folder, count: 5);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Images_DoNotDependOnBatchSizeOrOrder()
    {
        var one = Synthesizer.Run(In("run"), _masks, Options with { BatchSize = 1 }, In("one"), NullMonitor.Instance);
        var many = Synthesizer.Run(In("run"), [.. _masks.Reverse()], Options with
        {
            BatchSize = 4,
        }, In("many"), NullMonitor.Instance);
        Assert.Equal(one.Pairs.Select(p => p.Id).Order(), many.Pairs.Select(p => p.Id).Order());
        foreach (var pair in one.Pairs)
        {
            var (a, b) = (ImageFile.ReadRgb(pair.ImagePath),
                ImageFile.ReadRgb(many.Pairs.Single(p => p.Id == pair.Id).ImagePath));
            Assert.All(a.Pixels.Zip(b.Pixels), p => Assert.InRange(p.First - p.Second, -1, 1));
        }
    }

    [Fact]
    public void Images_OfOneMask_DifferWithTheirNumber()
    {
        var made = Synthesizer.Run(In("run"), _masks, Options, In("out"), NullMonitor.Instance);
        var same = made.Pairs.Where(p => p.Origin!.SourceMask == _masks[0].Id).ToList();
        Assert.Equal(2, same.Count);
        Assert.NotEqual(ImageFile.ReadRgb(same[0].ImagePath).Pixels, ImageFile.ReadRgb(same[1].ImagePath).Pixels);
        Assert.NotEqual(same[0].Origin!.Seed, same[1].Origin!.Seed);
    }

    [Fact]
    public void MasksWritten_AreTheMasksUsed_AndTheFolderReadsBack()
    {
        Synthesizer.Run(In("run"), _masks, Options, In("out"), NullMonitor.Instance);
        var dataset = DatasetFolder.Read(In("out"));
        Assert.Equal(2 * _masks.Count, dataset.Pairs.Count);
        foreach (var pair in dataset.Pairs)
        {
            Assert.Equal(PairSource.Synthetic, pair.Source);
            Assert.Equal(64, pair.Origin!.ModelHash.Length);
            var source = _masks.Single(m => m.Id == pair.Origin.SourceMask);
            Assert.Equal(ImageFile.ReadMask(source.MaskPath).Labels, ImageFile.ReadMask(pair.MaskPath).Labels);
        }
    }

    [Fact]
    public void InterruptedFolder_IsCompleted_WithoutDrawingAgain()
    {
        var whole = Synthesizer.Run(In("run"), _masks, Options, In("out"), NullMonitor.Instance);
        var bytes = whole.Pairs.ToDictionary(p => p.Id, p => File.ReadAllBytes(p.ImagePath));
        File.Delete(whole.Pairs[3].ImagePath);
        File.Delete(Path.Combine(In("out"), "manifest.jsonl"));
        var kept = File.GetLastWriteTimeUtc(whole.Pairs[0].ImagePath);
        Synthesizer.Run(In("run"), _masks, Options, In("out"), NullMonitor.Instance);
        Assert.Equal(kept, File.GetLastWriteTimeUtc(whole.Pairs[0].ImagePath));
        Assert.All(whole.Pairs, p => Assert.Equal(bytes[p.Id].Length, File.ReadAllBytes(p.ImagePath).Length));
    }

    [Fact]
    public void Benchmark_DrawsTheSameImagesWithEachSampler_AndSaysHowFarTheyDiffer()
    {
        var timings = SynthesisBenchmark.Run(In("run"), _masks, Options with { ImagesPerMask = 1, Count = 3 },
            [(SamplerKind.Ddim, 4), (SamplerKind.Ddim, 4), (SamplerKind.UniPc, 2)], repeats: 1, NullMonitor.Instance);
        Assert.Equal([(3, 4), (3, 4), (3, 2)], timings.Select(t => (t.Images, t.Steps)));
        Assert.Equal([0, 0], timings.Take(2).Select(t => t.Difference));
        Assert.True(timings[2].Difference > 0);
        Assert.All(timings, t => Assert.True(t.MinSeconds > 0 && t.MinSeconds <= t.MedianSeconds
            && t.MedianSeconds <= t.MaxSeconds));
    }

    [Fact]
    public void NewShapes_AreDrawnFrom_AndNamedInTheManifest()
    {
        var dataset = Synthesizer.Run(In("run"), _masks, Options with
        {
            ImagesPerMask = 1, Shapes = 5,
        }, In("shapes"), NullMonitor.Instance);
        Assert.Equal(["shape-00001", "shape-00002", "shape-00003", "shape-00004", "shape-00005"],
            dataset.Pairs.Select(p => p.Origin!.SourceMask[..11]));
        var sizes = dataset.Pairs.Select(p => PairFiles.ReadMask(p).Labels.Count(l => l == 1)).ToList();
        Assert.All(sizes, s => Assert.True(s > 0));
        Assert.True(sizes.Distinct().Count() > 1);
        Assert.Equal(5, DatasetFolder.Read(In("shapes")).Pairs.Count);
        Assert.Throws<SiamorphException>(() => Synthesizer.Run(In("run"), [.. _masks.Take(3)], Options with
        {
            ImagesPerMask = 1, Shapes = 5,
        }, In("shapes"), NullMonitor.Instance));
    }

    [Fact]
    public void FolderOfAnotherCall_IsRefused()
    {
        Synthesizer.Run(In("run"), _masks, Options, In("out"), NullMonitor.Instance);
        Assert.Throws<SiamorphException>(() =>
            Synthesizer.Run(In("run"), _masks, Options with { Seed = 99 }, In("out"), NullMonitor.Instance));
    }

    private static SynthesisOptions Options { get; } = new() { ImagesPerMask = 2, Steps = 3, Seed = 1 };

    private string In(string name) => Path.Combine(_folder, name);
}
