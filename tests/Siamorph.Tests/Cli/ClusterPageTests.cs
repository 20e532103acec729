using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Siamorph.Data.Phantom;
using Siamorph.Experiment;
using Siamorph.Experiment.Scheduling;
using Siamorph.Imaging;
using Siamorph.Tests.Experiment;

namespace Siamorph.Tests.Cli;

/// <summary>
/// The commands by which docs/how-to/cluster.md turns plan.json into the files of other schedulers, as they are printed there.
/// `jq` is the real one; `nextflow` and `argo` are stand-ins that keep what they are given.
/// </summary>
public sealed partial class ClusterPageTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly IReadOnlyList<PlannedWork> _plan;

    public ClusterPageTests()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("The stand-ins are shell scripts.");
        if (!Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(p => File.Exists(Path.Combine(p, "jq"))))
            Assert.Skip("jq is not installed.");
        WritePhantom("data", 24, new Seed(1));
        WritePhantom("more", 5, new Seed(99));
        var options = new ExperimentOptions
        {
            Data = _folder["data"], RealCounts = [4], Seeds = [1, 2], SeedScope = SeedScope.Everything,
            Arms = ["real", "real+synthetic", "gated", "predicted-shapes"],
            Split = new() { Train = 0.5, Val = 0.25, Test = 0.25, KeepNearDuplicates = false },
        };
        options = options with { Generator = options.Generator with { Unlabelled = _folder["more", "images"] } };
        _plan = ExperimentRunner.Plan(options, _folder["EXP"], NullMonitor.Instance, new FakeStageRunner());
        // Without stages that need none, one and several, a comparison with the plan would show little.
        Assert.Superset(new HashSet<int> { 0, 1, 2 }, _plan.Select(w => w.Needs.Count).ToHashSet());
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Nextflow_CallsEveryStageOnce_AfterExactlyItsNeeds()
    {
        StandIn("nextflow", "echo \"$@\" >words");
        RunCommandsOf("Nextflow");
        Assert.Equal($"run main.nf --exp {_folder["EXP"]}", File.ReadAllText(_folder["words"]).TrimEnd());

        var lines = File.ReadAllLines(_folder["main.nf"]);
        Assert.Equal([.. _plan.Select((_, i) => $"include {{ stage as s{i} }} from \"./stage\""),
            "include { results } from \"./stage\"", "workflow {"], lines[..(_plan.Count + 2)]);
        var calls = lines[(_plan.Count + 2)..^2].Select(l => StageCall().Match(l)).ToList();
        Assert.All(calls, c => Assert.True(c.Success, c.Value));
        Assert.Equal(_plan.Select((w, i) => ($"s{i}", w.Stage)), calls.Select(c => (c.Groups[1].Value, c.Groups[2].Value)));
        Assert.Equal(_plan.Select(w => w.Needs), calls.Select(c => StagesOf(c.Groups[3].Value)));
        var results = Regex.Match(lines[^2], @"^    results\((.+)\)$");
        Assert.Equal(_plan.Select(w => w.Stage), StagesOf(results.Groups[1].Value));
        Assert.Equal("}", lines[^1]);
    }

    [Fact]
    public void Argo_IsGivenOneWorkflow_WhoseTasksDependOnExactlyTheirNeeds()
    {
        StandIn("argo", "echo \"$@\" >words; cat >workflow.json");
        RunCommandsOf("Argo Workflows");
        Assert.Equal("submit -", File.ReadAllText(_folder["words"]).TrimEnd());

        var spec = JsonNode.Parse(File.ReadAllText(_folder["workflow.json"]))!["spec"]!; // throws if there is more than one
        var templates = spec["templates"]!.AsArray().ToDictionary(t => (string)t!["name"]!, t => t!);
        var tasks = templates[(string)spec["entrypoint"]!]["dag"]!["tasks"]!.AsArray();
        Assert.Equal([.. _plan.Select(w => w.Stage), "results"], tasks.Select(t => (string)t!["name"]!));
        Assert.Equal([.. _plan.Select(w => w.Needs), _plan.Select(w => w.Stage)], tasks.Select(t => Texts(t!["dependencies"]!)));
        Assert.Equal(_plan.Select(w => w.Stage), tasks.SkipLast(1).Select(t =>
            (string)t!["arguments"]!["parameters"]!.AsArray().Single()!["value"]!));
        Assert.Equal([.. _plan.Select(_ => "stage"), "collect"], tasks.Select(t => (string)t!["template"]!));
        Assert.Equal(["experiment", "stage", "/data/EXP", "{{inputs.parameters.stage}}", "--threads", "4"],
            Texts(templates["stage"]["container"]!["args"]!));
        Assert.Equal(["experiment", "collect", "/data/EXP"], Texts(templates["collect"]["container"]!["args"]!));
    }

    [Fact]
    public void KubernetesWaves_HoldEveryStageOnce_RightAfterTheLastOfItsNeeds()
    {
        RunCommandsOf("Kubernetes without Argo");
        var files = Directory.GetFiles(_folder["EXP"], "wave-*.txt");
        var waves = Enumerable.Range(0, files.Length).Select(i => File.ReadAllLines(_folder["EXP", $"wave-{i}.txt"])).ToList();
        Assert.Equal(_plan.Select(w => w.Stage).Order(), waves.SelectMany(w => w).Order());
        int WaveOf(string stage) => waves.FindIndex(w => w.Contains(stage));
        Assert.Contains(_plan, w => w.Needs.Select(WaveOf).Distinct().Count() > 1); // or the first need would do
        Assert.All(_plan, w => Assert.Equal(w.Needs.Select(WaveOf).DefaultIfEmpty(-1).Max() + 1, WaveOf(w.Stage)));
    }

    private void WritePhantom(string name, int count, Seed seed) => PhantomDataset.Write(_folder[name], new PhantomOptions
    {
        Count = count, Size = new ImageSize(16, 16), FramesPerCase = 2, Seed = seed,
    }, NullMonitor.Instance);

    // "s1.out.mix(s4.out).collect()" waits for the second and the fifth stage, "[]" for none.
    private List<string> StagesOf(string channel)
    {
        if (channel == "[]") return [];
        Assert.Matches(@"^s\d+\.out(\.mix\(s\d+\.out(, s\d+\.out)*\))?\.collect\(\)$", channel);
        return [.. Regex.Matches(channel, @"s(\d+)\.out").Select(m => _plan[int.Parse(m.Groups[1].Value, null)].Stage)];
    }

    private static IEnumerable<string> Texts(JsonNode array) => array.AsArray().Select(t => (string)t!);

    // The shell commands below a heading of the page, in a folder that has the experiment as EXP.
    private void RunCommandsOf(string heading)
    {
        var page = File.ReadAllText(Path.Combine(SharedMaterial.RepositoryRoot, "docs", "how-to", "cluster.md"));
        var section = page[page.IndexOf($"\n### {heading}\n", StringComparison.Ordinal)..];
        var commands = Regex.Match(section, @"^```sh\n(.*?)^```$", RegexOptions.Singleline | RegexOptions.Multiline);
        Assert.StartsWith("jq ", commands.Groups[1].Value, StringComparison.Ordinal);
        var start = new ProcessStartInfo("bash", ["-euo", "pipefail", "-c", commands.Groups[1].Value])
        {
            RedirectStandardError = true, WorkingDirectory = _folder.Path,
        };
        start.Environment["PATH"] = $"{_folder["bin"]}:{Environment.GetEnvironmentVariable("PATH")}";
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, error);
    }

    private void StandIn(string name, string body)
    {
        Directory.CreateDirectory(_folder["bin"]);
        File.WriteAllText(_folder["bin", name], $"#!/bin/sh\n{body}\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(_folder["bin", name], UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }

    [GeneratedRegex("""^    (s\d+)\("([^"]+)", (.+)\)$""")]
    private static partial Regex StageCall();
}
