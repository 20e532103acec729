using System.Text.Json.Nodes;
using Siamorph.Imaging;
using Siamorph.Siamese;
using Siamorph.Siamese.BaseModel;
using Siamorph.Siamese.WeightFiles;
using Siamorph.Training;
using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Tests.Siamese;

/// <summary>Base models: built by a recipe, and begun with.</summary>
public sealed class BaseModelTests : IDisposable
{
    private const string Sizes = """
        { "imageSize": 32, "network": { "modelChannels": 32, "channelMultipliers": [1, 2], "attentionFactors": [], "heads": 2, "contextWidth": 16 },
          "base": { "steps": 3, "batchSize": 2 }, "siamese": { "steps": 2, "batchSize": 2 }, "previewEvery": 0, "checkpointEvery": 1 }
        """;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static BaseRecipe Recipe => new()
    {
        Name = "little", Generator = JsonNode.Parse(Sizes)!.AsObject(), Phantoms = [new(4)],
        Images = [new("skin", "dermoscopy", "CC0 1.0", "a collection")], NotFor = ["Nothing else."],
    };

    [Fact]
    public void Build_WritesWeightsAndCard_AndTheModelKnowsThePrompts()
    {
        var built = Build(NullMonitor.Instance);
        using var file = WeightsFile.Open(built.Weights);
        Assert.Equal("siamorph base model", file.Metadata["kind"]);
        Assert.Contains("dermoscopy", file.Metadata["prompts"], StringComparison.Ordinal);
        Assert.Equal(ScalarType.Float16,
            file.Entries.First(e => e.Name.StartsWith("model.diffusion_model.", StringComparison.Ordinal)).DType);
        var card = File.ReadAllText(built.Card);
        Assert.Contains("| dermoscopy, without masks | 3 | CC0 1.0 | a collection |", card, StringComparison.Ordinal);
        Assert.Contains("- Nothing else.", card, StringComparison.Ordinal);
        Assert.Contains("a generator that has seen them makes the test worthless", card, StringComparison.Ordinal);
    }

    [Fact]
    public void Build_StoppedAndCalledAgain_EqualsTheUninterruptedOne()
    {
        var whole = File.ReadAllBytes(Build(NullMonitor.Instance).Weights);
        using var stop = new StopAtStage("siamese training");
        Assert.Throws<OperationCanceledException>(() => BaseModelBuilder.Build(Recipe, Images(), _folder["cut"], stop));
        Assert.Equal(whole, File.ReadAllBytes(
            BaseModelBuilder.Build(Recipe, Images(), _folder["cut"], NullMonitor.Instance).Weights));
    }

    [Fact]
    public void Training_BeginsWithTheWeights_AndAnUnknownPromptAsTheEmptyOne()
    {
        var built = Build(NullMonitor.Instance);
        var options = Recipe.Options() with { Seed = 99, InitialWeights = built.Weights };
        using var pipeline = new SiamesePipeline(options, ["dermoscopy", "my clinic"]);
        var line = InitialModel.Load(pipeline, built.Weights);
        Assert.Contains("2 of 3 prompts", line, StringComparison.Ordinal); // the empty one, and dermoscopy
        using var file = WeightsFile.Open(built.Weights);
        foreach (var (key, tensor) in pipeline.Tensors().Where(t => !t.Key.EndsWith("tokens", StringComparison.Ordinal)))
        {
            using var stored = file.Read(key, ScalarType.Float32);
            Assert.True(tensor.eq(stored).all().item<bool>(), key);
        }
        var tokens = pipeline.Tensors().Single(t => t.Key.EndsWith("tokens", StringComparison.Ordinal)).Value;
        Assert.Equal(["", "dermoscopy", "my clinic"], pipeline.Prompts.Prompts);
        Assert.True(tokens[2].eq(tokens[0]).all().item<bool>());
        Assert.False(tokens[1].eq(tokens[0]).all().item<bool>());
    }

    [Fact]
    public void Run_WithInitialWeights_NeedsThemNoMore()
    {
        var built = Build(NullMonitor.Instance);
        var pairs = Siamorph.Data.Phantom.PhantomDataset.Write(_folder["own"], new()
        {
            Count = 4, Size = new ImageSize(32, 32), Seed = new Seed(8),
        }, NullMonitor.Instance).Pairs;
        var options = Recipe.Options() with { InitialWeights = built.Weights };
        using (var data = options.Load(pairs, NullMonitor.Instance))
            SiameseTrainer.Run(options, data, _folder["run"], NullMonitor.Instance);
        File.Delete(built.Weights);
        using var pipeline = SiamesePipeline.Load(_folder["run"]);
        Assert.Equal(32, pipeline.Options.ImageSize);
    }

    [Fact]
    public void Weights_OfAnotherSize_AreRefused_WithTheFirstTensorThatDiffers()
    {
        var built = Build(NullMonitor.Instance);
        using var pipeline = new SiamesePipeline(Recipe.Options() with
        {
            Network = Recipe.Options().Network with { ModelChannels = 64 },
        }, []);
        var error = Assert.Throws<WeightsMismatchException>(() => InitialModel.Load(pipeline, built.Weights));
        Assert.Contains(built.Weights, error.Message, StringComparison.Ordinal);
        Assert.Contains("the model's [", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Recipe_ListsEveryFault()
    {
        var error = Assert.Throws<InvalidOptionsException>(() => new BaseRecipe
        {
            Preset = "sd15", Images = [new("x", "y", "", "")],
        }.Validate());
        Assert.Contains("has its own base", error.Message, StringComparison.Ordinal);
        Assert.Contains("phantoms", error.Message, StringComparison.Ordinal);
        Assert.Contains("licence", error.Message, StringComparison.Ordinal);
        var shipped = OptionsFile.Load<BaseRecipe>(Path.Combine(SharedMaterial.RepositoryRoot, "recipes", "base-tiny.json"))
            .Validate();
        Assert.Equal(20000, shipped.Options().Base.Steps);
    }

    private BuiltBase Build(IMonitor monitor) => BaseModelBuilder.Build(Recipe, Images(), _folder["base"], monitor);

    private string Images()
    {
        for (var i = 0; i < 3; i++) ImageFile.WritePng(_folder["images", "skin", $"{i}.png"],
            Siamorph.Tests.Imaging.Pictures.Image(i, 32, 32));
        return _folder["images"];
    }

    private sealed class StopAtStage(string title) : IMonitor, IMonitoredStage
    {
        private readonly CancellationTokenSource _source = new();

        public CancellationToken Cancellation => _source.Token;

        public IMonitoredStage Begin(string name, long total)
        {
            if (name == title) _source.Cancel();
            return this;
        }

        public void Note(string line) { }

        public void Report(long done, string? detail = null) { }

        public void Dispose() { }
    }
}
