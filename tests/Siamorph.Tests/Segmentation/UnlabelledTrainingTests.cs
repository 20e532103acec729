using Siamorph.Data;
using Siamorph.Segmentation;
using Siamorph.Segmentation.Batches;
using Siamorph.Segmentation.Losses;
using Siamorph.Segmentation.Networks;
using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Tests.Segmentation;

/// <summary>Learning from images without masks: mean teacher, denoising pretraining; and CutMix, which the first uses.</summary>
public sealed class UnlabelledTrainingTests : IDisposable
{
    private static readonly SegmentationOptions Small = new()
    {
        Network = new() { Width = 4 }, ImageSize = new(32, 32), Steps = 12, BatchSize = 4, ValidateEvery = 4, CheckpointEvery = 0,
        EmaDecay = 0.9,
        SyntheticFraction = 0.5, Seed = new(5),
    };

    private readonly TinyPairs _pairs = new();

    public void Dispose() => _pairs.Dispose();

    [Fact]
    public void CutMix_GivesEachImageARectangleOfTheNext_AndItsMaskAlike()
    {
        using var scope = NewDisposeScope();
        var images = arange(4, ScalarType.Float32).reshape(4, 1, 1, 1).expand(4, 3, 16, 12).clone();
        var masks = images.narrow(1, 0, 1).clone();
        CutMix.Apply([0, 1, 3], 1, new Seed(3), images, masks);
        var changed = 0;
        for (var i = 0; i < 4; i++)
        {
            var next = i switch { 0 => 1, 1 => 3, 3 => 0, _ => 2 };
            var from = (masks[i] == next).to_type(ScalarType.Int32);
            Assert.Equal(16 * 12, ((masks[i] == i) | (masks[i] == next)).sum().item<long>());
            Assert.True(images[i].eq(masks[i].expand(3, 16, 12)).all().item<bool>());
            var (rows, columns) = (from[0].amax(1).sum().item<long>(), from[0].amax(0).sum().item<long>());
            if (next != i) Assert.Equal(rows * columns, from.sum().item<long>()); // one rectangle
            if (next != i && rows > 0) changed++;
        }
        Assert.True(changed >= 2);
    }

    [Fact]
    public void Batches_WithCutMix_AreAFunctionOfTheStep()
    {
        using var scope = NewDisposeScope();
        using var data = _pairs.Load("train", 6, 32);
        var options = Small with { SyntheticFraction = null, Augmentation = AugmentationOptions.None with { CutMix = 1 } };
        var (first, second) = (new SegmentationBatches(data, options), new SegmentationBatches(data, options));
        first.Batch(1);
        SegmentationFixtures.Close(first.Batch(7).Images, second.Batch(7).Images, 0);
        Assert.True((first.Batch(7).Images - new SegmentationBatches(data, options with
        {
            Augmentation = AugmentationOptions.None,
        }).Batch(7).Images).abs().max().item<float>() > 0);
    }

    [Fact]
    public void MeanTeacher_LearnsFromImagesWithoutMasks_AndLeavesTheirEmptyMasksAlone()
    {
        using var train = WithUnlabelled(12);
        using var validation = _pairs.Load("val", 5, 32, seed: 2);
        var options = Small with { Network = new() { Width = 8 }, Steps = 80, LearningRate = 5e-3, ValidateEvery = 40 };
        var summary = SegmentationTrainer.Run(options, train, validation, _pairs.In("run"), NullMonitor.Instance);
        Assert.Equal((6, 0, 12), (summary.RealPairs, summary.SyntheticPairs, summary.UnlabelledImages));
        // Taught that all is background it would find nothing
        Assert.True(summary.BestValidationDice > 0.8, $"validation Dice {summary.BestValidationDice:0.000}");
    }

    [Fact]
    public void MeanTeacher_StoppedAndResumed_EqualsTheUninterruptedOne()
    {
        using var train = WithUnlabelled(8);
        using var validation = _pairs.Load("val", 5, 32, seed: 2);
        var whole = SegmentationTrainer.Run(Small, train, validation, _pairs.In("whole"), NullMonitor.Instance);
        using var stop = new SegmentationTrainerTests.StopAfter(6);
        Assert.Throws<OperationCanceledException>(() =>
            SegmentationTrainer.Run(Small, train, validation, _pairs.In("cut"), stop));
        Assert.Equal(whole.ModelHash, SegmentationTrainer.Run(Small, train, validation, _pairs.In("cut"), NullMonitor.Instance,
            resume: true).ModelHash);
    }

    [Fact]
    public void MeanTeacher_WithoutAveragedWeights_IsRefused()
    {
        using var train = WithUnlabelled(4);
        using var validation = _pairs.Load("val", 5, 32, seed: 2);
        var error = Assert.Throws<InvalidOptionsException>(() =>
            SegmentationTrainer.Run(Small with
            {
                EmaDecay = 0, ConsistencyWeight = 0,
            }, train, validation, _pairs.In("run"), NullMonitor.Instance));
        Assert.Contains("emaDecay", error.Message, StringComparison.Ordinal);
        Assert.Contains("consistencyWeight", error.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(_pairs.In("run/options.json")));
    }

