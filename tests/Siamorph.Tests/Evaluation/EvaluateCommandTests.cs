using System.Text.Json.Nodes;
using Siamorph.Cli;
using Siamorph.Data;
using Siamorph.Data.Folders;
using Siamorph.Evaluation;
using Siamorph.Imaging;
using Siamorph.Tests.Segmentation;

namespace Siamorph.Tests.Evaluation;

public sealed class EvaluateCommandTests : IDisposable
{
    private readonly TinyPairs _pairs = new();
    private readonly StringWriter _output = new(), _error = new();

    public void Dispose() => _pairs.Dispose();

    [Fact]
    public void SelfTest_OnThisMachine_FindsWhatItExpects()
    {
        Assert.All(SelfTest.Run(), line => Assert.True(line.Passed, line.ToString()));
        Assert.Equal(0, Run("evaluate selftest"));
        Assert.Contains("as expected", _output.ToString());
    }

    [Fact]
    public void Masks_OfItsOwnTruth_ScoreFull()
    {
        _pairs.Write("data", 4, new(48, 40));
        Assert.Equal(0, Run($"evaluate masks --truth {_pairs.In("data")} --predictions {_pairs.In("data/masks")} --protocol "
            + $"plain@0.5 --out {_pairs.In("out")}"));
        Assert.Contains("weighted F", _output.ToString());
        var json = JsonNode.Parse(File.ReadAllText(_pairs.In("out/results.json")))!;
        Assert.Equal(1, json["all"]!["dice"]!.GetValue<double>());
        Assert.Equal(4, json["images"]!.AsArray().Count);
        Assert.Contains("<svg", File.ReadAllText(_pairs.In("out/evaluation.html")));
        _output.GetStringBuilder().Clear();
        Assert.Equal(0, Run($"evaluate masks --truth {_pairs.In("data/masks")} --predictions {_pairs.In("data/masks")} --json"));
        Assert.Equal("pranet", JsonNode.Parse(_output.ToString())!["options"]!["protocol"]!.GetValue<string>());
    }

    [Fact]
    public void Masks_ThatDontFit_AreNamedInALineEach()
    {
        _pairs.Write("data", 4, new(48, 40));
        _pairs.Write("other", 4, new(24, 20));
        var (truth, found) = (_pairs.In("data"), _pairs.In("other/masks"));
        Assert.Equal(2, Run($"evaluate masks --truth {truth} --predictions {found}"));
        Assert.Contains("000.png: is 24×20, its truth 48×40", _error.ToString());
        Assert.Equal(4, Lines());
        Assert.Equal(0, Run($"evaluate masks --truth {truth} --predictions {found} --resize-predictions"));
        File.Delete(Path.Combine(found, "001.png"));
        File.Move(Path.Combine(found, "002.png"), Path.Combine(found, "else.png"));
        _error.GetStringBuilder().Clear();
        Assert.Equal(2, Run($"evaluate masks --truth {truth} --predictions {found}"));
        Assert.Contains("no prediction here for 2 truths (001, 002)", _error.ToString());
        Assert.Contains("no truth here for 1 prediction (else)", _error.ToString());
        Assert.Equal(2, Lines());
        _error.GetStringBuilder().Clear();
        File.WriteAllBytes(_pairs.In("data/masks/003.png"), [1, 2, 3]);
        Assert.Equal(2, Run($"evaluate masks --truth {_pairs.In("data/masks")} --predictions {_pairs.In("data/masks")}"));
        Assert.Equal(1, Lines());
    }

    [Fact]
    public void Images_WithoutWeights_AreComparedByRadiomics()
    {
        _pairs.Write("real", 9, new(48, 40));
        DatasetFolder.WriteManifest(_pairs.In("made"),
            _pairs.Write("made", 8, new(48, 40), seed: 5, source: PairSource.Synthetic));
        var line = $"evaluate images --real {_pairs.In("real")} --synthetic {_pairs.In("made")} --out {_pairs.In("out")} --cache "
            + $"{_pairs.In("cache")} --pairs 2";
        Assert.Equal(0, Run(line));
        Assert.Contains("not computed: needs the weight file of FID-Inception", _output.ToString());
        var first = JsonNode.Parse(File.ReadAllText(_pairs.In("out/results.json")))!;
        Assert.Equal(5, first["morphology"]!.AsArray().Count);
        Assert.Equal(17, first["map"]!.AsArray().Count);
        Assert.Equal(17, first["speeds"]![0]!["computed"]!.GetValue<int>());
        Assert.Contains("<svg", File.ReadAllText(_pairs.In("out/evaluation.html")));
        Assert.Equal(0, Run(line));
        var second = JsonNode.Parse(File.ReadAllText(_pairs.In("out/results.json")))!;
        Assert.Equal(17, second["speeds"]![0]!["known"]!.GetValue<int>());
        Assert.Equal(first["measures"]!.ToJsonString(), second["measures"]!.ToJsonString());
    }

    [Fact]
    public void Images_ThatAreDamaged_AreNamedInALineEach()
    {
        _pairs.Write("real", 7, new(48, 40));
        _pairs.Write("made", 7, new(48, 40), seed: 5);
        File.WriteAllBytes(_pairs.In("made/images/001.png"), [1, 2, 3]);
        ImageFile.WriteMaskPng(_pairs.In("made/masks/002.png"), new(new(10, 10)));
        Assert.Equal(2, Run($"evaluate images --real {_pairs.In("real")} --synthetic {_pairs.In("made")}"));
        Assert.Equal(2, Lines());
        Assert.Contains("002.png: mask is 10×10, its image 48×40", _error.ToString());
        _error.GetStringBuilder().Clear();
        Assert.Equal(2, Run($"evaluate images --real {_pairs.In("real")} --synthetic {_pairs.In("nowhere")}"));
        Assert.Equal(2, Run($"evaluate images --real {_pairs.In("real")} --synthetic {_pairs.In("made")} --neighbours 50"));
        Assert.Contains("too few", _error.ToString());
        Assert.Equal(2, Lines());
    }

    private int Lines() => _error.ToString().Split('\n').Count(l => l.StartsWith("siamorph:", StringComparison.Ordinal));

    private int Run(string line) =>
        Application.Run([EvaluateCommand.Create()], line.Split(' '), new Application.Surroundings
        {
            Output = _output, Error = _error,
        });
}
