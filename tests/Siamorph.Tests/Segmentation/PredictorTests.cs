using Siamorph.Data;
using Siamorph.Data.Folders;
using Siamorph.Evaluation.Masks;
using Siamorph.Imaging;
using Siamorph.Segmentation;
using TorchSharp;
using static TorchSharp.torch;

namespace Siamorph.Tests.Segmentation;

public sealed class PredictorTests : IDisposable
{
    private readonly TinyPairs _pairs = new();
    private readonly Predictor _predictor;

    public PredictorTests()
    {
        using var data = _pairs.Load("train", 4, 32);
        var options = new SegmentationOptions
        {
            Network = new() { Width = 4 }, ImageSize = new(32, 32), Steps = 2, BatchSize = 4,
        };
        SegmentationTrainer.Run(options, data, data, _pairs.In("run"), NullMonitor.Instance);
        _predictor = Predictor.Load(_pairs.In("run"));
    }

    public void Dispose()
    {
        _predictor.Dispose();
        _pairs.Dispose();
    }

    [Theory]
    [InlineData(32, 32)]
    [InlineData(57, 91)]
    [InlineData(7, 200)]
    public void Predict_PictureOfAnySize_GivesAMapOfThatSize(int width, int height)
    {
        var size = new ImageSize(width, height);
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        var map = _predictor.Predict(new RgbImage(size));
        Assert.Equal(size, map.Size);
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Predict_OneByOneOrTogether_IsTheSame()
    {
        using var scope = NewDisposeScope();
        using var generator = new Seed(9).Generator();
        var images = rand(3, 3, 32, 32, generator: generator) * 2 - 1;
        var together = _predictor.Predict(images);
        Assert.False(together.requires_grad);
        Assert.True(together.min().item<float>() >= 0 && together.max().item<float>() <= 1);
        for (var i = 0; i < 3; i++) SegmentationFixtures.Close(together[i..(i + 1)],
            _predictor.Predict(images[i..(i + 1)]), 1e-5);
    }

    [Fact]
    public void Write_OfAFolder_GivesMasksMapsAndOverlays()
    {
        var pairs = _pairs.Write("other", 3, new(40, 24));
        Assert.Equal(3, PredictionFolder.Write(_predictor, [_pairs.In("other")], _pairs.In("out"), NullMonitor.Instance));
        foreach (var pair in pairs)
        {
            string Out(string kind) => _pairs.In($"out/{kind}/{pair.Id}.png");
            var map = ImageFile.ReadGrey(Out("probabilities"));
            Assert.Equal(_predictor.Predict(ImageFile.ReadRgb(pair.ImagePath)).Levels, map.Levels);
            Assert.Equal(new ProbabilityMap(map.Size, map.Levels).ToMask().Labels, ImageFile.ReadMask(Out("masks")).Labels);
            Assert.Equal(new(40, 24), ImageFile.Identify(Out("overlays")).Size);
        }
        var scores = Score(_pairs.In("other"), _pairs.In("out"));
        var direct = SegmentationEvaluator.Evaluate(_predictor, pairs, NullMonitor.Instance);
        Assert.Equal(direct.MeanDice, scores.Dice, 1e-12);
        Assert.Equal(direct.Dice, scores.DiceAtHalf, 1e-12);
    }

    [Fact]
    public void Write_OfAFaintMap_IsScoredAsItIs()
    {
        // Levels below 16 in a folder of probabilities are no class numbers.
        _pairs.Write("other", 1, new(40, 24));
        var map = new GreyImage(new(40, 24), new byte[40 * 24], true);
        map.Levels[5] = 9;
        ImageFile.WriteGreyPng(_pairs.In("out/probabilities/000.png"), map);
        Assert.Equal(0, Score(_pairs.In("other"), _pairs.In("out")).DiceAtHalf);
        Assert.Equal(1, MaskEvaluator.Evaluate(
            [.. MaskFolders.Match(_pairs.In("other"), _pairs.In("out"), new()).Select(p => p.ToCase())], new(),
            NullMonitor.Instance).All.EmptyPredictions);
    }

    [Fact]
    public void Write_OfADamagedPicture_PredictsTheOthersAndNamesIt()
    {
        var pairs = _pairs.Write("other", 3, new(40, 24));
        File.WriteAllBytes(pairs[1].ImagePath, [1, 2, 3]);
        var message = Assert.Throws<InvalidDatasetException>(() =>
            PredictionFolder.Write(_predictor, [_pairs.In("other/images")], _pairs.In("out"), NullMonitor.Instance)).Message;
        Assert.Contains("001.png", message);
        Assert.DoesNotContain('\n', message);
        Assert.True(File.Exists(_pairs.In("out/masks/002.png")));
        Assert.False(File.Exists(_pairs.In("out/masks/001.png")));
    }

    [Fact]
    public void Write_OfASplit_LeavesTheOthersOut()
    {
        IReadOnlyList<ImageMaskPair> pairs =
            [.. _pairs.Write("other", 2, new(40, 24), split: "test"), .. _pairs.Write("other", 3, new(40, 24), split: "train")];
        DatasetFolder.WriteManifest(_pairs.In("other"), pairs);
        Assert.Equal(2, PredictionFolder.Write(_predictor, [_pairs.In("other")], _pairs.In("out"), NullMonitor.Instance, "test"));
        Assert.Equal(2, MaskFolders.Match(_pairs.In("other"), _pairs.In("out"), new() { Split = "test" }).Count);
        Assert.Contains("'none'", Assert.Throws<InvalidDatasetException>(() =>
            MaskFolders.Match(_pairs.In("other"), _pairs.In("out"), new() { Split = "none" })).Message);
    }

    [Fact]
    public void Write_OfTwoPicturesOfOneName_IsRefused()
    {
        _pairs.Write("a", 1, new(32, 32));
        _pairs.Write("b", 1, new(32, 32));
        var message = Assert.Throws<InvalidDatasetException>(() =>
            PredictionFolder.Write(_predictor, [_pairs.In("a"), _pairs.In("b")], _pairs.In("out"), NullMonitor.Instance)).Message;
        Assert.Contains("'000'", message);
        Assert.False(Directory.Exists(_pairs.In("out")));
    }

    [Fact]
    public void Load_OfWhatIsNoRun_SaysWhatToDo()
    {
        Assert.Contains("segment train", Assert.Throws<SiamorphException>(() => Predictor.Load(_pairs.In("nowhere"))).Message);
        var file = _pairs.In("cut.safetensors");
        File.WriteAllBytes(file, File.ReadAllBytes(_pairs.In("run/model.safetensors"))[..2000]);
        Assert.Throws<WeightsFormatException>(() => Predictor.Load(file));
    }

    private static MaskSummary Score(string truth, string predictions) =>
        MaskEvaluator.Evaluate([.. MaskFolders.Match(truth, predictions, new()).Select(p => p.ToCase())], new(),
        NullMonitor.Instance).All;
}
