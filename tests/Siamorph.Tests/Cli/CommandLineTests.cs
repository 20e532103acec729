using System.CommandLine;
using Siamorph.Cli;
using Siamorph.Imaging;
using Siamorph.Training;

namespace Siamorph.Tests.Cli;

/// <summary>What every verb has in common, shown on verbs made for the purpose.</summary>
public sealed class CommandLineTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly StringWriter _output = new(), _error = new();
    private SampleOptions? _seen;

    public enum Mode { Quick, VeryThorough }

    public sealed record Nested
    {
        public double Rate { get; init; } = 0.5;
        public bool Flip { get; init; } = true;
    }

    public sealed record SampleOptions
    {
        public int BatchSize { get; init; } = 16;
        [FormerName("mood", "slow", "veryThorough")]
        public Mode Mode { get; init; }
        public string Name { get; init; } = "x";
        public Seed Seed { get; init; } = new(7);
        public ImageSize Size { get; init; } = new(64, 64);
        public int? Limit { get; init; }
        public IReadOnlyList<int> Counts { get; init; } = [50, 200];
        public Nested Batches { get; init; } = new();

        public void Validate()
        {
            if (BatchSize < 1) throw new InvalidOptionsException(["batchSize must be 1 or more.", "and this is a second fault."]);
        }
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("nonsense", "'nonsense' is not a command of 'siamorph'.")]
    [InlineData("smaple in", "Did you mean 'sample'?")]
    [InlineData("sample in --batch-sise 3", "'--batch-sise' is not an option of 'siamorph sample'. Did you mean '--batch-size'?")]
    [InlineData("sample --batch-sise in", "'--batch-sise' is not an option of 'siamorph sample'. Did you mean '--batch-size'?")]
    [InlineData("sample --other", "'--other' is not an option of 'siamorph sample'.")]
    [InlineData("sample in out", "'out' is an unexpected argument for 'siamorph sample'.")]
    [InlineData("sample", "<input> is missing.")]
    [InlineData("sample in --name", "--name needs a value.")]
    [InlineData("demand", "--out is missing.")]
    [InlineData("group", "'siamorph group' needs a command: inner.")]
    [InlineData("group other", "'other' is not a command of 'siamorph group'.")]
    [InlineData("sample in --threads many", "--threads many: expected a whole number")]
    [InlineData("sample in --threads 0", "--threads 0")]
    [InlineData("sample in --batch-size many", "--batch-size many: expected a whole number in the valid range.")]
    [InlineData("sample in --mode slow", "--mode slow: expected one of quick, veryThorough.")]
    [InlineData("sample in --size 5x", "'size' does not fit")]
    [InlineData("sample in --preset huge", "--preset huge: unknown; use one of tiny, small.")]
    [InlineData("sample in --options /no/such/file.json", "can't be read")]
    [InlineData("sample in --set batches.rat=1", "--set batches.rat: unknown option. Did you mean batches.rate?")]
    [InlineData("sample in --set batches.rate=0,1", "--set batches.rate 0,1: expected a number")]
    [InlineData("sample in --set batches.flip=yes", "--set batches.flip yes: expected true or false.")]
    [InlineData("sample in --set mode=slow", "--set mode slow: expected one of quick, veryThorough.")]
    [InlineData("sample in --set batchSize=null", "--set batchSize null: expected a whole number")]
    [InlineData("sample in --set batchSize", "write key=value")]
    [InlineData("sample in --mood slow", "'--mood' is called --mode now (slow is veryThorough).")]
    [InlineData("sample in --mood=slow", "is called --mode now")]
    [InlineData("sample in --set mood=slow", "--set mood: this option is called mode now (slow is veryThorough).")]
    [InlineData("fail input", "siamorph: images/a.png: broken.")]
    [InlineData("fail io", "disk")]
    public void BadInput_IsOneLineAndExitCode2(string line, string expected)
    {
        Assert.Equal(2, Run(line));
        Assert.Contains(expected, _error.ToString(), StringComparison.Ordinal);
        Assert.StartsWith("siamorph: ", _error.ToString(), StringComparison.Ordinal);
        Assert.Single(_error.ToString().TrimEnd().Split('\n'));
        Assert.Empty(_output.ToString());
    }

    [Fact]
    public void SeveralFaults_AreALineEach()
    {
        Assert.Equal(2, Run("sample in --batch-size 0"));
        Assert.Equal(["siamorph: batchSize must be 1 or more.", "siamorph: and this is a second fault."], ErrorLines());
    }

    [Fact]
    public void Flags_Files_AndPresets_OverrideInThatOrder()
    {
        File.WriteAllText(_folder["o.json"], "{ \"BatchSize\": 5, \"name\": \"file\", \"batches\": { \"rate\": 0.75 } }");
        var flags = "--name flag --mode very-thorough --seed 18446744073709551615 --size 32x48 --limit 3 --counts 1,2,3 "
            + "--batches-flip false";
        Assert.Equal(0, Run($"sample in --preset small --options {_folder["o.json"]} {flags}"));
        Assert.Equal("flag", _seen!.Name);
        Assert.Equal(5, _seen.BatchSize);
        Assert.Equal(Mode.VeryThorough, _seen.Mode);
        Assert.Equal(ulong.MaxValue, _seen.Seed.Value);
        Assert.Equal(new ImageSize(32, 48), _seen.Size);
        Assert.Equal(3, _seen.Limit);
        Assert.Equal([1, 2, 3], _seen.Counts);
        Assert.Equal(new Nested { Rate = 0.75, Flip = false }, _seen.Batches);
    }

    [Fact]
    public void Preset_GivesItsDefaults_AlsoToHalfGivenNestedRecords()
    {
        File.WriteAllText(_folder["o.json"], "{ \"batches\": { \"flip\": false } }");
        Assert.Equal(0, Run($"sample in --preset small --options {_folder["o.json"]}"));
        Assert.Equal(128, _seen!.Size.Width);
        Assert.Equal(new Nested { Rate = 0.125, Flip = false }, _seen.Batches);
    }

    [Fact]
    public void UnknownKeyInOptionsFile_NamesTheFile()
    {
        File.WriteAllText(_folder["o.json"], "{ \"batchSice\": 5 }");
        Assert.Equal(2, Run($"sample in --options {_folder["o.json"]}"));
        Assert.Equal($"siamorph: {_folder["o.json"]}: unknown option 'batchSice'; did you mean 'batchSize'?",
            Assert.Single(ErrorLines()));
    }

    [Fact]
    public void DryRun_PrintsOptionsThatOptionsReads_AndStops()
    {
        Assert.Equal(0, Run("sample in --batch-size 9 --dry-run"));
        Assert.Null(_seen);
        File.WriteAllText(_folder["o.json"], _output.ToString());
        Assert.Equal(9, OptionsFile.Load<SampleOptions>(_folder["o.json"]).BatchSize);
    }

    [Fact]
    public void Stopped_SaysHowToGoOn()
    {
        Assert.Equal(130, Run("stop"));
        Assert.Equal("siamorph: stopped. Continue with: siamorph stop --resume", Assert.Single(ErrorLines()));
    }

    [Fact]
    public void UnexpectedFailure_IsOneLine_AndVerboseShowsTheStack()
    {
        Assert.Equal(70, Run("fail bug"));
        Assert.StartsWith("siamorph: unexpected failure: InvalidOperationException: oh", Assert.Single(ErrorLines()),
            StringComparison.Ordinal);
        Assert.Equal(70, Run("fail bug --verbose"));
        Assert.Contains($"at {typeof(CommandLineTests).FullName}", _error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void UnexpectedFailure_KeepsTheDetails()
    {
        var surroundings = new Application.Surroundings { Output = _output, Error = _error, FailureFolder = _folder["kept"] };
        Assert.Equal(70, Application.Run(SampleVerbs(), ["fail", "bug"], surroundings));
        var path = Assert.Single(Directory.GetFiles(_folder["kept"]));
        Assert.Contains(path, Assert.Single(ErrorLines()), StringComparison.Ordinal);
        Assert.Contains($"at {typeof(CommandLineTests).FullName}", File.ReadAllText(path), StringComparison.Ordinal);
    }

    [Fact]
    public void Set_TakesAnyOptionByItsKey_AndAFlagOverridesIt()
    {
        Assert.Equal(0, Run("sample in --set batches.rate=0.25 --set counts=1,2 --set limit=null --set mode=veryThorough --set "
            + "batchSize=3 --batch-size 4"));
        Assert.Equal((0.25, Mode.VeryThorough, null, 4), (_seen!.Batches.Rate, _seen.Mode, _seen.Limit, _seen.BatchSize));
        Assert.Equal([1, 2], _seen.Counts);
    }

    [Fact]
    public void OptionsHelp_ListsEveryOption_WhateverElseIsMissing()
    {
        Assert.Equal(0, Run("sample --options-help"));
        Assert.Contains("batches.rate <n>   --batches-rate", _output.ToString(), StringComparison.Ordinal);
        _output.GetStringBuilder().Clear();
        Assert.Equal(0, Application.Run(Program.Verbs(), ["experiment", "--options-help"], Surroundings()));
        Assert.Contains("generator.siamese.learningRate <n>", _output.ToString(), StringComparison.Ordinal);
        // Hidden there, and works all the same
        Assert.DoesNotContain("generator-siamese-learning-rate", Help("experiment"), StringComparison.Ordinal);
    }

    [Fact]
    public void Help_OfEveryVerb_ShowsAtMost25FlagsOfItsOwn()
    {
        foreach (var path in Paths(Program.Verbs(), []))
        {
            var own = Help(path).Split('\n')
                .Count(l => l.TrimStart().StartsWith('-')
                && !new[] { "--threads", "--no-kernels", "--verbose", "--progress", "--help",
                "-?" }.Any(g => l.TrimStart().StartsWith(g, StringComparison.Ordinal)));
            Assert.True(own <= 25, $"siamorph {string.Join(' ', path)}: {own} flags");
        }
    }

    private static IEnumerable<string[]> Paths(IEnumerable<Command> verbs, string[] above) =>
        verbs.SelectMany(v => Paths(v.Subcommands, [.. above, v.Name]).Prepend([.. above, v.Name]));

    private string Help(params string[] verb)
    {
        _output.GetStringBuilder().Clear();
        Assert.Equal(0, Application.Run(Program.Verbs(), [.. verb, "--help"], Surroundings()));
        return _output.ToString();
    }

    [Fact]
    public void Help_ShowsFlagsWithDefaults()
    {
        Assert.Equal(0, Run("sample --help"));
        Assert.Contains("--batches-rate <n>", _output.ToString(), StringComparison.Ordinal);
        Assert.Contains("[default: 50,200]", _output.ToString(), StringComparison.Ordinal);
        Assert.Equal(0, Run(""));
        Assert.Contains("sample", _output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Progress_OfAPipe_IsPlainLinesOnStandardError()
    {
        Assert.Equal(0, Run("work"));
        Assert.Equal("a note", ErrorLines()[0]);
        Assert.Matches(@"^Steps: 100/100, took [0-9.]+ s · loss 0\.5$", ErrorLines()[1]);
        Assert.Equal("result", _output.ToString().Trim());
    }

    [Fact]
    public void ProgressFile_HoldsEveryStageAndNote_AsLinesOfJson_AndNoReportTooOften()
    {
        Assert.Equal(0, Run($"work --progress {_folder["p/progress.jsonl"]}"));
        var lines = File.ReadAllLines(_folder["p/progress.jsonl"])
            .Select(l => System.Text.Json.JsonDocument.Parse(l).RootElement).ToList();
        string Kind(int i) => lines[i].GetProperty("kind").GetString()!;
        Assert.Equal(("note", "a note"), (Kind(0), lines[0].GetProperty("title").GetString()));
        Assert.Equal(("begin", 100), (Kind(1), lines[1].GetProperty("total").GetInt32()));
        Assert.Equal(("end", 100), (Kind(lines.Count - 1), lines[^1].GetProperty("done").GetInt32()));
        Assert.Equal("a note", ErrorLines()[0]); // the console hears the same
        using (var file = new ProgressFile(NullMonitor.Instance, _folder["many.jsonl"]))
        using (var stage = file.Begin("Steps", 1000))
            for (var i = 1; i <= 1000; i++) stage.Report(i);
        var reports = File.ReadAllLines(_folder["many.jsonl"])
            .Count(l => l.Contains("\"kind\":\"report\"", StringComparison.Ordinal));
        Assert.InRange(reports, 2, 100); // the first and the last, and few between
    }

    [Theory]
    [InlineData(0.42, "0.4 s")]
    [InlineData(42, "42 s")]
    [InlineData(185, "3 min 5 s")]
    [InlineData(7805, "2 h 10 min")]
    public void Duration_IsReadable(double seconds, string expected) =>
        Assert.Equal(expected, Siamorph.Cli.Duration.Text(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public void ListedVerbs_AllShowHelp_AndNoneTakesTheSameName()
    {
        var verbs = Program.Verbs();
        Assert.Equal(verbs.Count, verbs.Select(v => v.Name).Distinct().Count());
        Assert.All(verbs, v => Assert.Equal(0, Application.Run(Program.Verbs(), [v.Name, "--help"], Surroundings())));
    }

    [Fact]
    public void RealVerbs_NonsenseIsRefused()
    {
        Assert.Equal(2, Application.Run(Program.Verbs(), ["nonsense"], Surroundings()));
        Assert.Single(ErrorLines());
    }

    private int Run(string line)
    {
        _error.GetStringBuilder().Clear();
        return Application.Run(SampleVerbs(), line.Split(' ', StringSplitOptions.RemoveEmptyEntries), Surroundings());
    }

    private Application.Surroundings Surroundings() => new() { Output = _output, Error = _error };

    private string[] ErrorLines() => _error.ToString().TrimEnd().Split(Environment.NewLine);

    private Command[] SampleVerbs()
    {
        var kind = new Argument<string>("kind");
        var presets = new Dictionary<string, SampleOptions>
        {
            ["tiny"] = new(),
            ["small"] = new() { Size = new(128, 128), Batches = new Nested { Rate = 0.125 } },
        };
        var binder = new OptionsBinder<SampleOptions>(presets, o => o.Validate());
        return
        [
            new Command("sample", "Sees its options.")
            {
                new Argument<string>("input"),
            }.Runs(binder, (_, options) => _seen = options),
            new Command("group", "Holds a verb.") { new Command("inner", "Does nothing.").Runs(_ => { }) },
            new Command("demand", "Needs an option.") { new Option<string>("--out") { Required = true } }.Runs(_ => { }),
            new Command("fail", "Fails.") { kind }.Runs(context => throw Failure(context.Get(kind))),
            new Command("stop", "Is stopped.").Runs(context =>
            {
                context.GoOnWith = "siamorph stop --resume";
                throw new OperationCanceledException();
            }),
            new Command("work", "Works.").Runs(context =>
            {
                context.Monitor.Note("a note");
                using (var stage = context.Monitor.Begin("Steps", 100)) stage.Report(100, "loss 0.5");
                context.Out.WriteLine("result");
            }),
        ];
    }

    private static Exception Failure(string kind) => kind switch
    {
        "input" => new InvalidDatasetException("images/a.png: broken."),
        "io" => new IOException("the disk is full"),
        _ => new InvalidOperationException("oh\nno"),
    };
}
