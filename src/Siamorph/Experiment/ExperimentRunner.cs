using System.Diagnostics;
using Siamorph.Experiment.Results;
using Siamorph.Experiment.Scheduling;
using Siamorph.Experiment.Stages;
using Siamorph.Training;

namespace Siamorph.Experiment;

/// <summary>
/// Runs an experiment: trains generators, synthesizes, trains and tests segmentation networks, arm by arm and seed by seed.
/// Every stage is kept in a folder of its own; what is done already is not done again, so a run that was stopped in any way
/// goes on where it stopped, and added seeds, sizes or arms cost only themselves.
/// </summary>
public static class ExperimentRunner
{
    /// <summary>Name of the file with the result.</summary>
    public const string ResultFile = "results.json";

    /// <summary>Name of the file with the times.</summary>
    public const string TimesFile = "times.json";

    private const string OptionsFileName = "options.json";

    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(0.3);

    /// <summary>Runs what is not done yet and writes results.json.</summary>
    /// <param name="options">What to compare.</param>
    /// <param name="folder">Folder of the experiment; made where missing.</param>
    /// <param name="monitor">Told the plan with its expected time, then the progress.</param>
    /// <returns>Full path of results.json, from which <c>ExperimentReport</c> writes the report.</returns>
    /// <exception cref="InvalidOptionsException">The options are at fault, or ask for more than the data have.</exception>
    /// <exception cref="InvalidDatasetException">The data have errors; the message counts them.</exception>
    /// <exception cref="OperationCanceledException">The user stopped; all finished stages are kept.</exception>
    public static string Run(ExperimentOptions options, string folder, IMonitor monitor)
    {
        ArgumentNullException.ThrowIfNull(folder);
        Run(options, folder, monitor, crew: null);
        return Path.GetFullPath(Path.Combine(folder, ResultFile));
    }

    /// <summary>The same with processes that run stages beside this one.</summary>
    internal static ExperimentResult Run(ExperimentOptions options, string folder, IMonitor monitor, WorkerPool? crew)
    {
        using var runner = new TorchStageRunner();
        return Run(options, folder, monitor, runner, crew);
    }

    /// <summary>Runs stages of an experiment that another process has begun in that folder, until all are done.</summary>
    /// <param name="folder">Folder of the experiment.</param>
    /// <param name="monitor">Watches.</param>
    /// <exception cref="SiamorphException">No experiment is there, or a stage can't be done.</exception>
    /// <exception cref="OperationCanceledException">The user, or the process that began it, stopped.</exception>
    internal static void Assist(string folder, IMonitor monitor)
    {
        using var runner = new TorchStageRunner();
        Assist(folder, monitor, runner);
    }

    /// <summary>Writes what an experiment is made of into its folder (options.json, plan.json) and runs nothing.</summary>
    /// <exception cref="SiamorphException">Options or data are at fault.</exception>
    internal static IReadOnlyList<PlannedWork> Plan(ExperimentOptions options, string folder, IMonitor monitor)
    {
        using var runner = new TorchStageRunner();
        return Plan(options, folder, monitor, runner);
    }

    internal static IReadOnlyList<PlannedWork> Plan(
        ExperimentOptions options, string folder, IMonitor monitor, IStageRunner runner)
    {
        options = options.Validate().WithFullPaths();
        using var alone = FolderLock.TakeTested(folder);
        var (_, plan) = Prepare(options, folder, monitor);
        AtomicFile.WriteText(Path.Combine(folder, OptionsFileName), OptionsFile.ToJson(options) + "\n");
        return PlannedWork.Write(plan, SpeedFile.ReadOrMeasure(plan, folder, runner, monitor), folder);
    }

    /// <summary>
    /// Runs one stage of an experiment that <see cref="Plan(ExperimentOptions, string, IMonitor)"/> or a run has laid out, unless
    /// it is done.
    /// </summary>
    /// <returns>Whether it had to be run.</returns>
    /// <exception cref="SiamorphException">There is no such experiment or stage, its needs are not done, or another process works
    /// on it.</exception>
    internal static bool RunOne(string folder, string stage, IMonitor monitor)
    {
        using var runner = new TorchStageRunner();
        return RunOne(folder, stage, monitor, runner, RetryPolicy.ForNetworks);
    }