    [Fact]
    public void ConsistencyWeight_RisesOverItsShareOfTheSteps_AndStays()
    {
        var teacher = new MeanTeacher(Small with { Steps = 100, ConsistencyWeight = 8, ConsistencyRampUp = 0.5 });
        Assert.Equal(8 * Math.Exp(-5), teacher.WeightAt(0), 1e-12);
        Assert.Equal(8 * Math.Exp(-5 * 0.25), teacher.WeightAt(25), 1e-12);
        Assert.Equal([8, 8], new[] { teacher.WeightAt(50), teacher.WeightAt(99) });
        Assert.Equal(8, new MeanTeacher(Small with { ConsistencyWeight = 8, ConsistencyRampUp = 0 }).WeightAt(0));
    }

    [Fact]
    public void Lesson_WhereTheNetworkFindsWhatItsTeacherFinds_CostsNothing()
    {
        using var scope = NewDisposeScope();
        var logits = randn(3, 1, 4, 4);
        var lesson = new MeanTeacher.TeacherBatch(zeros(3, 3, 4, 4), tensor(new long[] { 1 }), tensor(new long[] { 0, 2 }),
            logits.index_select(0, tensor(new long[] { 0, 2 })).sigmoid(), 5);
        var seen = 0L;
        var loss = lesson.Loss(logits, ones(3, 1, 4, 4), (l, m) => { seen = l.shape[0]; return m.mean(); });
        Assert.Equal((1, 1), ((double)loss.item<float>(), seen));
        var off = lesson with { Targets = lesson.Targets + 0.1 };
        Assert.Equal(1 + 5 * 0.01, off.Loss(logits, ones(3, 1, 4, 4), (_, m) => m.mean()).item<float>(), 1e-5);
    }

    [Fact]
    public void Pretraining_LearnsTheNoise_AndTrainingBeginsThere()
    {
        using var images = PairedDataset.Load([.. Bare(10)], new(32, 32), NullMonitor.Instance);
        var options = Small with { Network = new() { Width = 8 }, Steps = 60, LearningRate = 5e-3 };
        var file = DenoisingPretraining.Run(options, images, _pairs.In("pre"), NullMonitor.Instance);
        var losses = File.ReadAllLines(_pairs.In("pre/log.jsonl"))
            .Select(l => System.Text.Json.JsonDocument.Parse(l).RootElement.GetProperty("loss").GetDouble()).ToList();
        Assert.True(losses[^1] < 0.8 * losses[0], $"{losses[0]} → {losses[^1]}"); // naming no noise costs 1
        using var network = NetworkFactory.Create(options.Network);
        var line = PretrainedWeights.Load(network, _pairs.In("pre"));
        Assert.Contains("at random: outc", line, StringComparison.Ordinal);
        using var saved = WeightsFile.Open(file);
        using var first = saved.Read("inc.double_conv.0.weight");
        Assert.True(StateDict.Of(network)["inc.double_conv.0.weight"].eq(first).all().item<bool>());
        using var train = _pairs.Load("train", 6, 32);
        using var validation = _pairs.Load("val", 5, 32, seed: 2);
        var begun = SegmentationTrainer.Run(options with
        {
            Steps = 4, SyntheticFraction = null, InitialWeights = _pairs.In("pre"),
        }, train, validation, _pairs.In("a"), NullMonitor.Instance);
        var plain = SegmentationTrainer.Run(options with
        {
            Steps = 4, SyntheticFraction = null,
        }, train, validation, _pairs.In("b"), NullMonitor.Instance);
        Assert.NotEqual(plain.ModelHash, begun.ModelHash);
    }

    [Fact]
    public void Pretraining_StoppedAndResumed_EqualsTheUninterruptedOne()
    {
        using var images = PairedDataset.Load([.. Bare(6)], new(32, 32), NullMonitor.Instance);
        var whole = DenoisingPretraining.Run(Small, images, _pairs.In("whole"), NullMonitor.Instance);
        using var stop = new SegmentationTrainerTests.StopAfter(5);
        Assert.Throws<OperationCanceledException>(() => DenoisingPretraining.Run(Small, images, _pairs.In("cut"), stop));
        Assert.Equal(File.ReadAllBytes(whole),
            File.ReadAllBytes(DenoisingPretraining.Run(Small, images, _pairs.In("cut"), NullMonitor.Instance)));
    }

    [Fact]
    public void InitialWeights_OfAnotherWidth_AreRefusedByName()
    {
        using var images = PairedDataset.Load([.. Bare(4)], new(32, 32), NullMonitor.Instance);
        DenoisingPretraining.Run(Small with { Steps = 1 }, images, _pairs.In("pre"), NullMonitor.Instance);
        using var wider = NetworkFactory.Create(new() { Width = 8 });
        var error = Assert.Throws<WeightsMismatchException>(() => PretrainedWeights.Load(wider, _pairs.In("pre")));
        Assert.Contains(_pairs.In("pre"), error.Message, StringComparison.Ordinal);
        Assert.Throws<WeightsFormatException>(() => PretrainedWeights.Load(wider, _pairs.Folder));
    }

    private PairedDataset WithUnlabelled(int count)
    {
        var real = _pairs.Write("train", 6, new(32, 32));
        return PairedDataset.Load([.. real, .. SegmentationData.AsAdded(Bare(count), real[0])], new(32, 32),
            NullMonitor.Instance);
    }

    private IEnumerable<ImageMaskPair> Bare(int count) => _pairs.Write("bare", count, new(32, 32), seed: 9).Select(p => p with
    {
        Id = $"bare-{p.Id}", MaskPath = "",
    });
}
