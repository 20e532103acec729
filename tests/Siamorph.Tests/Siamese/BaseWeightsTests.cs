using Siamorph.Models;
using Siamorph.Siamese;
using Siamorph.Siamese.WeightFiles;
using Siamorph.Synthesis;
using Siamorph.Training;
using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Tests.Siamese;

public sealed class BaseWeightsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Sd15_WithoutWeights_SaysInOneLineWhichFilesGoWhere()
    {
        var fault = Assert.Throws<InvalidOptionsException>(Presets.Sd15.Validate);
        Assert.DoesNotContain('\n', fault.Message);
        foreach (var named in new[] { "--base-weights", "--tokenizer", "vocab.json", "docs/how-to/full-size.md" })
            Assert.Contains(named, fault.Message);
    }

    [Fact]
    public void ControlNet_BeginsAsTheUNetsEncoder_AndTheRestIsListed()
    {
        using var pipeline = new SiamesePipeline(BaseWeightsSetting.Options(_folder.Path), []);
        var found = pipeline.Initialization!;
        Assert.Empty(found.FromFile);
        Assert.All(found.New, k => Assert.Matches(@"^control_model\.(zero_convs|middle_block_out|input_hint_block)\.", k));
        Assert.All(found.FromUNet, k => Assert.Matches(@"^control_model\.(time_embed|input_blocks|middle_block)\.", k));
        var tensors = pipeline.Tensors();
        Assert.All(found.FromUNet, k =>
            Assert.True(tensors[k].equal(tensors["model.diffusion_model." + k["control_model.".Length..]]).all().item<bool>()));
    }

    [Fact]
    public void Run_StoresWhatIsTrained_CachesWhatIsNot_ResumesBitForBit_AndDraws()
    {
        var options = BaseWeightsSetting.Options(_folder.Path);
        using var data = BaseWeightsSetting.Data(_folder["data"]);
        SiameseTrainer.Run(options, data, _folder["whole"], NullMonitor.Instance);
        using var whole = Checkpoint.Load(Checkpoint.Latest(_folder["whole"])!);
        Assert.All(whole["model"].Names, k => Assert.Matches(@"^(control_model\.|model\.diffusion_model\.out)", k));
        // Images; a prompt and the empty one
        Assert.Equal(data.Count + 2, Directory.GetFiles(_folder["whole", "cache"], "*.safetensors",
            SearchOption.AllDirectories).Length);
        Assert.True(File.Exists(_folder["whole", "initialization.json"]));

        // Where the optimizer's moments are kept makes no difference either.
        var shorter = options with { CacheFolder = _folder["whole", "cache"], OptimizerState = OptimizerStorage.Memory };
        Assert.Equal(OptimizerStorage.Disk, options.OptimizerState);
        using (var stop = new CancellationTokenSource())
        {
            var monitor = new Stopping(stop);
            Assert.Throws<OperationCanceledException>(() => SiameseTrainer.Run(shorter, data, _folder["cut"], monitor));
        }
        SiameseTrainer.Run(shorter, data, _folder["cut"], NullMonitor.Instance, resume: true);
        using var cut = Checkpoint.Load(Checkpoint.Latest(_folder["cut"])!);
        using var scope = NewDisposeScope();
        foreach (var part in new[] { "model", "optimizer" })
            foreach (var entry in whole[part].Entries)
                Assert.True(entry.Read().equal(cut[part].Read(entry.Name)).all().item<bool>(), entry.Name);
        Assert.Empty(Directory.GetFiles(_folder["whole"], "*.moments"));

        var drawn = Synthesizer.Run(_folder["whole"], [data.Pairs[0]], new SynthesisOptions
        {
            Prompt = "an unseen prompt",
        }, _folder["drawn"], NullMonitor.Instance);
        Assert.True(File.Exists(Assert.Single(drawn.Pairs).ImagePath));
        AssertWholeModelIsWritten(options, _folder["whole"], whole["model"]);
    }

    // A run stores what it trains; told to, it gives the authors' full checkpoint, which is a base to train on like any other.
    private void AssertWholeModelIsWritten(TrainOptions options, string run, WeightTable trained)
    {
        foreach (var path in new[] { run, Checkpoint.Latest(run)!, Path.Combine(Checkpoint.Latest(run)!, "model.safetensors") })
            Assert.Contains("siamese training, step 3", WeightsInspector.Inspect(path).What, StringComparison.Ordinal);
        WeightsConverter.Convert(run, _folder["model.safetensors"], new ConvertOptions());
        using var written = WeightsFile.Open(_folder["model.safetensors"]);
        Assert.Equal(CheckpointKeys.Of(options).Select(k => k.Name).Order(StringComparer.Ordinal),
            written.Names.Order(StringComparer.Ordinal));
        foreach (var entry in trained.Entries)
            Assert.True(entry.Read().equal(written.Read(entry.Name)).all().item<bool>(), entry.Name);
        using var again = SiamesePipeline.OfWeights(options with { BaseWeights = _folder["model.safetensors"] });
        using var drawn = SiamesePipeline.Open(run);
        Assert.Equal(drawn.Fingerprint(), again.Fingerprint());
        Assert.Contains("has no ControlNet",
            Assert.Throws<WeightsMismatchException>(() => SiamesePipeline.Open(options.BaseWeights!)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Lora_TrainsInTheDecodersPlace_AndItsFileGivesTheSameModel()
    {
        var options = BaseWeightsSetting.Options(_folder.Path) with { LoraRank = 2, PreviewCount = 0 };
        using var data = BaseWeightsSetting.Data(_folder["data"]);
        SiameseTrainer.Run(options, data, _folder["run"], NullMonitor.Instance);
        var checkpoint = Checkpoint.Latest(_folder["run"])!;
        using var scope = NewDisposeScope();
        var names = SafeTensors.ReadHeader(Path.Combine(checkpoint, "lora.safetensors")).Tensors.Select(t => t.Name).ToList();
        Assert.Contains("lora_unet_up_blocks_1_attentions_0_transformer_blocks_0_attn2_to_out_0.lora_up.weight", names);
        Assert.Equal(names.Count(n => n.EndsWith(".alpha", StringComparison.Ordinal)) * 3, names.Count);

        using var trained = SiamesePipeline.Load(_folder["run"]);
        using var before = new SiamesePipeline(options with { LoraRank = 0 }, []);
        using var merged = new SiamesePipeline(options with
        {
            LoraRank = 0, LoraWeights = Path.Combine(checkpoint, "lora.safetensors"),
        }, []);
        var (a, b, c) = (StateDict.Of(trained.Model.UNet), StateDict.Of(merged.Model.UNet), StateDict.Of(before.Model.UNet));
        Assert.All(a, t => Assert.True(t.Value.equal(b[t.Key]).all().item<bool>(), t.Key));
        var changed = a.Where(t => !t.Value.equal(c[t.Key]).all().item<bool>()).Select(t => t.Key).ToList();
        Assert.NotEmpty(changed);
        Assert.All(changed, k => Assert.Matches(@"^output_blocks\..*attn[12]\.to_(q|k|v|out\.0)\.weight$", k));
    }

    [Fact]
    public void Lora_Attached_AnswersAsMerged()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var model = SmallSetting.ModelWithoutZeros();
        Lora.AddToDecoder(model.UNet, 2, 4, new Seed(1));
        foreach (var (name, parameter) in Lora.Parameters(model.UNet)) parameter.copy_(randn(parameter.shape) * 0.1);
        var batch = SmallSetting.Batch(model.UNet.Config, [7, 500], new Seed(2));
        Tensor Answer() => model.UNet.Decode(model.UNet.Encode(batch.CleanLatent, batch.Timesteps, batch.Context), batch.Context);
        var attached = Answer();
        Lora.Merge(model.UNet);
        Assert.Empty(Lora.Parameters(model.UNet));
        Assert.True((Answer() - attached).abs().max().item<float>() < 1e-4);
    }

    [Fact]
    public void SixteenBits_TrainFloat32Masters()
    {
        var options = BaseWeightsSetting.Options(_folder.Path) with { Precision = Precision.BFloat16, PreviewCount = 0 };
        options = options with { Siamese = options.Siamese with { Steps = 1, Accumulation = 1 } };
        using var data = BaseWeightsSetting.Data(_folder["data"]);
        SiameseTrainer.Run(options, data, _folder["run"], NullMonitor.Instance);
        using var checkpoint = Checkpoint.Load(Checkpoint.Latest(_folder["run"])!);
        Assert.All(checkpoint["model"].Entries, e => Assert.Equal(ScalarType.Float32, e.DType));
        var key = "control_model.zero_convs.0.0.weight"; // zero before; one step of 1e-3 afterwards, finer than 16 bits
        Assert.True(checkpoint["model"].Read(key).abs().max().item<float>() is > 5e-4f and < 2e-3f);
    }

    private sealed class Stopping(CancellationTokenSource source) : IMonitor
    {
        public CancellationToken Cancellation => source.Token;

        public void Note(string line) { }

        public IMonitoredStage Begin(string title, long total) => new Stage(source);

        private sealed class Stage(CancellationTokenSource source) : IMonitoredStage
        {
            public void Report(long done, string? detail = null) => source.Cancel();

            public void Dispose() { }
        }
    }
}
