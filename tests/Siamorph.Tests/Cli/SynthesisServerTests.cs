using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Siamorph.Cli;
using Siamorph.Data;
using Siamorph.Synthesis;
using Siamorph.Tests.Siamese;

namespace Siamorph.Tests.Cli;

public sealed class SynthesisServerTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private readonly TemporaryFolder _folder = new();
    private readonly ImageMaskPair _mask;

    public SynthesisServerTests() => _mask = SmallSetting.TrainedRun(_folder.Path, count: 4)[0];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void BadRequests_AreAnsweredInOneLine_AndSurvived()
    {
        var good = Good();
        var answers = Serve(
            "{", "7", "null", """{"sead":1}""", "{}", """{"mask":{}}""", """{"mask":{"bits":"AA==","width":9,"height":9}}""",
            """{"mask":{"png":"AAAA"}}""", """{"mask":{"png":"no base64"}}""",
            With(good, "start", "paste"), With(good, "start", 1), With(good, "start", "real"), With(good, "steps", 0),
            With(good, "steps", 100000),
            With(good, "strength", 2), With(good, "prompt", "of a cat"), With(good, "id", ""), With(good, "number", -1),
            good.ToJsonString());
        Assert.NotNull(answers[0].Model);
        Assert.All(answers.Skip(1).SkipLast(1), a => Assert.False(string.IsNullOrEmpty(a.Error)));
        Assert.Equal(18, answers.Count - 2);
        Assert.Null(answers[^1].Error);
        Assert.NotNull(answers[^1].Image);
    }

    [Fact]
    public void Answers_BearWhatTheRequestSaid_InTheOrderOfTheRequests()
    {
        var answers = Serve(With(Good(), "request", "a"), With(Good(), "request", new JsonObject
        {
            ["tab"] = 2,
        }), """{"request":3}""");
        Assert.Equal(["\"a\"", """{"tab":2}""", "3"], answers.Skip(1).Select(a => a.Request!.ToJsonString()));
        Assert.Equal(answers[1].Image, answers[2].Image);
        Assert.Contains("mask is missing", answers[3].Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Stop_EndsTheDrawingUnderWay()
    {
        using var synthesizer = new SynthesisSession(_folder["run"], new());
        using var reader = new TricklingReader();
        var lines = new List<DrawAnswer>();
        using var writer = new ListeningWriter(line =>
        {
            lines.Add(JsonSerializer.Deserialize<DrawAnswer>(line, DrawRequest.Json)!);
            if (lines[^1].Model is not null) reader.Add(With(With(Good(), "previewEvery", 1), "steps", 900));
            if (lines[^1].Preview is not null && lines.Count == 2) reader.Add("""{"stop":true}""");
            if (lines[^1].Error is not null) reader.End();
        });
        new SynthesisServer(synthesizer, reader, writer).Run(TestContext.Current.CancellationToken);
        Assert.Equal("stopped.", lines[^1].Error);
        Assert.True(lines.Count < 800, $"{lines.Count} answers");
    }

    [Fact]
    public async Task Process_PrintsAnswersAlone_AndEndsWithItsInput()
    {
        var start = new ProcessStartInfo("dotnet",
            [Path.Combine(AppContext.BaseDirectory, "Siamorph.Cli.dll"), "synthesize", "--serve", _folder["run"], "--steps", "2"])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        process.StandardInput.WriteLine(Good().ToJsonString());
        var answers = new[] { process.StandardOutput.ReadLine()!, process.StandardOutput.ReadLine()! }.Select(l =>
            JsonSerializer.Deserialize<DrawAnswer>(l, DrawRequest.Json)!).ToList();
        Assert.Equal((2, 32), (answers[0].Model!.Steps, answers[0].Model!.ImageSize));
        Assert.NotNull(answers[1].Image);
        Assert.False(process.HasExited);
        process.StandardInput.Close();
        Assert.True(process.WaitForExit(Patience));
        Assert.Equal((0, "", ""), (process.ExitCode,
            await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), await errors));
    }

    private JsonObject Good() => new()
    {
        ["id"] = _mask.Id, ["prompt"] = _mask.Prompt, ["steps"] = 2, ["mask"] = new JsonObject
        {
            ["png"] = Convert.ToBase64String(File.ReadAllBytes(_mask.MaskPath)),
        },
    };

    private static string With(JsonObject request, string key, JsonNode value) =>
        new JsonObject(request.DeepClone().AsObject().ToDictionary(p => p.Key, p => p.Value?.DeepClone()))
        {
            [key] = value,
        }.ToJsonString();

    private static string With(string request, string key, JsonNode value) =>
        With(JsonNode.Parse(request)!.AsObject(), key, value);

    private List<DrawAnswer> Serve(params string[] lines)
    {
        using var synthesizer = new SynthesisSession(_folder["run"], new());
        using var output = new StringWriter();
        using var input = new StringReader(string.Join('\n', lines));
        new SynthesisServer(synthesizer, input, output).Run(CancellationToken.None);
        return [.. output.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries)
            .Select(l => JsonSerializer.Deserialize<DrawAnswer>(l, DrawRequest.Json)!)];
    }

    // Lines that arrive one after another.
    private sealed class TricklingReader : TextReader
    {
        private readonly System.Collections.Concurrent.BlockingCollection<string> _lines = [];

        public void Add(string line) => _lines.Add(line);

        public void End() => _lines.CompleteAdding();

        public override string? ReadLine() => _lines.TryTake(out var line, Timeout.Infinite) ? line : null;

        protected override void Dispose(bool disposing)
        {
            _lines.Dispose();
            base.Dispose(disposing);
        }
    }

    private sealed class ListeningWriter(Action<string> listen) : StringWriter
    {
        public override void WriteLine(string? value) => listen(value!);
    }
}
