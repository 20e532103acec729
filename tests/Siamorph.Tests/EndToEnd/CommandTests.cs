using System.Text.Json.Nodes;
using Siamorph.Cli;
using Siamorph.Data;
using Siamorph.Data.Folders;
using Siamorph.Data.Phantom;
using Siamorph.Experiment;
using Siamorph.Imaging;
using Siamorph.Training;

namespace Siamorph.Tests.EndToEnd;

/// <summary>The verbs one after another, through the command line, on a dozen tiny images with tiny networks.</summary>
public sealed class CommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly StringWriter _output = new(), _error = new();
    private readonly int _threads = TorchSharp.torch.get_num_threads();

    public void Dispose()
    {
        TorchSharp.torch.set_num_threads(_threads);
        _folder.Dispose();
        _output.Dispose();
        _error.Dispose();
    }

    [Fact]
    public void TrainSynthesizeSegmentExperimentReport_WorkOneAfterAnother()
    {
        var (data, run, synthetic, segmenter) = (_folder["data"], _folder["run"], _folder["synthetic"], _folder["segmenter"]);
        WriteSplitPhantom(data);
        var quick = Demo.Quick.Experiment;
        OptionsFile.Save(_folder["train.json"], quick.Generator);
        OptionsFile.Save(_folder["segment.json"], quick.Segmentation);
        OptionsFile.Save(_folder["experiment.json"], quick with { RealCounts = [0], Seeds = [5] });

        Succeeds("train", data, "--out", run, "--options", _folder["train.json"]);
        Succeeds("synthesize", run, "--masks", data, "--split", "train", "--count", "5", "--out", synthetic);
        var pairs = DatasetFolder.Read(synthetic).Pairs;
        Assert.Equal(5, pairs.Count);
        Assert.All(pairs, p => Assert.Equal(PairSource.Synthetic, p.Source));
        Assert.All(pairs, p => Assert.Equal(new ImageSize(32, 32), ImageFile.ReadRgb(p.ImagePath).Size));

        Succeeds("segment", "train", data, "--synthetic", synthetic, "--out", segmenter, "--options", _folder["segment.json"]);
        Succeeds("segment", "predict", segmenter, data, "--out", _folder["predictions"]);
        Succeeds("segment", "evaluate", "--truth", data, "--predictions", _folder["predictions"], "--json");
        Assert.InRange(JsonNode.Parse(_output.ToString())!["dice"]!.GetValue<double>(), 0, 1);

        Succeeds("experiment", data, "--out", _folder["experiment"], "--options", _folder["experiment.json"],
            "--segmentation-steps", "6");
        var report = _output.ToString().TrimEnd().Split(Environment.NewLine)[^1];
        Assert.Equal(_folder["experiment", "report.html"], report);
        Assert.Contains("segmentation.steps", File.ReadAllText(report), StringComparison.Ordinal);
        File.Delete(report);
        Succeeds("report", _folder["experiment"]);
        Assert.True(File.Exists(report));
    }

    [Fact]
    public void Demo_StoppedInTheMiddle_GoesOn_AndEndsWithTheSameResult()
    {
        var (whole, stopped) = (_folder["whole"], _folder["stopped"]);
        Succeeds("demo", whole, "--quick");
        var stages = Directory.GetDirectories(Path.Combine(whole, "stages")).Length;
        for (var interruptions = 0; ; interruptions++)
        {
            Assert.True(interruptions < 50, "The demo never ended.");
            using var stop = new StopAfter(Path.Combine(stopped, "stages"), interruptions + 1);
            var exitCode = Run(stop.Token, "demo", stopped, "--quick");
            if (exitCode == 0) break;
            Assert.Equal(130, exitCode);
            Assert.Contains("siamorph demo", _error.ToString(), StringComparison.Ordinal);
        }
        Assert.Equal(stages, Directory.GetDirectories(Path.Combine(stopped, "stages")).Length);
        string Result(string folder) =>
            File.ReadAllText(Path.Combine(folder, "results.json")).Replace(folder, "", StringComparison.Ordinal);
        Assert.Equal(Result(whole), Result(stopped));
    }

    [Fact]
    public void Demo_InAFolderWithOtherFiles_TouchesNothing()
    {
        Directory.CreateDirectory(_folder["mine"]);
        File.WriteAllText(_folder["mine", "thesis.txt"], "years of work");
        Assert.Equal(2, Run(CancellationToken.None, "demo", _folder["mine"], "--quick"));
        Assert.Contains("holds other files", _error.ToString(), StringComparison.Ordinal);
        Assert.Single(Directory.GetFileSystemEntries(_folder["mine"]));
    }

    [Theory]
    [InlineData("experiment /no/such/data --out X", "the folder does not exist")]
    [InlineData("experiment DATA --out X --arms real,magic", "'magic' is unknown")]
    [InlineData("experiment DATA --out X --real-counts 5000", "5000 real pairs are asked for")]
    [InlineData("experiment DATA --out X --seeds one", "expected a whole number")]
    [InlineData("experiment DATA", "--out")]
    [InlineData("report X", "results.json")]
    public void BadInput_IsToldInOneLine(string line, string expected)
    {
        if (line.Contains("DATA", StringComparison.Ordinal)) WriteSplitPhantom(_folder["data"]);
        var arguments = line.Split(' ')
            .Select(a => a switch { "DATA" => _folder["data"], "X" => _folder["x"], _ => a }).ToArray();
        Assert.Equal(2, Run(CancellationToken.None, arguments));
        var lines = _error.ToString().TrimEnd().Split(Environment.NewLine)
            .Where(l => l.StartsWith("siamorph:", StringComparison.Ordinal));
        Assert.Contains(expected, Assert.Single(lines), StringComparison.Ordinal);
    }

    [Fact]
    public void Experiment_OnDataWithACorruptPicture_NamesIt_AndWritesNoResult()
    {
        WriteSplitPhantom(_folder["data"]);
        var victim = Directory.GetFiles(_folder["data", "images"]).Order().First();
        File.WriteAllBytes(victim, File.ReadAllBytes(victim)[..200]);
        Assert.Equal(2, Run(CancellationToken.None, "experiment", _folder["data"], "--out", _folder["x"]));
        Assert.Contains(Path.GetFileName(victim), _error.ToString(), StringComparison.Ordinal);
        Assert.False(File.Exists(_folder["x", "results.json"]));
    }

    private static void WriteSplitPhantom(string folder)
    {
        var phantom = PhantomDataset.Write(folder, new PhantomOptions
        {
            Count = 12, Size = new ImageSize(32, 32), FramesPerCase = 1,
        }, NullMonitor.Instance);
        DatasetFolder.WriteManifest(folder, phantom.Pairs.Select((p, i) => p with
        {
            Split = i < 6 ? "train" : i < 9 ? "val" : "test",
        }));
    }

    private void Succeeds(params string[] arguments)
    {
        var exitCode = Run(CancellationToken.None, arguments);
        Assert.True(exitCode == 0, $"{string.Join(' ', arguments)}: {exitCode}{Environment.NewLine}{_error}");
    }

    private int Run(CancellationToken cancellation, params string[] arguments)
    {
        _output.GetStringBuilder().Clear();
        _error.GetStringBuilder().Clear();
        // One thread: these networks are so small that two would mostly wait for each other.
        return Application.Run(Program.Verbs(), [.. arguments, "--threads", "1"], new Application.Surroundings
        {
            Output = _output, Error = _error, Cancellation = cancellation,
        });
    }

    /// <summary>Asks to stop as soon as a number of stages have been begun: in the middle of the last of them.</summary>
    private sealed class StopAfter : IDisposable
    {
        private readonly CancellationTokenSource _source = new();
        private readonly Timer _timer;

        public StopAfter(string folder, int stages) => _timer = new Timer(_ =>
        {
            if (Directory.Exists(folder) && Directory.GetFiles(folder, "log.jsonl", SearchOption.AllDirectories).Length >= stages)
                _source.Cancel();
        }, null, 0, 5);

        public CancellationToken Token => _source.Token;

        public void Dispose()
        {
            using var ended = new ManualResetEvent(false);
            if (_timer.Dispose(ended)) ended.WaitOne();
            _source.Dispose();
        }
    }
}