    internal static bool RunOne(string folder, string stage, IMonitor monitor, IStageRunner runner,
        RetryPolicy patience = default)
    {
        var (_, plan) = Prepare(LaidOut(folder), folder, monitor);
        var wanted = plan.Stages.FirstOrDefault(s => s.Folder == stage)
            ?? throw new SiamorphException(
                $"{stage}: no stage of the experiment in {folder}."
                    + $"{(ClosestName.To(stage, plan.Stages.Select(s => s.Folder)) is { } near ? $" Did you mean {near}?" : "")} "
                    + $"{PlannedWork.FileName} lists them.");
        var store = new StageStore(folder);
        if (store.Find(wanted) is not null) return false;
        if (wanted.Needs.FirstOrDefault(n =>
            !patience.Until(() => store.Find(n) is not null, monitor.Cancellation)) is { } missing)
            throw new SiamorphException($"{stage}: needs {missing.Folder}, which is not done. Run that first.");
        using var held = store.TryLock(wanted) ?? throw new SiamorphException($"{stage}: another process works on it.");
        if (store.Find(wanted) is not null) return false; // finished between the look and the lock
        var remaining = new RemainingStage(wanted, runner.StepsDone(wanted, store.RunFolderOf(wanted)));
        using var overall = new OverallProgress(monitor, [remaining], new StageSpeeds
        {
            SecondsPerUnit = new Dictionary<WorkKind, double>(),
        });
        Work(plan, remaining, store, overall, runner);
        overall.Count(remaining);
        return true;
    }

    /// <summary>Writes results.json and times.json of an experiment whose stages were all run, wherever.</summary>
    /// <exception cref="SiamorphException">There is no such experiment, or a stage is not done.</exception>
    internal static ExperimentResult Collect(string folder, IMonitor monitor)
    {
        using var runner = new TorchStageRunner();
        return Collect(folder, monitor, runner, RetryPolicy.ForNetworks);
    }

    internal static ExperimentResult Collect(string folder, IMonitor monitor, IStageRunner runner, RetryPolicy patience = default)
    {
        var options = LaidOut(folder);
        patience.Until(() => !FolderLock.IsHeld(folder), monitor.Cancellation); // by a leader that is still submitting
        using var alone = FolderLock.Take(folder);
        var (data, plan) = Prepare(options, folder, monitor);
        var store = new StageStore(folder);
        patience.Until(() => Remaining(plan, store, runner).Count == 0, monitor.Cancellation);
        if (Remaining(plan, store, runner) is [var first, .. var others])
            throw new SiamorphException($"{folder}: {first.Stage.Folder} is not done"
                + $"{(others.Count > 0 ? $", nor are {others.Count} other stages" : "")}. Run what is missing, or the whole "
                + $"experiment again.");
        return ResultWriter.Write(plan, data, store, folder, runner);
    }

    private static ExperimentOptions LaidOut(string folder)
    {
        var path = Path.Combine(folder, OptionsFileName);
        if (!File.Exists(path)) throw new SiamorphException(
            $"{folder}: no experiment here, {OptionsFileName} is missing. Lay one out with \"siamorph experiment plan\".");
        return OptionsFile.LoadRecorded<ExperimentOptions>(path).Validate();
    }

    internal static void Assist(string folder, IMonitor monitor, IStageRunner runner)
    {
        var options = OptionsFile.LoadRecorded<ExperimentOptions>(Path.Combine(folder, OptionsFileName)).Validate();
        var (_, plan) = Prepare(options, folder, monitor);
        var store = new StageStore(folder);
        var remaining = Remaining(plan, store, runner);
        using var overall = new OverallProgress(monitor, remaining, new StageSpeeds
        {
            SecondsPerUnit = new Dictionary<WorkKind, double>(),
        });
        WorkOff(new StageQueue(remaining, store), plan, store, monitor, runner, overall);
    }

    internal static ExperimentResult Run(
        ExperimentOptions options, string folder, IMonitor monitor, IStageRunner runner, WorkerPool? crew = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(monitor);
        options = options.Validate().WithFullPaths();
        using var alone = FolderLock.TakeTested(folder);
        var (data, plan) = Prepare(options, folder, monitor);
        AtomicFile.WriteText(Path.Combine(folder, OptionsFileName), OptionsFile.ToJson(options) + "\n");
        var store = new StageStore(folder);
        RunStages(plan, store, folder, monitor, runner, crew);
        return ResultWriter.Write(plan, data, store, folder, runner);
    }

    /// <summary>Seconds that all of an experiment would take here, by a short measurement.</summary>
    internal static double EstimateSeconds(ExperimentOptions options, string folder, IMonitor monitor, IStageRunner runner)
    {
        options = options.Validate().WithFullPaths();
        using var alone = FolderLock.Take(folder);
        var (_, plan) = Prepare(options, folder, monitor);
        var speeds = SpeedFile.ReadOrMeasure(plan, folder, runner, monitor);
        return plan.Stages.Sum(speeds.Seconds);
    }

