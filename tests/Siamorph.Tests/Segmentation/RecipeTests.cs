using Siamorph.Data;
using Siamorph.Data.Checks;
using Siamorph.Data.Folders;
using Siamorph.Imaging;
using Siamorph.Reports;
using Siamorph.Segmentation;
using Siamorph.Segmentation.Batches;
using Siamorph.Segmentation.Networks;
using Siamorph.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Siamorph.Tests.Segmentation;

public sealed class RecipeTests : IDisposable
{
    private readonly TinyPairs _pairs = new();

    public void Dispose() => _pairs.Dispose();

    [Fact]
    public void All_Recipes_HoldTogether()
    {
        foreach (var (name, options) in SegmentationRecipes.All)
        {
            Assert.Same(options, options.Validate());
            Assert.True(name.StartsWith(options.Network.Name, StringComparison.Ordinal), name);
        }
        Assert.Equal(new SegmentationOptions(), SegmentationRecipes.All.First().Value);
        Assert.All(NetworkFactory.Names, name => Assert.Contains(name, SegmentationRecipes.All.Keys));
    }

    public static IEnumerable<TheoryDataRow<string, SegmentationOptimizer, MultiScale>> Runs =>
    [
        ("unet-mobilenetv2", SegmentationOptimizer.AdamW, MultiScale.None),
        ("sanet-compact", SegmentationOptimizer.Sgd, MultiScale.RandomSize),
        ("pranet-compact", SegmentationOptimizer.RmsProp, MultiScale.None),
        ("polyp-pvt-compact", SegmentationOptimizer.AdamW, MultiScale.ThreeSizes),
        ("ctnet-compact", SegmentationOptimizer.AdamW, MultiScale.None),
        ("segformer-compact", SegmentationOptimizer.AdamW, MultiScale.None),
    ];

    [Theory]
    [MemberData(nameof(Runs))]
    public void Run_StoppedAndResumed_EqualsTheUninterruptedOne(string name, SegmentationOptimizer optimizer, MultiScale scale)
    {
        using var data = _pairs.Load("train", 4, 64);
        var options = SegmentationRecipes.All[name] with
        {
            ImageSize = data.Size, Steps = 4, BatchSize = 2, ValidateEvery = 2, Optimizer = optimizer, MultiScale = scale,
            BackboneRate = 0.5,
            DecayNorms = false, ClipValue = 0.5, Schedule = SegmentationSchedule.Halving, Seed = new(3),
        };
        var whole = SegmentationTrainer.Run(options, data, data, _pairs.In("whole"), NullMonitor.Instance);
        using var stop = new SegmentationTrainerTests.StopAfter(2);
        Assert.Throws<OperationCanceledException>(() => SegmentationTrainer.Run(options, data, data, _pairs.In("cut"), stop));
        var resumed = SegmentationTrainer.Run(options, data, data, _pairs.In("cut"), NullMonitor.Instance, resume: true);
        Assert.Equal(whole.ModelHash, resumed.ModelHash);
        Assert.Equal(whole.History, resumed.History);
        using var predictor = Predictor.Load(_pairs.In("whole"));
        Assert.Equal(options.Network, predictor.Network);
        Assert.Equal(new ImageSize(50, 33), predictor.Predict(new RgbImage(new(50, 33))).Size);
    }

    [Fact]
    public void Forward_OfEachNetwork_LeavesNoTensorBehind()
    {
        using var noGrad = no_grad();
        using var image = zeros(1, 3, 64, 48);
        foreach (var name in NetworkFactory.Names.Where(n => n.EndsWith("-compact", StringComparison.Ordinal)
            || n == "unet-mobilenetv2"))
        {
            using var net = NetworkFactory.Create(new() { Name = name });
            net.eval();
            var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
            using (var logits = net.Logits(image)) Assert.Equal([1, 1, 64, 48], logits.shape);
            foreach (var head in net.Heads(image)) head.Dispose();
            Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        }
    }

    [Fact]
    public void Backbone_FromAFile_IsLoadedOrRefusedByName()
    {
        using var scope = NewDisposeScope();
        using var source = NetworkFactory.Create(new() { Name = "segformer-compact" });
        using var target = NetworkFactory.Create(new() { Name = "polyp-pvt-compact" });
        var file = _pairs.In("backbone.safetensors");
        var weights = StateDict.Of(source.Backbone!).ToDictionary(p => "backbone." + p.Key, p => p.Value);
        weights["head.weight"] = zeros(3);
        SafeTensors.Write(file, weights);
        Assert.Contains("1 not used (head.weight)", BackboneWeights.Load(target, file));
        foreach (var (key, tensor) in StateDict.Of(source.Backbone!))
            Assert.Equal(0, (tensor - StateDict.Of(target.Backbone!)[key]).abs().sum().item<float>());

        using var unet = NetworkFactory.Create(new());
        Assert.Contains("no backbone", Assert.Throws<WeightsMismatchException>(() => BackboneWeights.Load(unet, file)).Message);
        using var other = NetworkFactory.Create(new() { Name = "sanet-compact" });
        Assert.Contains("missing", Assert.Throws<WeightsMismatchException>(() => BackboneWeights.Load(other, file)).Message);
    }

    [Fact]
    public void Validate_OfAnUnknownNetwork_SaysWhichIsMeant() => Assert.Contains(
        "did you mean 'polyp-pvt'", Assert.Throws<InvalidOptionsException>(() => new SegmentationOptions
        {
            Network = new() { Name = "polypvt" },
        }.Validate()).Message);

