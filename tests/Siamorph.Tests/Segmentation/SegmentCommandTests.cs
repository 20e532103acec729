using System.Text.Json.Nodes;
using Siamorph.Cli;
using Siamorph.Data;
using Siamorph.Data.Folders;

namespace Siamorph.Tests.Segmentation;

public sealed class SegmentCommandTests : IDisposable
{
    private readonly TinyPairs _pairs = new();
    private readonly StringWriter _output = new(), _error = new();

    public void Dispose() => _pairs.Dispose();

    [Fact]
    public void TrainPredictEvaluate_OnAFolder_EndInScores()
    {
        WriteSplitDataset();
        DatasetFolder.WriteManifest(_pairs.In("made"),
            _pairs.Write("made", 3, new(48, 40), seed: 7, source: PairSource.Synthetic));
        const string small = "--network-width 2 --image-size 32x32 --steps 3 --batch-size 2";
        Assert.Equal(0, Run($"segment train {_pairs.In("data")} --out {_pairs.In("run")} --synthetic {_pairs.In("made")} "
            + $"--synthetic-fraction 0.5 {small}"));
        Assert.Contains("Best validation Dice", _output.ToString());
        Assert.Equal(0, Run($"segment predict {_pairs.In("run")} {_pairs.In("data")} --out {_pairs.In("found")}"));
        Assert.Equal(0, Run($"segment evaluate --truth {_pairs.In("data")} --predictions {_pairs.In("found")} --out "
            + $"{_pairs.In("scores.json")}"));
        Assert.Contains("E-measure", _output.ToString());
        _output.GetStringBuilder().Clear();
        Assert.Equal(0, Run($"segment evaluate --truth {_pairs.In("data")} --predictions {_pairs.In("found")} --json"));
        var scores = JsonNode.Parse(_output.ToString())!;
        Assert.Equal(7, scores["count"]!.GetValue<int>());
        Assert.Equal(7, scores["images"]!.AsArray().Count);
        Assert.Equal(scores.ToJsonString(), JsonNode.Parse(File.ReadAllText(_pairs.In("scores.json")))!.ToJsonString());
        Assert.Equal(0, Run($"segment train {_pairs.In("data")} --out {_pairs.In("run")} --synthetic {_pairs.In("made")} "
            + $"--options {_pairs.In("run/options.json")} --resume"));
    }

    [Fact]
    public void Evaluate_AModel_AlsoOnCorruptedImages()
    {
        var pairs = _pairs.Write("data", 4, new(32, 32), split: "train")
            .Concat(_pairs.Write("data", 2, new(32, 32), seed: 2, split: "val"))
            .Concat(_pairs.Write("data", 3, new(48, 40), seed: 3, split: "test"));
        DatasetFolder.WriteManifest(_pairs.In("data"), pairs);
        Assert.Equal(0,
            Run($"segment train {_pairs.In("data")} --out {_pairs.In("run")} --image-size 32x32 --steps 2 --network-width 4"));
        _output.GetStringBuilder().Clear();
        var evaluate = $"segment evaluate --truth {_pairs.In("data")} --model {_pairs.In("run")}";
        Assert.Equal(0, Run($"{evaluate} --corruptions blur,colourCast --out {_pairs.In("robust.json")}"));
        Assert.Contains("3 images", _output.ToString());
        Assert.Contains("colourCast", _output.ToString());
        Assert.DoesNotContain("illumination", _output.ToString());
        var conditions = JsonNode.Parse(File.ReadAllText(_pairs.In("robust.json")))!["conditions"]!.AsArray();
        Assert.Equal(6, conditions.Count);
        Assert.All(conditions, c => Assert.Equal(3, c!["images"]!.AsArray().Count));
        Assert.Equal(2, Run($"{evaluate} --corruptions fog"));
        Assert.Contains("expected all, or a list of colourCast", _error.ToString());
        Assert.Equal(2, Run($"segment evaluate --truth {_pairs.In("data")}"));
        Assert.Equal(2, Run($"segment evaluate --truth {_pairs.In("data")} --predictions {_pairs.In("data")} --corruptions all"));
    }

    [Fact]
    public void Train_WithoutValidationSplit_SaysWhatToDo()
    {
        DatasetFolder.WriteManifest(_pairs.In("data"), _pairs.Write("data", 2, new(32, 32)));
        Assert.Equal(2, Run($"segment train {_pairs.In("data")} --out {_pairs.In("run")}"));
        Assert.Contains("siamorph data split", _error.ToString());
        Assert.Equal(2, _error.ToString().Trim().Split('\n').Length); // what was read, and what is wrong
    }

    [Fact]
    public void Train_DryRun_PrintsTheOptions()
    {
        Assert.Equal(0, Run("segment train nowhere --out nothing --steps 77 --dry-run"));
        Assert.Equal(77, JsonNode.Parse(_output.ToString())!["steps"]!.GetValue<int>());
    }

    private void WriteSplitDataset() => DatasetFolder.WriteManifest(_pairs.In("data"),
        [.. _pairs.Write("data", 5, new(48, 40), split: "train"),
            .. _pairs.Write("data", 2, new(48, 40), seed: 3, split: "val")]);

    private int Run(string line) =>
        Application.Run([SegmentCommand.Create()], line.Split(' '), new Application.Surroundings
        {
            Output = _output, Error = _error,
        });
}
