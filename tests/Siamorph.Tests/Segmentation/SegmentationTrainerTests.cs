using System.Security.Cryptography;
using Siamorph.Data;
using Siamorph.Segmentation;
using Siamorph.Training;
using TorchSharp;

namespace Siamorph.Tests.Segmentation;

public sealed class SegmentationTrainerTests : IDisposable
{
    private readonly TinyPairs _pairs = new();
    private readonly PairedDataset _train, _validation;

    private static readonly SegmentationOptions Small = new()
    {
        Network = new() { Width = 4 },
        ImageSize = new(32, 32),
        Steps = 12,
        BatchSize = 4,
        ValidateEvery = 4,
        CheckpointEvery = 0,
        Seed = new(5),
    };

    public SegmentationTrainerTests()
    {
        _train = _pairs.Load("train", 10, 32);
        _validation = _pairs.Load("val", 5, 32, seed: 2);
    }

    public void Dispose()
    {
        _train.Dispose();
        _validation.Dispose();
        _pairs.Dispose();
    }

    [Fact]
    public void Run_OnEasyPairs_Learns()
    {
        var summary = Run(Small with
        {
            Network = new() { Width = 8 }, Steps = 60, LearningRate = 5e-3, ValidateEvery = 20,
        }, "run");
        Assert.True(summary.BestValidationDice > 0.8, $"validation Dice {summary.BestValidationDice:0.000}");
        using var predictor = Predictor.Load(_pairs.In("run"));
        var scores = SegmentationEvaluator.Evaluate(predictor, _validation, NullMonitor.Instance);
        Assert.Equal(summary.BestValidationDice, scores.Dice, 2e-3); // 8-bit levels may move a pixel at the threshold
        Assert.Equal(summary.History.Max(p => p.Dice), summary.BestValidationDice);
        Assert.Equal(3, summary.History.Count);
        Assert.Equal((10, 0, 5), (summary.RealPairs, summary.SyntheticPairs, summary.ValidationPairs));
    }

    [Fact]
    public void KeptLast_AreTheWeightsOfTheLastStep_HoweverValidationWent()
    {
        var last = Run(Small with { Keep = CheckpointSelection.Last, EmaDecay = 0.9 }, "last");
        Assert.Equal((12, last.History[^1].Dice), (last.BestStep, last.BestValidationDice));
        var looked = Run(Small with { Keep = CheckpointSelection.Last, EmaDecay = 0.9, ValidateEvery = 3 }, "looked");
        Assert.Equal(last.ModelHash, looked.ModelHash); // looking chooses nothing
    }

