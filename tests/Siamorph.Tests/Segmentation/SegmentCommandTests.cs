using System.Text.Json.Nodes;
using Siamorph.Cli;
using Siamorph.Data;

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
        DatasetFolder.WriteManifest(_pairs.In("made"), _pairs.Write("made", 3, new(48, 40), seed: 7, source: PairSource.Synthetic));
        const string small = "--network-width 2 --image-size 32x32 --steps 3 --batch-size 2";
        Assert.Equal(0, Run($"segment train {_pairs.In("data")} --out {_pairs.In("run")} --synthetic {_pairs.In("made")} --synthetic-fraction 0.5 {small}"));
        Assert.Contains("Best validation Dice", _output.ToString());
        Assert.Equal(0, Run($"segment predict {_pairs.In("run")} {_pairs.In("data")} --out {_pairs.In("found")}"));
        Assert.Equal(0, Run($"segment evaluate --truth {_pairs.In("data")} --predictions {_pairs.In("found")} --out {_pairs.In("scores.json")}"));
        Assert.Contains("E-measure", _output.ToString());
        _output.GetStringBuilder().Clear();
        Assert.Equal(0, Run($"segment evaluate --truth {_pairs.In("data")} --predictions {_pairs.In("found")} --json"));
        var scores = JsonNode.Parse(_output.ToString())!;
        Assert.Equal(7, scores["count"]!.GetValue<int>());
        Assert.Equal(7, scores["images"]!.AsArray().Count);
        Assert.Equal(scores.ToJsonString(), JsonNode.Parse(File.ReadAllText(_pairs.In("scores.json")))!.ToJsonString());
        Assert.Equal(0, Run($"segment train {_pairs.In("data")} --out {_pairs.In("run")} --synthetic {_pairs.In("made")} --options {_pairs.In("run/options.json")} --resume"));
    }

    [Fact]
    public void Train_WithoutValidationSplit_SaysWhatToDo()
    {
        DatasetFolder.WriteManifest(_pairs.In("data"), _pairs.Write("data", 2, new(32, 32)));
        Assert.Equal(2, Run($"segment train {_pairs.In("data")} --out {_pairs.In("run")}"));
        Assert.Contains("siamorph data split", _error.ToString());
        Assert.Single(_error.ToString().Trim().Split('\n'));
    }

    [Fact]
    public void Train_DryRun_PrintsTheOptions()
    {
        Assert.Equal(0, Run("segment train nowhere --out nothing --steps 77 --dry-run"));
        Assert.Equal(77, JsonNode.Parse(_output.ToString())!["steps"]!.GetValue<int>());
    }

    private void WriteSplitDataset() => DatasetFolder.WriteManifest(_pairs.In("data"),
        [.. _pairs.Write("data", 5, new(48, 40), split: "train"), .. _pairs.Write("data", 2, new(48, 40), seed: 3, split: "val")]);

    private int Run(string line) =>
        Application.Run([SegmentCommand.Create()], line.Split(' '), new Application.Surroundings { Output = _output, Error = _error });
}
