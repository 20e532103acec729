using System.Diagnostics;
using System.Security.Cryptography;
using Siamorph.Data.Phantom;
using Siamorph.Distributed;
using Siamorph.Imaging;
using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Tests.Distributed;

/// <summary>One training on several processes, under the launchers that are installed.</summary>
public sealed class RanksTests : IDisposable
{
    private const string Open = "/usr/bin/mpirun.openmpi", Mpich = "/usr/bin/mpirun.mpich";

    private static readonly string[] Small =
    [
        "--image-size", "32", "--network-model-channels", "32", "--network-heads", "4", "--network-context-width", "16",
        "--network-hint-width", "4", "--preview-every", "0",
        "--checkpoint-every", "2", "--keep-checkpoints", "9", "--threads", "1", "--base-batch-size", "2",
        "--siamese-batch-size", "2",
    ];

    private static readonly string[] Shared = ["--base-accumulation", "2", "--siamese-accumulation", "2"];

    private readonly TemporaryFolder _folder = new();

    public RanksTests() =>
        PhantomDataset.Write(_folder["data"], new PhantomOptions
        {
            Count = 8, Size = new ImageSize(32, 32), FramesPerCase = 1,
        }, NullMonitor.Instance);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(Open)]
    [InlineData(Mpich)]
    public void TwoRanks_AreOneRank_ToTheBit_AndEitherGoesOnWithTheOther(string launcher)
    {
        Require(launcher);
        Trained(Train(null, "one", 4, 4, Shared));
        Trained(Train(launcher, "two", 4, 4, Shared));
        Assert.Equal(Weights("one", 8), Weights("two", 8));
        Assert.Equal(Losses("one"), Losses("two"));
        // 2 → 1 → 2 ranks, each stopped by the loss of what came after its checkpoint.
        foreach (var (ranks, keep) in new[] { (null, 2), (launcher, 6) })
        {
            foreach (var later in Directory.GetDirectories(_folder["two", "checkpoints"])
                .Where(d => int.Parse(d.Split('-')[^1], System.Globalization.CultureInfo.InvariantCulture) > keep))
                Directory.Delete(later, recursive: true);
            Trained(Resume(ranks, "two"));
            Assert.Equal(Weights("one", 8), Weights("two", 8));
        }
    }

    [Fact]
    public void TwoHosts_AreOneProcess_ToTheBit()
    {
        Require(Open);
        using var hosts = new TwoHosts(_folder);
        Trained(Train(null, "one", 2, 2, Shared));
        var words = hosts.Launch(Open, Words("two", 2, 2, Shared));
        Trained(Run(words[0], words[1..]));
        Assert.Equal(Weights("one", 4), Weights("two", 4));
    }

    [Fact]
    public void CutBatches_AreTheSameToRounding_AndUnevenOnesAreRefused()
    {
        Require(Open);
        Trained(Train(null, "one", 2, 2));
        Trained(Train(Open, "two", 2, 2));
        using (var one = Model("one"))
        using (var two = Model("two"))
        {
            using var scope = NewDisposeScope();
            Tensor Joined(WeightsFile file) => cat([.. one.Names.Select(n => file.Read(n, float32).flatten())]);
            var (a, b) = (Joined(one), Joined(two));
            Assert.InRange((a - b).norm().item<float>() / a.norm().item<float>(), 0, 1e-3); // rounding, grown by the optimizer
        }
        var words = Words("three", 2, 2);
        words[Array.IndexOf(words, "--base-batch-size") + 1] = "3";
        var (code, _, error) = Launch(Open, words);
        Assert.Equal(2, code);
        Assert.Contains("2 ranks can share neither 1 batches a step nor batches of 3", error, StringComparison.Ordinal);

        WeightsFile Model(string run) =>
            WeightsFile.Open(Path.Combine(_folder[run, "checkpoints", "step-000004"], "model.safetensors"));
    }

    [Theory]
    [InlineData(Open, "TERM")]
    [InlineData(Mpich, "USR1")]
    public void Signal_ToAnyRank_SavesOnce_AndEndsAll(string launcher, string signal)
    {
        Require(launcher);
        using var process = Start(launcher, "run", 4000, 2, Shared);
        Assert.True(SpinWait.SpinUntil(() => Directory.Exists(_folder["run", "checkpoints", "step-000002"]), 60_000),
            "nothing was trained");
        var rank = Processes("run").Last();
        using (var kill = Process.Start("/bin/kill", ["-s", signal, $"{rank}"])!) kill.WaitForExit();
        Assert.True(process.WaitForExit(60_000));
        Assert.Contains("--resume", process.StandardError.ReadToEnd(), StringComparison.Ordinal);
        var last = Directory.GetDirectories(_folder["run", "checkpoints"]).Order(StringComparer.Ordinal).Last();
        Assert.True(File.Exists(Path.Combine(last, "manifest.json")));
        Assert.Empty(Processes("run"));
    }

    [Theory]
    [InlineData(Open)]
    [InlineData(Mpich)]
    public void RankThatIsKilled_EndsAll(string launcher)
    {
        Require(launcher);
        using var process = Start(launcher, "run", 4000, 2, Shared);
        Assert.True(SpinWait.SpinUntil(() => Directory.Exists(_folder["run", "checkpoints", "step-000002"]), 60_000),
            "nothing was trained");
        Process.GetProcessById(Processes("run").Last()).Kill();
        Assert.True(process.WaitForExit(60_000));
        Assert.NotEqual(0, process.ExitCode);
        Assert.True(SpinWait.SpinUntil(() => Processes("run").Count == 0, 20_000));
    }

    [Fact]
    public void BadInput_OnOneRank_EndsAll_WithItsOneLine()
    {
        Require(Open);
        string[] good = ["dotnet", Command, "train", _folder["data"], "--out", _folder["run"], "--base-steps", "2",
            "--siamese-steps", "2", .. Small];
        string[] bad = [.. good];
        bad[3] = _folder["nowhere"];
        var (code, _, error) = Run(Open, [.. Options(Open), "-n", "1", .. good, ":", "-n", "1", .. bad]);
        Assert.Equal(2, code);
        Assert.Contains("nowhere: the folder does not exist", error, StringComparison.Ordinal);
        Assert.Equal(1, error.Split('\n').Count(l => l.StartsWith("siamorph:", StringComparison.Ordinal)));
    }

    [Fact]
    public void AnotherLaunchersLibrary_NeverTrainsSilentlyAlone()
    {
        Require(Open);
        var start = new ProcessStartInfo("dotnet", [Command, "train", _folder["data"], "--out", _folder["run"], .. Small])
        {
            RedirectStandardError = true, RedirectStandardOutput = true,
        };
        start.Environment["PMI_SIZE"] = "2"; // of MPICH's launcher, which is not there
        start.Environment["PMI_RANK"] = "0";
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(2, process.ExitCode);
        Assert.Contains("The launcher started 2 processes", error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["run"]));
    }

    [Fact]
    public void OtherVerbs_AreRefusedOnSeveralRanks()
    {
        Require(Open);
        var (code, _, error) = Run(Open, [.. Options(Open), "-n", "2", "dotnet", Command, "data", "check", _folder["data"]]);
        Assert.Equal(2, code);
        Assert.Contains("runs in one process only", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Launchers_AreKnownByTheirEnvironment()
    {
        static LaunchedRank? Of(params (string, string)[] variables) =>
            LaunchedRank.Of(name => variables.FirstOrDefault(v => v.Item1 == name).Item2);
        Assert.Null(Of());
        Assert.Equal(new(MpiLauncher.OpenMpi, 4, 3, 1),
            Of(("OMPI_COMM_WORLD_SIZE", "4"), ("OMPI_COMM_WORLD_RANK", "3"), ("OMPI_COMM_WORLD_LOCAL_RANK", "1")));
        Assert.Equal(new(MpiLauncher.Mpich, 2, 1, 1), Of(("PMI_SIZE", "2"), ("PMI_RANK", "1"), ("MPI_LOCALRANKID", "1")));
        Assert.Equal(new(MpiLauncher.Slurm, 8, 5, 2),
            Of(("SLURM_STEP_ID", "0"), ("SLURM_STEP_NUM_TASKS", "8"), ("SLURM_PROCID", "5"), ("SLURM_LOCALID", "2")));
        // A launcher that lets each process see a single card has chosen already.
        (string, string)[] second = [("PMI_SIZE", "2"), ("PMI_RANK", "1"), ("MPI_LOCALRANKID", "1")];
        Assert.Equal(0, Of([.. second, ("CUDA_VISIBLE_DEVICES", "1")])!.LocalRank);
        Assert.Equal(1, Of([.. second, ("CUDA_VISIBLE_DEVICES", "2,3")])!.LocalRank);
        Assert.Null(Of(("SLURM_NTASKS", "8"), ("SLURM_PROCID", "0"))); // a batch script, not a step
    }

    [Fact]
    public void EveryRank_HasACardOfItsOwn_OrIsRefused()
    {
        Assert.Equal([0, 1, 2, 3], Enumerable.Range(0, 4).Select(rank => Placement.CardOf(rank, 4)));
        Assert.Contains("Rank 2 of this machine has no graphics card: there are 2",
            Assert.Throws<InvalidOptionsException>(() => Placement.CardOf(2, 2)).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOptionsException>(() => Placement.CardOf(1, 1));
    }

    [Theory]
    [InlineData(Open)]
    [InlineData(Mpich)]
    public void Bench_TellsWhatAddingUpCosts_OnceForAllRanks(string launcher)
    {
        Require(launcher);
        var (code, output, error) = Launch(launcher,
            ["dotnet", Command, "bench", "ranks", "--megabytes", "0.5,2", "--repeats", "3", "--json"]);
        Assert.True(code == 0, error);
        var result = System.Text.Json.JsonDocument.Parse(output).RootElement; // one line, of one rank
        Assert.Equal(2, result.GetProperty("ranks").GetInt32());
        var sums = result.GetProperty("sums").EnumerateArray().ToList();
        Assert.Equal([0.5, 2], sums.Select(s => s.GetProperty("megabytes").GetDouble()));
        Assert.All(sums, s => Assert.InRange(s.GetProperty("milliseconds").GetDouble(), 1e-3, 60_000));
        Assert.InRange(result.GetProperty("barrierMilliseconds").GetDouble(), 0, 60_000);
    }

    [Fact]
    public void Bench_OnOneProcess_SaysHowToStartIt()
    {
        var (code, _, error) = Run("dotnet", [Command, "bench", "ranks"]);
        Assert.Equal(2, code);
        Assert.Contains("mpirun -n 2", error, StringComparison.Ordinal);
    }

    [Fact]
    public void WeightWithAGradientOnAnyRank_HasOneOnAll()
    {
        using var scope = NewDisposeScope();
        Tensor[] weights = [ones(3).requires_grad_(), ones(2).requires_grad_(), ones(1).requires_grad_()];
        weights[0].sum().backward();
        new Twin([1, 1, 0], 5).SumGradients(weights, 0.5);
        Assert.Equal([3f, 3, 3], weights[0].grad!.data<float>().ToArray()); // (1 + 5) / 2
        Assert.Equal([2.5f, 2.5f], weights[1].grad!.data<float>().ToArray());
        Assert.Null(weights[2].grad);
    }

    // A second rank whose gradients all have one value.
    private sealed class Twin(double[] has, float gradient) : IProcessGroup
    {
        public int Rank => 0;

        public int Size => 2;

        public void Barrier()
        {
        }

        public void Sum(Span<double> values) => throw new NotSupportedException();

        public void Max(Span<double> values)
        {
            for (var i = 0; i < values.Length; i++) values[i] = Math.Max(values[i], has[i]);
        }

        public void Sum(Tensor tensor) => tensor.add_(gradient);
    }

    private static string Command => Path.Combine(AppContext.BaseDirectory, "Siamorph.Cli.dll");

    private static void Require(string launcher)
    {
        if (!File.Exists(launcher)) Assert.Skip($"{Path.GetFileName(launcher)} is not here.");
    }

    private static string[] Options(string launcher) =>
        launcher == Open ? ["--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "--mca", "btl", "self,vader,tcp"] : [];

    private string[] Words(string run, int baseSteps, int siameseSteps, params string[] more) =>
        ["dotnet", Command, "train", _folder["data"], "--out", _folder[run], "--base-steps", $"{baseSteps}", "--siamese-steps",
        $"{siameseSteps}", .. Small, .. more];

    private (int Code, string Output, string Error) Train(
        string? launcher, string run, int baseSteps, int siameseSteps, params string[] more) =>
        Launch(launcher, Words(run, baseSteps, siameseSteps, more));

    private (int Code, string Output, string Error) Resume(string? launcher, string run) =>
        Launch(launcher, ["dotnet", Command, "train", _folder["data"], "--out", _folder[run], "--resume", "--threads", "1"]);

    private static (int Code, string Output, string Error) Launch(string? launcher, string[] words) =>
        launcher is null ? Run(words[0], words[1..]) : Run(launcher, [.. Options(launcher), "-n", "2", .. words]);

    private Process Start(string launcher, string run, int baseSteps, int siameseSteps, params string[] more) =>
        Process.Start(new ProcessStartInfo(launcher,
        [.. Options(launcher), "-n", "2", .. Words(run, baseSteps, siameseSteps, more)]) { RedirectStandardError = true,
        RedirectStandardOutput = true })!;

    private static (int Code, string Output, string Error) Run(string program, string[] words)
    {
        using var process = Process.Start(new ProcessStartInfo(program, words)
        {
            RedirectStandardError = true, RedirectStandardOutput = true,
        })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.Result);
    }

    private static void Trained((int Code, string Output, string Error) ended)
    {
        Assert.True(ended.Code == 0, ended.Error);
        Assert.Equal(1, ended.Output.Split("Trained ").Length - 1); // one rank speaks
    }

    // Ranks of a run: the programs themselves, not their launchers.
    private List<int> Processes(string run) =>
        [.. Directory.GetDirectories("/proc").Select(d => Path.GetFileName(d)).Where(n => int.TryParse(n, out _)).Where(n =>
    {
        try
        {
            var words = File.ReadAllText($"/proc/{n}/cmdline").Split('\0');
            return words[0].EndsWith("dotnet", StringComparison.Ordinal) && words.Contains(_folder[run]);
        }
        catch (IOException)
        {
            return false;
        }
    }).Select(n => int.Parse(n, System.Globalization.CultureInfo.InvariantCulture)).Order()];

    private string Weights(string run, int step) =>
        string.Join('\n', Directory.GetFiles(_folder[run, "checkpoints", $"step-{step:000000}"], "*.safetensors")
        .Order(StringComparer.Ordinal)
        .Select(f => $"{Path.GetFileName(f)} {Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(f)))}"));

    private string Losses(string run) =>
        string.Join('\n', File.ReadAllLines(_folder[run, "log.jsonl"])
        .Select(l => System.Text.RegularExpressions.Regex.Replace(l, "\"time\":\"[^\"]*\",", "")));
}
