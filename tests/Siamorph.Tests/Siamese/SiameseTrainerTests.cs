using Siamorph.Data;
using Siamorph.Diffusion;
using Siamorph.Experiment.Scheduling;
using Siamorph.Imaging;
using Siamorph.Siamese;
using Siamorph.Training;
using static TorchSharp.torch;

namespace Siamorph.Tests.Siamese;

public sealed class SiameseTrainerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("siamorph-trainer-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(2)] // within base training
    [InlineData(4)] // between the stages
    [InlineData(7)] // within siamese training
    public void Resume_ContinuesBitForBit(int stopAfter)
    {
        using var data = SmallSetting.Data(In("data"));
        SiameseTrainer.Run(SmallSetting.Options, data, In("whole"), NullMonitor.Instance);

        using var monitor = new StopAfter(stopAfter);
        Assert.Throws<OperationCanceledException>(() => SiameseTrainer.Run(SmallSetting.Options, data, In("cut"), monitor));
        SiameseTrainer.Run(SmallSetting.Options, data, In("cut"), NullMonitor.Instance, resume: true);

        AssertSameCheckpoint(Checkpoint.Latest(In("whole"))!, Checkpoint.Latest(In("cut"))!);
        var (whole, cut) = (TrainingLog.Read(new RunFolder(In("whole")).LogPath),
            TrainingLog.Read(new RunFolder(In("cut")).LogPath));
        Assert.Equal(whole.Select(e => e.Step), cut.Select(e => e.Step));
        foreach (var (a, b) in whole.Zip(cut)) Assert.Equal(a.Values, b.Values);
    }

    [Fact]
    public void Resume_In16BitsWithAverages_ContinuesBitForBit()
    {
        using var data = SmallSetting.Data(In("data"));
        var options = SmallSetting.Options with { Precision = Precision.BFloat16, PreviewEvery = 3, PreviewCount = 2 };
        SiameseTrainer.Run(options, data, In("whole"), NullMonitor.Instance);
        using var monitor = new StopAfter(6);
        Assert.Throws<OperationCanceledException>(() => SiameseTrainer.Run(options, data, In("cut"), monitor));
        SiameseTrainer.Run(options, data, In("cut"), NullMonitor.Instance, resume: true);
        AssertSameCheckpoint(Checkpoint.Latest(In("whole"))!, Checkpoint.Latest(In("cut"))!);
    }

    [Fact]
    public void Resume_InFloat16_ContinuesBitForBit_WithTheLossScaleOfTheCheckpoint()
    {
        using var data = SmallSetting.Data(In("data"));
        SiameseTrainer.Run(Overflowing, data, In("whole"), NullMonitor.Instance);
        using var monitor = new StopAfter(4);
        Assert.Throws<OperationCanceledException>(() => SiameseTrainer.Run(Overflowing, data, In("cut"), monitor));
        var (scale, goodSteps) = LossScaleIn(Checkpoint.Latest(In("cut"))!);
        Assert.True(scale < 65536 && goodSteps > 0, $"{scale} after {goodSteps} steps would not show a scale that is lost.");
        SiameseTrainer.Run(Overflowing, data, In("cut"), NullMonitor.Instance, resume: true);
        AssertSameCheckpoint(Checkpoint.Latest(In("whole"))!, Checkpoint.Latest(In("cut"))!);
        Assert.Equal((scale, goodSteps + 1), LossScaleIn(Checkpoint.Latest(In("cut"))!));
    }

    [Fact]
    public void Restore_InFloat16_OfAnEarlierVersionsCheckpoint_BeginsWithTheInitialLossScale()
    {
        using var data = SmallSetting.Data(In("data"));
        using var pipeline = Pipeline(Overflowing, data);
        using (var stage = new SiameseStage(pipeline, data))
        {
            stage.Step(0);
            stage.Save(In("saved"), 1);
        }
        var saved = LossScaleIn(In("saved"));
        Assert.True(saved.Scale < 65536);
        using (var checkpoint = Checkpoint.Load(In("saved")))
        {
            // Earlier versions did not write these two.
            Assert.True(checkpoint.State.Remove("lossScale") && checkpoint.State.Remove("lossScaleGoodSteps"));
            Checkpoint.Save(In("earlier"), checkpoint.Parts.ToDictionary(p => p, p => checkpoint[p]), checkpoint.State);
        }
        foreach (var (name, expected) in new[] { ("saved", saved), ("earlier", (65536, 0)) })
        {
            using var stage = new SiameseStage(pipeline, data);
            using (var checkpoint = Checkpoint.Load(In(name))) stage.Restore(checkpoint);
            stage.Save(In("again"), 1);
            Assert.Equal(expected, LossScaleIn(In("again")));
        }
    }

    [Fact]
    public void AdoptedBase_GivesTheWeightsOfARunWithItsOwn()
    {
        using var data = SmallSetting.Data(In("data"));
        var options = SmallSetting.Options with
        {
            Losses = new() { Image = 0.5, Weighting = LossWeighting.TruncatedSnr }, CfgDropout = 0.4, DecoderLocked = true,
        };
        SiameseTrainer.Run(options, data, In("whole"), NullMonitor.Instance);

        SiameseTrainer.RunBase(StageInputs.BaseOf(options), data, In("base"), NullMonitor.Instance, resume: false);
        SiameseTrainer.AdoptBase(options, In("base"), In("adopted"));
        SiameseTrainer.AdoptBase(options, In("base"), In("adopted")); // as after a crash
        SiameseTrainer.Run(options, data, In("adopted"), NullMonitor.Instance, resume: true);

        AssertSameCheckpoint(Checkpoint.Latest(In("whole"))!, Checkpoint.Latest(In("adopted"))!);
        Assert.Equal(TrainingLog.Read(new RunFolder(In("whole")).LogPath).Select(e => e.Step),
            TrainingLog.Read(new RunFolder(In("adopted")).LogPath).Select(e => e.Step));
    }

    [Fact]
    public void Run_TwiceWithOneSeed_GivesEqualWeights()
    {
        using var data = SmallSetting.Data(In("data"));
        SiameseTrainer.Run(SmallSetting.Options, data, In("a"), NullMonitor.Instance);
        SiameseTrainer.Run(SmallSetting.Options, data, In("b"), NullMonitor.Instance);
        AssertSameCheckpoint(Checkpoint.Latest(In("a"))!, Checkpoint.Latest(In("b"))!);
    }

    [Fact]
    public void SiameseStage_LeavesEncoderAsTheBaseStageLeftIt()
    {
        using var scope = NewDisposeScope();
        using var data = SmallSetting.Data(In("data"));
        SiameseTrainer.Run(SmallSetting.Options with { KeepCheckpoints = 9 }, data, In("run"), NullMonitor.Instance);
        using var afterBase = Checkpoint.Load(new RunFolder(In("run")).Checkpoint(4));
        using var end = Checkpoint.Load(Checkpoint.Latest(In("run"))!);
        foreach (var entry in end["model"].Entries.Where(e => e.Name.Contains("diffusion_model.", StringComparison.Ordinal)))
        {
            var (key, tensor) = (entry.Name, entry.Read());
            var trained = key.Contains(".output_blocks.", StringComparison.Ordinal)
                || key.Contains(".out.", StringComparison.Ordinal);
            var equal = tensor.equal(afterBase["ema"].Read(key)).all().item<bool>();
            Assert.True(equal != trained || (trained && tensor.numel() < 64), $"{key} {(equal ? "did not change" : "changed")}");
        }
    }

    [Fact]
    public void Unlabelled_ChangeStageBase_AndNothingElseThatIsDrawn()
    {
        using var data = SmallSetting.Data(In("data"));
        for (var n = 0; n < 30; n++) ImageFile.WritePng(In($"more/{n:00}.png"), Siamorph.Tests.Imaging.Pictures.Image(n, 32, 32));
        var options = SmallSetting.Options with { Unlabelled = In("more"), KeepCheckpoints = 9 };
        var unlabelled = UnlabelledImages.Read(In("more"), [], NullMonitor.Instance);
        SiameseTrainer.Run(SmallSetting.Options with { KeepCheckpoints = 9 }, data, In("without"), NullMonitor.Instance);
        SiameseTrainer.Run(options, data, In("with"), NullMonitor.Instance, unlabelled: unlabelled);
        var (without, with) = (TrainingLog.Read(new RunFolder(In("without")).LogPath),
            TrainingLog.Read(new RunFolder(In("with")).LogPath));
        Assert.NotEqual(without[0].Values["base/total"], with[0].Values["base/total"]);
        using var scope = NewDisposeScope();
        using var a = Checkpoint.Load(Checkpoint.Latest(In("without"))!);
        using var b = Checkpoint.Load(Checkpoint.Latest(In("with"))!);
        // The codec is fitted to the pairs
        Assert.True(a["model"].Entries.Where(e => e.Name.StartsWith("first_stage_model.", StringComparison.Ordinal))
            .All(e => e.Read().equal(b["model"].Read(e.Name)).all().item<bool>()));
        Assert.Contains("\"count\": 30", File.ReadAllText(In("with/unlabelled.json")), StringComparison.Ordinal);

        // Only the same list may be gone on with; and a folder that is named has to be read.
        File.Delete(In("more/07.png"));
        var fault = Assert.Throws<InvalidOptionsException>(() =>
            SiameseTrainer.Run(options, data, In("with"), NullMonitor.Instance, resume: true,
            unlabelled: UnlabelledImages.Read(In("more"), [], NullMonitor.Instance)));
        Assert.Contains("holds 29 usable images", fault.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => SiameseTrainer.Run(options, data, In("other"), NullMonitor.Instance));
        Assert.Throws<InvalidOptionsException>(() => (options with { Base = options.Base with { Steps = 0 } }).Validate());
    }

    [Fact]
    public void Run_IntoAUsedFolder_IsRefused()
    {
        using var data = SmallSetting.Data(In("data"));
        SiameseTrainer.Run(SmallSetting.Options, data, In("run"), NullMonitor.Instance);
        var fault = Assert.Throws<SiamorphException>(() =>
            SiameseTrainer.Run(SmallSetting.Options, data, In("run"), NullMonitor.Instance));
        Assert.Contains("--resume", fault.Message, StringComparison.Ordinal);
    }

    // The loss is so large that the first of its few siamese steps overflow and are left out.
    private static TrainOptions Overflowing => SmallSetting.Options with
    {
        Precision = Precision.Float16, Losses = new() { Mask = 60 }, CheckpointEvery = 9,
        Base = SmallSetting.Options.Base with { Steps = 0 },
        Siamese = SmallSetting.Options.Siamese with { Steps = 5, BatchSize = 1, WarmupSteps = 0 },
    };

    private static SiamesePipeline Pipeline(TrainOptions options, PairedDataset data)
    {
        var pipeline = new SiamesePipeline(options, data.Pairs.Select(p => p.Prompt));
        pipeline.Codec.Fit(data.Images);
        pipeline.MoveTo(Placement.Of(options.Device, options.Precision));
        return pipeline;
    }

    private static (int Scale, int GoodSteps) LossScaleIn(string checkpoint)
    {
        var state = OptionsFile.ReadObject(Path.Combine(checkpoint, Checkpoint.StateFile));
        return ((int)(double)state["lossScale"]!, (int)state["lossScaleGoodSteps"]!);
    }

    private string In(string name) => Path.Combine(_folder, name);

    private static void AssertSameCheckpoint(string expected, string actual)
    {
        Assert.Equal(Path.GetFileName(expected), Path.GetFileName(actual));
        foreach (var file in Directory.EnumerateFiles(expected))
            Assert.True(File.ReadAllBytes(file).AsSpan()
                .SequenceEqual(File.ReadAllBytes(Path.Combine(actual, Path.GetFileName(file)))),
                $"{Path.GetFileName(file)} differs");
    }

    /// <summary>Asks to stop once so many steps were reported.</summary>
    private sealed class StopAfter(int steps) : IMonitor, IDisposable
    {
        private readonly CancellationTokenSource _source = new();
        private int _left = steps;

        public CancellationToken Cancellation => _source.Token;

        public IMonitoredStage Begin(string title, long total) => new Stage(this);

        public void Note(string line) { }

        public void Dispose() => _source.Dispose();

        private void Count()
        {
            if (--_left == 0) _source.Cancel();
        }

        private sealed class Stage(StopAfter owner) : IMonitoredStage
        {
            public void Report(long done, string? detail = null) => owner.Count();

            public void Dispose() { }
        }
    }
}
