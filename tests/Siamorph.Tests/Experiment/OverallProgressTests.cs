using System.Text.Json.Nodes;
using Siamorph.Experiment.Scheduling;
using Siamorph.Experiment.Stages;

namespace Siamorph.Tests.Experiment;

public sealed class OverallProgressTests
{
    private static readonly StageSpeeds Speeds = new()
    {
        SecondsPerUnit = new Dictionary<WorkKind, double> { [WorkKind.BaseStep] = 1, [WorkKind.SiameseStep] = 3 },
        SecondsPerStage = 10,
    };

    [Fact]
    public void Line_MovesWithTheWork_AndEndsAtItsTotal()
    {
        var monitor = new RecordingMonitor();
        RemainingStage[] stages = [Stage(0), Stage(0)];
        using (var overall = new OverallProgress(monitor, stages, Speeds))
        {
            Assert.Equal(2 * (10 + 100 + 150), monitor.Total);
            foreach (var stage in stages) Work(overall, stage, 0, 0);
        }
        Assert.Equal(monitor.Reports.Order(), monitor.Reports);
        Assert.Contains(50L, monitor.Reports);
        Assert.Equal(monitor.Total, monitor.Reports[^1]);
    }

    [Fact]
    public void Line_OfAResumedStage_LeavesOutWhatWasDone()
    {
        var (monitor, resumed) = (new RecordingMonitor(), Stage(60));
        using (var overall = new OverallProgress(monitor, [resumed], Speeds))
        {
            Assert.Equal(10 + 40 + 150, monitor.Total);
            Work(overall, resumed, 60, 0);
        }
        Assert.Equal(1, monitor.Reports.First(r => r > 0));
        Assert.Equal(monitor.Total, monitor.Reports[^1]);
        var inSiamese = new RecordingMonitor();
        using var later = new OverallProgress(inSiamese, [Stage(120)], Speeds);
        Assert.Equal(10 + 90, inSiamese.Total);
    }

    [Fact]
    public void Line_OfAStageThatWasStopped_DoesNotCountIt()
    {
        var monitor = new RecordingMonitor();
        using (var overall = new OverallProgress(monitor, [Stage(0)], Speeds))
        {
            using var part = overall.Begin(Stage(0)).Begin("base training", 100);
            part.Report(30);
        }
        Assert.Equal(30, monitor.Reports[^1]);
    }

    [Fact]
    public void Line_CountsWhatOthersFinished_Once()
    {
        var (monitor, stage) = (new RecordingMonitor(), Stage(0));
        using (var overall = new OverallProgress(monitor, [stage, Stage(0)], Speeds))
        {
            overall.Count(stage);
            overall.Count(stage);
        }
        Assert.Equal([10 + 100 + 150], monitor.Reports);
    }

    [Fact]
    public void Line_WhileOthersWork_SaysOnWhat()
    {
        var monitor = new RecordingMonitor();
        using var overall = new OverallProgress(monitor, [Stage(0), Stage(0)], Speeds);
        overall.Wait([]);
        Assert.Null(monitor.Detail);
        overall.Wait([Stage(0)]);
        Assert.Equal("0 of 2 done; another process works on generator (x)", monitor.Detail);
    }

    private static void Work(OverallProgress overall, RemainingStage stage, int baseDone, int siameseDone)
    {
        var monitor = overall.Begin(stage);
        using (var loading = monitor.Begin("loading", 7)) loading.Report(7);
        using (var part = monitor.Begin("base training", 100))
            for (var step = baseDone + 1; step <= 100; step++) part.Report(step);
        using (var part = monitor.Begin("siamese training", 50))
            for (var step = siameseDone + 1; step <= 50; step++) part.Report(step);
        overall.Count(stage);
    }

    private static RemainingStage Stage(long stepsDone) => new(new GeneratorStage([], new(), null)
    {
        Title = "x",
        Folder = "x",
        Key = "x",
        Inputs = new JsonObject(),
        Phases = [new(100, WorkKind.BaseStep), new(50, WorkKind.SiameseStep)],
    }, stepsDone);

    private sealed class RecordingMonitor : IMonitor, IMonitoredStage
    {
        public long Total { get; private set; }

        public List<long> Reports { get; } = [];

        public CancellationToken Cancellation => CancellationToken.None;

        public IMonitoredStage Begin(string title, long total)
        {
            Total = total;
            return this;
        }

        public void Note(string line) { }

        public string? Detail { get; private set; }

        public void Report(long done, string? detail = null)
        {
            Reports.Add(done);
            Detail = detail;
        }

        public void Dispose() { }
    }
}