    /// <summary>
    /// What an experiment would do and about how long it would take, by a short measurement on this machine; writes nothing.
    /// </summary>
    /// <param name="options">What to compare.</param>
    /// <param name="monitor">Watches.</param>
    /// <param name="processes">Processes that would run stages side by side.</param>
    /// <returns>Lines to read: the cells, the stages, the time.</returns>
    /// <exception cref="SiamorphException">Options or data are at fault.</exception>
    public static IReadOnlyList<string> Preview(ExperimentOptions options, IMonitor monitor, int processes = 1)
    {
        using var runner = new TorchStageRunner();
        return Preview(options, monitor, runner, processes);
    }

    internal static IReadOnlyList<string> Preview(
        ExperimentOptions options, IMonitor monitor, IStageRunner runner, int processes = 1)
    {
        ArgumentNullException.ThrowIfNull(options);
        options = options.Validate().WithFullPaths();
        var folder = Directory.CreateTempSubdirectory("siamorph-preview-").FullName;
        try
        {
            var (_, plan) = Prepare(options, folder, monitor);
            var speeds = SpeedFile.ReadOrMeasure(plan, folder, runner, monitor);
            return [.. PlanText.Cells(plan),
                .. PlanText.Lines(plan, [.. plan.Stages.Select(s => new RemainingStage(s, 0))], speeds, processes)];
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // Everything that is needed before the first stage.
    private static (ExperimentData Data, ExperimentPlan Plan) Prepare(ExperimentOptions options, string folder, IMonitor monitor)
    {
        Placement.Wake(options.Generator.Device, options.Synthesis.Device, options.Segmentation.Device);
        var data = ExperimentData.Read(options, folder, monitor);
        return (data, new ExperimentPlan(options, data.Dataset, data.Hashes, data.Unlabelled, data.External));
    }

    private static void RunStages(
        ExperimentPlan plan, StageStore store, string folder, IMonitor monitor, IStageRunner runner, WorkerPool? crew)
    {
        var remaining = Remaining(plan, store, runner);
        if (remaining.Count == 0)
        {
            monitor.Note($"All {plan.Stages.Count} stages are already done; writing the results.");
            return;
        }
        var speeds = SpeedFile.ReadOrMeasure(plan, folder, runner, monitor);
        PlannedWork.Write(plan, speeds, folder);
        foreach (var line in PlanText.Lines(plan, remaining, speeds, crew?.Size ?? 1)) monitor.Note(line);
        using var others = crew?.Start(folder);
        using var overall = new OverallProgress(monitor, remaining, speeds);
        WorkOff(new StageQueue(remaining, store), plan, store, monitor, runner, overall);
    }

    private static List<RemainingStage> Remaining(ExperimentPlan plan, StageStore store, IStageRunner runner)
    {
        var left = plan.Stages.Where(s => store.Find(s) is null).ToList();
        left.RemoveAll(s => s is SharedBaseStage && !left.Any(g => g.Needs.Contains(s)));
        return [.. left.Select(s => new RemainingStage(s, runner.StepsDone(s, store.RunFolderOf(s))))];
    }

    // Until every stage is done, here or elsewhere. A stage whose process ended unfinished is free again and is gone on with.
    private static void WorkOff(
        StageQueue queue, ExperimentPlan plan, StageStore store, IMonitor monitor, IStageRunner runner, OverallProgress overall)
    {
        while (true)
        {
            monitor.Cancellation.ThrowIfCancellationRequested();
            foreach (var stage in queue.DropFinished()) overall.Count(stage);
            if (queue.IsEmpty) return;
            using var claim = queue.Take();
            if (claim is null)
            {
                overall.Wait(queue.Ready());
                monitor.Cancellation.WaitHandle.WaitOne(LookAgain);
            }
            else Work(plan, claim.Stage, store, overall, runner);
        }
    }

    private static void Work(ExperimentPlan plan, RemainingStage stage, StageStore store, OverallProgress overall,
        IStageRunner runner)
    {
        var begun = store.Begin(stage.Stage);
        var clock = Stopwatch.StartNew();
        var outcome = stage.Stage.Run(new(plan, store, runner, overall.Begin(stage)));
        store.Complete(stage.Stage, outcome, clock.Elapsed.TotalSeconds, begun);
    }
}
