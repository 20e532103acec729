using Siamorph.Cli.Slurm;
using Siamorph.Data.Phantom;
using Siamorph.Experiment;
using Siamorph.Experiment.Scheduling;
using Siamorph.Imaging;
using Siamorph.Tests.Experiment;

namespace Siamorph.Tests.Cli;

/// <summary>
/// The leader against a stand-in for Slurm: `sbatch` numbers what it is given and keeps the words, `squeue` prints what the test
/// has written. tests/slurm.sh does the same with Slurm itself.
/// </summary>
public sealed class SlurmTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly IReadOnlyList<PlannedWork> _plan;

    public SlurmTests()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("The stand-ins are shell scripts.");
        PhantomDataset.Write(_folder["data"], new PhantomOptions
        {
            Count = 24, Size = new ImageSize(16, 16), FramesPerCase = 2,
        }, NullMonitor.Instance);
        _plan = ExperimentRunner.Plan(Options, Experiment, NullMonitor.Instance, new FakeStageRunner());
        StandIn("sbatch", $"""
            n=$(cat '{_folder["count"]}' 2>/dev/null || echo 0); n=$((n + 1)); echo $n >'{_folder["count"]}'
            for word; do echo "$word"; done >"{_folder["submitted"]}-$n"
            echo "$n;here"
            """);
        StandIn("squeue", $"cat '{_folder["queue"]}'");
        StandIn("scancel", $"echo \"$@\" >>'{_folder["cancelled"]}'");
        Queue([]);
    }

    private string Experiment => _folder["answer"];

    private ExperimentOptions Options => new()
    {
        Data = _folder["data"], RealCounts = [4], Seeds = [1, 2], SeedScope = SeedScope.Everything,
        Arms = ["real", "real+synthetic", "synthetic-only"], BootstrapDraws = 100,
        Split = new() { Train = 0.5, Val = 0.25, Test = 0.25, KeepNearDuplicates = false },
    };

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Submit_MakesSiblingsOneArray_AndLetsEachWaitForItsOwnNeeds()
    {
        Leader().Submit(_plan);
        Assert.Equal(2 + 2 + 6, _plan.Count);
        // Both generators; both networks without synthetic pairs; each synthetic set; the networks of each set; the result.
        Assert.Equal([.. Enumerable.Repeat("--array=0-0", 3), .. Enumerable.Repeat("--array=0-1", 4)],
            Submitted().Select(s => Word(s, "--array")!).Order());
        foreach (var work in _plan)
        {
            var submission = Submitted()[int.Parse(Job(work.Stage).Split('_')[0], null) - 1];
            Assert.Equal(work.Needs.Count == 0 ? null
                : $"--dependency=afterok:{string.Join(':', work.Needs.Select(Job))}", Word(submission, "--dependency"));
            Assert.Superset(new HashSet<string>
            {
                "--parsable", "--requeue", "--open-mode=append", "--signal=B:TERM@120", "--kill-on-invalid-dep=yes",
            }, submission.ToHashSet());
        }
    }

    [Fact]
    public void Submit_EndsWithAJobThatWaitsForEverythingAndWritesTheResults()
    {
        Leader().Submit(_plan);
        var last = Submitted()[^1];
        Assert.Equal("--dependency=afterok:1:2:3:4:5:6", Word(last, "--dependency"));
        Assert.Contains($"'experiment' 'collect' '{Experiment}'", File.ReadAllText(last[^1]), StringComparison.Ordinal);
    }

    [Fact]
    public void Submit_HandsOnTheUsersOptionsLast_AndThreads()
    {
        Leader(s => s with
        {
            Options = SlurmSettings.Split("--partition=gpu --comment \"two words\""), Threads = 3,
        }).Submit(_plan);
        Assert.Equal(["--partition=gpu", "--comment", "two words"], Submitted()[0][^4..^1]);
        Assert.Contains("--cpus-per-task=3", Submitted()[0]);
    }

    [Theory]
    [InlineData("--array=0-3")]
    [InlineData("-d afterok:1")]
    [InlineData("--output=x")]
    public void Options_ThatTheLeaderHasToSet_AreRefused(string text) =>
        Assert.Throws<InvalidOptionsException>(() => SlurmSettings.Split(text));

    [Fact]
    public void ComingBack_SubmitsOnlyWhatIsNeitherDoneNorWithSlurm()
    {
        Leader().Submit(_plan);
        var before = Submitted().Count;
        RunStage(_plan[0]);
        var lost = _plan.Last(w => w.Kind == "segmentation");
        Queue([.. _plan.Where(w => w != lost).Select(w => (w.Stage, "PENDING")), (lost.Stage, "FAILED"),
            (SlurmJobs.Results, "PENDING")]);
        var oldResults = Job(SlurmJobs.Results);
        Leader().Submit(_plan);
        Assert.Equal(before + 2, Submitted().Count); // the lost one, and the result anew
        Assert.Equal($"{before + 1}_0", Job(lost.Stage));
        Assert.Equal(oldResults, File.ReadAllText(_folder["cancelled"]).Trim());
        var waits = Word(Submitted()[^1], "--dependency")!.Split(':')[1..];
        Assert.Equal(_plan.Where(w => w != lost && w != _plan[0]).Select(w => Job(w.Stage)).Append($"{before + 1}").Order(),
            waits.Order());
    }

    [Fact]
    public void ComingBack_WhereNothingIsMissing_SubmitsNothing()
    {
        Leader().Submit(_plan);
        var before = Submitted().Count;
        Queue([.. _plan.Select(w => (w.Stage, "RUNNING")), (SlurmJobs.Results, "PENDING")]);
        Leader().Submit(_plan);
        Assert.Equal(before, Submitted().Count);
    }

    [Fact]
    public void NoAnswerFromSqueue_SubmitsNothing()
    {
        File.Delete(_folder["queue"]);
        Assert.Contains("squeue does not answer", Assert.Throws<SiamorphException>(() => Leader().Submit(_plan)).Message,
            StringComparison.Ordinal);
        Assert.Empty(Submitted());
    }

    [Fact]
    public void Sbatch_ThatRefuses_IsQuoted()
    {
        StandIn("sbatch", "echo 'sbatch: error: invalid partition specified: gpu' >&2; exit 1");
        var message = Assert.Throws<SiamorphException>(() => Leader().Submit(_plan)).Message;
        Assert.Contains("invalid partition specified: gpu.", message, StringComparison.Ordinal);
        Assert.DoesNotContain("\n", message, StringComparison.Ordinal);
    }

    [Fact]
    public void NoSlurm_IsSaidInOneLine()
    {
        File.Delete(_folder["bin", "squeue"]);
        Assert.Contains("squeue can't be started here", Assert.Throws<SiamorphException>(() => Leader().Submit(_plan)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void FailedStage_IsNamedWithItsLog_AndWhatNeedsItCounted()
    {
        Leader().Submit(_plan);
        var failed = _plan.First(w => w.Kind == "generator");
        foreach (var work in _plan.Where(w => w != failed && !Needs(w, failed))) RunStage(work);
        File.WriteAllText(Path.Combine(Experiment, SlurmJobs.Folder, $"{Job(failed.Stage)}.log"),
            "step 3\nsiamorph: disk full.\n\n");
        Queue([(failed.Stage, "FAILED"), .. _plan.Where(w => Needs(w, failed)).Select(w => (w.Stage, "CANCELLED"))]);
        var message = Assert.Throws<SiamorphException>(() => Watch(TestContext.Current.CancellationToken)).Message;
        Assert.StartsWith($"{failed.Stage} ended unfinished (", message, StringComparison.Ordinal);
        Assert.Contains(".log: siamorph: disk full.)", message, StringComparison.Ordinal);
        Assert.Contains("3 stages that need it were cancelled.", message, StringComparison.Ordinal);
    }

    [Fact]
    public void FailedStage_LeavesTheOthersToBeWaitedFor()
    {
        Leader().Submit(_plan);
        Queue([.. _plan.Select((w, i) => (w.Stage, i == 0 ? "FAILED" : "RUNNING"))]);
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        Assert.Throws<OperationCanceledException>(() => Watch(stop.Token));
    }

    [Fact]
    public void AllDone_EndsOnceTheLastJobIsOver_AndCollectGivesTheSameBytes()
    {
        Leader().Submit(_plan);
        foreach (var work in _plan) RunStage(work);
        Queue([]); // Slurm forgets jobs after some minutes
        Watch(TestContext.Current.CancellationToken);
        ExperimentRunner.Run(Options, _folder["whole"], NullMonitor.Instance, new FakeStageRunner());
        ExperimentRunner.Collect(Experiment, NullMonitor.Instance, new FakeStageRunner());
        Assert.Equal(File.ReadAllText(_folder["whole", "results.json"]),
            File.ReadAllText(Path.Combine(Experiment, "results.json")));
    }

    [Fact]
    public void Collect_NamesWhatIsMissing()
    {
        foreach (var work in _plan.Skip(1).Where(w => w.Needs.Count == 0)) RunStage(work);
        var message = Assert.Throws<SiamorphException>(() =>
            ExperimentRunner.Collect(Experiment, NullMonitor.Instance, new FakeStageRunner())).Message;
        Assert.Contains("is not done, nor are", message, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(Experiment, "results.json")));
    }

    [Fact]
    public void Need_ThatAppearsLate_IsWaitedFor()
    {
        var (need, stage) = (_plan.First(w => w.Kind == "generator"), _plan.First(w => w.Kind == "synthesis"));
        RunStage(need);
        var marker = Path.Combine(Experiment, need.DoneFile);
        File.Move(marker, marker + ".late");
        var late = new Thread(() =>
        {
            Thread.Sleep(500);
            File.Move(marker + ".late", marker);
        });
        late.Start();
        Assert.True(ExperimentRunner.RunOne(Experiment, stage.Stage, NullMonitor.Instance, new FakeStageRunner(),
            new(TimeSpan.FromSeconds(30), TimeSpan.FromMilliseconds(50))));
        late.Join();
    }

    [Theory]
    [InlineData(0, "RUNNING", 0, false)]
    [InlineData(130, "RUNNING", 130, true)]     // saved because its time is up
    [InlineData(130, "COMPLETING", 130, false)] // ended on purpose
    [InlineData(2, "RUNNING", 2, false)]
    public void Script_QueuesAgain_WhatSavedBecauseItsTimeIsUp(int ends, string state, int expected, bool again)
    {
        StandIn("siamorph", $"echo \"$@\"; exit {ends}");
        StandIn("squeue", $"echo {state}");
        StandIn("scontrol", $"echo \"$@\" >'{_folder["requeued"]}'; exit 1"); // does not end the script, as Slurm would
        var (exitCode, output) = RunScript(SlurmScript.Of([["siamorph", "first"], ["siamorph", "it's", "two words"]]), task: 1);
        Assert.Equal(expected, exitCode);
        Assert.StartsWith("it's two words --threads 3", output, StringComparison.Ordinal);
        Assert.Equal(again, File.Exists(_folder["requeued"]));
    }

    private (int ExitCode, string Output) RunScript(string script, int task)
    {
        File.WriteAllText(_folder["script"], script);
        var start = new System.Diagnostics.ProcessStartInfo("sh", [_folder["script"]]) { RedirectStandardOutput = true };
        start.Environment["PATH"] = $"{_folder["bin"]}:{Environment.GetEnvironmentVariable("PATH")}";
        (start.Environment["SLURM_ARRAY_TASK_ID"], start.Environment["SLURM_JOB_ID"], start.Environment["SLURM_CPUS_PER_TASK"]) =
            ($"{task}", "7", "3");
        using var process = System.Diagnostics.Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output);
    }

    private SlurmSubmission Leader(Func<SlurmSettings, SlurmSettings>? with = null) =>
        new(new SlurmClient(_folder["bin"]), (with ?? (s => s))(Settings), Experiment, NullMonitor.Instance);

    private static SlurmSettings Settings => new()
    {
        Program = ["siamorph"], Look = (TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(20)), Grace = TimeSpan.Zero,
    };

    private void Watch(CancellationToken stop) =>
        new SlurmWatch(new SlurmClient(_folder["bin"]), Settings, Experiment, new Stoppable(stop)).UntilDone(_plan);

    private void RunStage(PlannedWork work) =>
        ExperimentRunner.RunOne(Experiment, work.Stage, NullMonitor.Instance, new FakeStageRunner());

    private bool Needs(PlannedWork work, PlannedWork other) =>
        work.Needs.Any(n => n == other.Stage || Needs(_plan.Single(w => w.Stage == n), other));

    private string Job(string stage) => new SlurmJobs(Experiment).Of(stage)!;

    private void Queue(IEnumerable<(string Stage, string State)> jobs) =>
        File.WriteAllLines(_folder["queue"], jobs.Select(j => $"{Job(j.Stage)} {j.State}"));

    private List<string[]> Submitted() =>
        [.. Directory.GetFiles(_folder.Path, "submitted-*").OrderBy(f => int.Parse(f.Split('-')[^1], null))
        .Select(File.ReadAllLines)];

    private static string? Word(string[] words, string option) =>
        words.FirstOrDefault(w => w.StartsWith(option + "=", StringComparison.Ordinal));

    private void StandIn(string name, string body)
    {
        var path = _folder["bin", name];
        Directory.CreateDirectory(_folder["bin"]);
        File.WriteAllText(path, $"#!/bin/sh\n{body}\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private sealed class Stoppable(CancellationToken stop) : IMonitor
    {
        public CancellationToken Cancellation => stop;

        public IMonitoredStage Begin(string title, long total) => NullMonitor.Instance.Begin(title, total);

        public void Note(string line) { }
    }
}