    [Fact]
    public void Classes_OfATable_GoThroughTrainingAndPrediction()
    {
        var pairs = Classes("data", 5);
        using (var data = PairedDataset.Load(pairs, new(32, 32), NullMonitor.Instance))
        {
            Assert.Equal([0, 1, 2], data.Masks.bytes.ToArray().Distinct().Order().Select(l => (int)l));
            var options = new SegmentationOptions
            {
                Network = new() { Width = 8 }, ImageSize = new(32, 32), Steps = 200, BatchSize = 5, LearningRate = 5e-3,
                ValidateEvery = 100,
            }.For(data.Classes);
            Assert.Equal((3, MaskLoss.CrossEntropyDice), (options.Network.Classes, options.Loss));
            var summary = SegmentationTrainer.Run(options, data, data, _pairs.In("run"), NullMonitor.Instance);
            Assert.True(summary.BestValidationDice > 0.7, $"{summary.BestValidationDice}");
        }
        using var predictor = Predictor.Load(_pairs.In("run"));
        PredictionFolder.Write(predictor, [_pairs.In("data")], _pairs.In("out"), NullMonitor.Instance);
        var levels = ImageFile.ReadGrey(_pairs.In($"out/masks/{pairs[0].Id}.png")).Levels.Distinct().Order().ToList();
        Assert.All(levels, l => Assert.Contains(l, new byte[] { 0, 1, 2 }));
        Assert.True(File.Exists(_pairs.In($"out/probabilities/bright/{pairs[0].Id}.png")));
        // Scored from the files, class by class; a dataset and a bare folder with the table beside it are the same.
        File.Copy(_pairs.In($"data/{ClassTable.FileName}"), _pairs.In($"data/masks/{ClassTable.FileName}"));
        foreach (var truth in new[] { "data", "data/masks" })
        {
            var result = MaskEvaluationReport.Run(_pairs.In(truth), _pairs.In("out"), new()
            {
                Protocol = "plain@0.5",
            }, _pairs.In("scores"), NullMonitor.Instance);
            Assert.Equal(["dark", "bright"], result.Classes.Select(s => s.Name));
            Assert.All(result.Classes, s => Assert.True(s.Dice > 0.6, $"{s.Name} {s.Dice}"));
            Assert.Equal(5, result.All.Count);
            Assert.Equal(5, result.Images.Count);
            Assert.True(result.Classes.Sum(c => c.Count) >= 5); // an image counts for the classes that it has
        }
        Assert.Contains("against all others", File.ReadAllText(_pairs.In("scores/evaluation.html")));
        // A level outside the table in a prediction: one line.
        var found = ImageFile.ReadGrey(_pairs.In($"out/masks/{pairs[0].Id}.png"));
        found.Levels[33] = 77;
        ImageFile.WriteGreyPng(_pairs.In($"out/masks/{pairs[0].Id}.png"), found);
        var message = Assert.Throws<InvalidDatasetException>(() =>
            MaskEvaluationReport.Run(_pairs.In("data"), _pairs.In("out"), new(), null, NullMonitor.Instance)).Message;
        Assert.Contains("level 77 at (1, 1) is in no class", message);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void Classes_OutsideTheTable_AreOneClearLine()
    {
        var pairs = Classes("data", 2);
        var mask = ImageFile.ReadGrey(pairs[1].MaskPath);
        mask.Levels[70] = 9;
        ImageFile.WriteGreyPng(pairs[1].MaskPath, mask);
        var message = Assert.Throws<InvalidDatasetException>(() =>
            PairedDataset.Load(pairs, new(32, 32), NullMonitor.Instance)).Message;
        Assert.Contains("level 9 at (6, 2) is in no class (0 background, 1 dark, 2 bright)", message);
        Assert.DoesNotContain('\n', message);
        Assert.Contains(DatasetValidator.Check(_pairs.In("data"), NullMonitor.Instance).Findings,
            f => f.Message.Contains("level 9", StringComparison.Ordinal));
        File.WriteAllText(_pairs.In($"data/{ClassTable.FileName}"),
            "[{\"name\":\"a\",\"level\":0},{\"name\":\"b\",\"level\":0}]");
        Assert.Contains("share level 0",
            Assert.Throws<InvalidDatasetException>(() => DatasetFolder.Read(_pairs.In("data"))).Message);
    }

    // Two kinds of ellipse: every other image's is darker than its ground.
    private IReadOnlyList<ImageMaskPair> Classes(string name, int count)
    {
        foreach (var (pair, i) in _pairs.Write(name, count, new(32, 32)).Select((p, i) => (p, i)))
        {
            var (image, mask) = (ImageFile.ReadRgb(pair.ImagePath), ImageFile.ReadMask(pair.MaskPath));
            var label = (byte)(1 + i % 2);
            for (var k = 0; k < mask.Labels.Length; k++)
            {
                if (mask.Labels[k] == 0) continue;
                mask.Labels[k] = label;
                if (label == 1) for (var c = 0; c < 3; c++) image.Pixels[3 * k + c] = 10;
            }
            ImageFile.WritePng(pair.ImagePath, image);
            ImageFile.WriteGreyPng(pair.MaskPath, new GreyImage(mask.Size, mask.Labels, Lossless: true));
        }
        File.WriteAllText(_pairs.In($"{name}/{ClassTable.FileName}"),
            "[{\"name\":\"background\",\"level\":0},{\"name\":\"dark\",\"level\":1},{\"name\":\"bright\",\"level\":2,\"colour\""
                + ":\"#ff0000\"}]");
        return DatasetFolder.Read(_pairs.In(name)).Pairs;
    }
}