    [Fact]
    public void Run_Twice_GivesTheSameWeights()
    {
        var (first, second) = (Run(Small, "a"), Run(Small, "b"));
        Assert.Equal(first.ModelHash, second.ModelHash);
        Assert.Equal(first.History, second.History);
        Assert.NotEqual(first.ModelHash, Run(Small with { Seed = new(6) }, "c").ModelHash);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.9)]
    public void Run_StoppedAndResumed_EqualsTheUninterruptedOne(double emaDecay)
    {
        var options = Small with { EmaDecay = emaDecay };
        var whole = Run(options, "whole");
        using var stop = new StopAfter(6); // between two looks at the validation split
        Assert.Throws<OperationCanceledException>(() =>
            SegmentationTrainer.Run(options, _train, _validation, _pairs.In("cut"), stop));
        Assert.Null(SegmentationTrainer.ReadSummary(_pairs.In("cut")));
        var resumed = Run(options, "cut", resume: true);
        Assert.Equal(whole.ModelHash, resumed.ModelHash);
        Assert.Equal(whole.History, resumed.History);
        Assert.Equal(
            TrainingLog.Read(Path.Combine(_pairs.In("whole"), "log.jsonl")).Select(e => e.Step),
            TrainingLog.Read(Path.Combine(_pairs.In("cut"), "log.jsonl")).Select(e => e.Step));
    }

    [Fact]
    public void AveragedWeights_AreWhatIsValidatedAndKept()
    {
        var (plain, averaged) = (Run(Small, "plain"), Run(Small with { EmaDecay = 0.9 }, "averaged"));
        Assert.NotEqual(plain.ModelHash, averaged.ModelHash);
        // Training itself is the same
        Assert.Equal(plain.History.Select(h => h.TrainLoss), averaged.History.Select(h => h.TrainLoss));
        Assert.NotEqual(plain.History.Select(h => h.ValidationLoss), averaged.History.Select(h => h.ValidationLoss));
    }

    [Fact]
    public void Run_ResumedAfterItsEnd_ReturnsTheRecord()
    {
        var first = Run(Small, "run");
        var model = _pairs.In("run/model.safetensors");
        var (written, hash) = (File.GetLastWriteTimeUtc(model),
            Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(model))));
        var again = Run(Small, "run", resume: true);
        Assert.Equal(first.ModelHash, again.ModelHash);
        Assert.Equal(hash, again.ModelHash);
        Assert.Equal(first.Seconds, again.Seconds);
        Assert.Equal(written, File.GetLastWriteTimeUtc(model));
    }

    [Fact]
    public void Run_IntoAnotherRunsFolder_IsRefused()
    {
        Run(Small with { Steps = 4 }, "run");
        Assert.Contains("--resume", Assert.Throws<SiamorphException>(() => Run(Small with { Steps = 4 }, "run")).Message);
        Assert.Contains("other options",
            Assert.Throws<InvalidOptionsException>(() => Run(Small with { Steps = 5 }, "run", resume: true)).Message);
    }

    [Fact]
    public void Run_OnImagesOfAnotherSize_IsRefused() =>
        Assert.Contains("32×32", Assert.Throws<InvalidOptionsException>(() => Run(Small with
        {
            ImageSize = new(48, 48),
        }, "run")).Message);

    [Fact]
    public void Run_WhenTheLossExplodes_SaysSo()
    {
        var message = Assert.Throws<SiamorphException>(() => Run(Small with
        {
            LearningRate = 1e38, ClipNorm = 0, WarmupSteps = 0,
        }, "run")).Message;
        Assert.Contains("Lower the learning rate", message);
    }

    [Fact]
    public void Run_WithEmptyMasksAlone_StaysFinite()
    {
        _train.Masks.zero_();
        _validation.Masks.zero_();
        Assert.All(Run(Small, "run").History,
            point => Assert.True(double.IsFinite(point.ValidationLoss) && point.Dice is >= 0 and <= 1));
    }

    [Theory]
    [InlineData(MaskLoss.BceBatchDice)]
    [InlineData(MaskLoss.BceDiceSanet)]
    [InlineData(MaskLoss.Structure)]
    [InlineData(MaskLoss.StructureAsExecuted)]
    public void Run_WithEveryLossAndTransposedConvolutions_Trains(MaskLoss loss) =>
        Assert.Equal(2, Run(Small with
        {
            Loss = loss, Steps = 2, Network = new() { Width = 3, Bilinear = false },
        }, "run").BestStep);

    [Fact]
    public void Advance_ManyTimes_HoldsTheMemoryFlat()
    {
        using var session = new SegmentationSession(Small with { Steps = 100 }, _train, _validation);
        session.Advance();
        session.Validate();
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        for (var i = 0; i < 5; i++)
        {
            session.Advance();
            session.Validate();
        }
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Validate_WithManyFaults_NamesThemAll()
    {
        var options = new SegmentationOptions
        {
            Steps = 0, BatchSize = 0, LearningRate = double.NaN, SyntheticFraction = 2, Augmentation = new() { Contrast = 1 },
        };
        var message = Assert.Throws<InvalidOptionsException>(options.Validate).Message;
        foreach (var name in new[] { "steps", "batchSize", "learningRate", "syntheticFraction", "augmentation.contrast" })
            Assert.Contains(name, message);
    }

    private SegmentationSummary Run(SegmentationOptions options, string name, bool resume = false) =>
        SegmentationTrainer.Run(options, _train, _validation, _pairs.In(name), NullMonitor.Instance, resume);

    internal sealed class StopAfter(int steps) : IMonitor, IMonitoredStage
    {
        private readonly CancellationTokenSource _source = new();

        public CancellationToken Cancellation => _source.Token;

        public IMonitoredStage Begin(string title, long total) => this;

        public void Note(string line) { }

        public void Report(long done, string? detail = null)
        {
            if (done >= steps) _source.Cancel();
        }

        public void Dispose() { }
    }
}
