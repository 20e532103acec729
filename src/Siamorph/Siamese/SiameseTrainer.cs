using System.Diagnostics;
using System.Globalization;
using Siamorph.Data;
using Siamorph.Distributed;
using Siamorph.Siamese.WeightFiles;
using Siamorph.Training;

namespace Siamorph.Siamese;

/// <summary>What a finished training run came to.</summary>
/// <param name="RunFolder">Where checkpoints, log and previews lie.</param>
/// <param name="BaseSteps">Steps of base training.</param>
/// <param name="SiameseSteps">Steps of siamese training.</param>
/// <param name="Seconds">Time of this call.</param>
public sealed record TrainSummary(string RunFolder, long BaseSteps, long SiameseSteps, double Seconds);

/// <summary>Trains both stages of Siamese-Diffusion into a run folder.</summary>
public sealed class SiameseTrainer
{
    private readonly TrainOptions _options;
    private readonly PairedDataset _data;
    private readonly RunFolder _run;
    private readonly IMonitor _monitor;
    private readonly SiamesePipeline _pipeline;
    private readonly StageFiles _files;
    private readonly PairedDataset _baseData;
    private readonly bool _baseOnly;

    private SiameseTrainer(
        TrainOptions options, PairedDataset data, PairedDataset baseData, RunFolder run, IMonitor monitor,
        SiamesePipeline pipeline, StageFiles files, bool baseOnly) =>
        (_options, _data, _baseData, _run, _monitor, _pipeline, _files, _baseOnly) =
        (options, data, baseData, run, monitor, pipeline, files, baseOnly);

    /// <summary>Trains until both stages are done, or goes on with a run that was interrupted.</summary>
    /// <param name="options">What to train; on resuming they must be those the run began with.</param>
    /// <param name="data">Pairs at <see cref="TrainOptions.ImageSize"/>.</param>
    /// <param name="runFolder">New, or that of the run to resume.</param>
    /// <param name="monitor">Watches; a cancelled run is saved first.</param>
    /// <param name="resume">Goes on from the newest checkpoint instead of beginning.</param>
    /// <param name="unlabelled">What <see cref="TrainOptions.Unlabelled"/> holds, compared with the held-out pairs.</param>
    /// <param name="announce">Times a few steps first and tells the monitor how long the run will take here.</param>
    /// <exception cref="SiamorphException">Options, data or folder can't be used; the message says why.</exception>
    /// <exception cref="OperationCanceledException">The user stopped; a checkpoint of that step is written.</exception>
    public static TrainSummary Run(
        TrainOptions options, PairedDataset data, string runFolder, IMonitor monitor, bool resume = false, bool announce = false,
        UnlabelledImages? unlabelled = null)
        => Run(options, data, runFolder, monitor, (resume, announce), unlabelled, baseOnly: false, SingleProcess.Instance);

    /// <summary>
    /// The same on several ranks, which all call this with the same options and pairs: a step is that of one process, to the bit
    /// where each of two ranks takes one whole batch in float32, to rounding otherwise. Rank 0 alone writes.
    /// </summary>
    internal static TrainSummary Run(
        TrainOptions options, PairedDataset data, string runFolder, IMonitor monitor, bool resume, UnlabelledImages? unlabelled,
        IProcessGroup group)
        => Run(options, data, runFolder, monitor, (resume, Announce: group.Size == 1), unlabelled, baseOnly: false, group);

    /// <summary>
    /// Runs base training alone, for runs that differ in siamese training only and take it over (<see cref="AdoptBase"/>).
    /// </summary>
    internal static void RunBase(TrainOptions options, PairedDataset data, string runFolder, IMonitor monitor, bool resume,
        UnlabelledImages? unlabelled = null)
        => Run(options, data, runFolder, monitor, (resume, false), unlabelled, baseOnly: true, SingleProcess.Instance);

    /// <summary>
    /// Begins a run with the base training of another, to be gone on with by resuming: weights, optimizer, averages and log. The
    /// result is bit for bit that of a run that trains its own. Does nothing in a folder that has a checkpoint.
    /// </summary>
    internal static void AdoptBase(TrainOptions options, string baseFolder, string runFolder)
    {
        var (from, to) = (new RunFolder(baseFolder), new RunFolder(runFolder));
        if (Checkpoint.Latest(runFolder) is not null) return;
        if (!File.Exists(to.OptionsPath)) to.Begin(options);
        var source = Checkpoint.Latest(baseFolder)
            ?? throw new SiamorphException($"{baseFolder}: has no checkpoint. Remove this folder; it is made again.");
        AtomicFile.WriteText(to.LogPath, File.ReadAllText(from.LogPath));
        var record = Path.Combine(baseFolder, DataRecord.FileName);
        if (File.Exists(record)) AtomicFile.WriteText(Path.Combine(runFolder, DataRecord.FileName), File.ReadAllText(record));
        var staged = $"{to.Checkpoint(options.Base.Steps)}.{Guid.NewGuid():N}.partial";
        Directory.CreateDirectory(staged);
        foreach (var file in Directory.GetFiles(source)) File.Copy(file, Path.Combine(staged, Path.GetFileName(file)));
        Directory.Move(staged, to.Checkpoint(options.Base.Steps));
    }

    private static TrainSummary Run(
        TrainOptions options, PairedDataset data, string runFolder, IMonitor monitor, (bool Resume, bool Announce) how,
        UnlabelledImages? unlabelled, bool baseOnly,
        IProcessGroup group)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(monitor);
        options.Validate();
        if (data.Size.Width != options.ImageSize || data.Size.Height != options.ImageSize)
            throw new ArgumentException($"The data is {data.Size}, the model {options.ImageSize}.", nameof(data));
        if ((data.SoftMasks is not null) != options.LabelReading.IsSoft)
            throw new ArgumentException($"Labels are to be {options.Labels}, and the data were loaded otherwise.", nameof(data));
        if ((options.Unlabelled is null) != (unlabelled is null))
            throw new ArgumentException("Unlabelled images are given where the options name their folder, and only there.",
                nameof(unlabelled));
        var clock = Stopwatch.StartNew();
        var run = new RunFolder(runFolder);
        var (resume, announce) = how;
        using var alone = group.Rank == 0 ? FolderLock.Take(runFolder) : null;
        if (group.Rank == 0) Begin(options, data, run, monitor, resume, unlabelled);
        group.Barrier();
        if (group.Rank > 0) Begin(options, data, run, monitor, resume: true, unlabelled); // compares with what rank 0 has written
        using var more = unlabelled is null ? null : options.Load(
            [.. data.Pairs, .. unlabelled.Images.Select(i => i with
            {
                Classes = data.Classes, Range = data.Range ?? i.Range,
            })], monitor);
        // A large model twice would not fit
        if (announce && options.BaseWeights is null) monitor.Note(Announcement(options, data));
        var place = Placement.Of(options.Device, options.Precision, group.LocalRank);
        using var pipeline = new SiamesePipeline(options, (more ?? data).Pairs.Select(p => p.Prompt));
        pipeline.PrepareCodec(data.Images);
        if (options.InitialWeights is { } initial && !resume) monitor.Note(InitialModel.Load(pipeline, initial));
        var cache = new ContentCache(options.CacheFolder ?? Path.Combine(runFolder, "cache"));
        pipeline.CachePrompts(data.Pairs.Select(p => p.Prompt), cache);
        if (pipeline.Initialization is { } initialization && !resume && group.Rank == 0) Tell(initialization, run, monitor);
        pipeline.MoveTo(place);
        var moments = Path.Combine(runFolder, group.Rank == 0 ? "optimizer.moments" : $"optimizer.moments-{group.Rank}");
        var files = new StageFiles(pipeline.LatentCacheIn(cache), options.OptimizerState == OptimizerStorage.Disk ? moments
            : null, group);
        new SiameseTrainer(options, data, more ?? data, run, monitor, pipeline, files, baseOnly).Stages(resume);
        return new(runFolder, options.Base.Steps, options.Siamese.Steps, clock.Elapsed.TotalSeconds);
    }

    private static void Begin(TrainOptions options, PairedDataset data, RunFolder run, IMonitor monitor, bool resume,
        UnlabelledImages? unlabelled)
    {
        if (resume) RequireSameOptions(options, run);
        else run.Begin(options);
        DataRecord.Keep(run, [("train", data.Pairs)], resume, monitor);
        if (unlabelled is not null) UnlabelledRecord.Keep(unlabelled, run, resume);
    }

    private static void Tell(ControlInitialization initialization, RunFolder run, IMonitor monitor)
    {
        var path = Path.Combine(run.Path, "initialization.json");
        AtomicFile.WriteText(path, OptionsFile.ToJson(initialization) + "\n");
        monitor.Note($"{initialization} {path} lists them.");
    }

    /// <summary>Seconds that one step of each stage takes here, measured on a throw-away model.</summary>
    /// <param name="options">What would be trained.</param>
    /// <param name="data">Pairs at <see cref="TrainOptions.ImageSize"/>.</param>
    /// <param name="steps">Steps to time for each stage, after one to warm up.</param>
    public static (double Base, double Siamese) MeasureStepSeconds(TrainOptions options, PairedDataset data, int steps = 2)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(data);
        using var pipeline = new SiamesePipeline(options, data.Pairs.Select(p => p.Prompt));
        pipeline.PrepareCodec(data.Images);
        pipeline.MoveTo(Placement.Of(options.Device, options.Precision));
        using var first = new BaseStage(pipeline, data);
        var baseSeconds = Median(first, 0, steps);
        using var second = new SiameseStage(pipeline, data);
        return (baseSeconds, Median(second, options.Siamese.Steps / 2 + 1, steps));
    }

    private static string Announcement(TrainOptions options, PairedDataset data)
    {
        var (first, second) = MeasureStepSeconds(options, data);
        var minutes = (first * options.Base.Steps + second * options.Siamese.Steps) / 60;
        return string.Create(CultureInfo.InvariantCulture,
            $"Training on {data.Count} pairs at {options.ImageSize} px: {options.Base.Steps} base steps of {first:0.00} s and "
                + $"{options.Siamese.Steps} siamese steps of about {second:0.00} s, about {minutes:0} minutes here.");
    }

    private static double Median(TrainingStage stage, long from, int steps)
    {
        stage.Step(from);
        var seconds = new double[steps];
        for (var k = 0; k < steps; k++)
        {
            var clock = Stopwatch.StartNew();
            stage.Step(from + k + 1);
            seconds[k] = clock.Elapsed.TotalSeconds;
        }
        Array.Sort(seconds);
        return seconds[steps / 2];
    }

    private IProcessGroup Group => _files.Group;

    private void Stages(bool resume)
    {
        if (Group.Rank == 0) Checkpoint.Prune(_run.Path, _options.KeepCheckpoints); // what a process that was killed has left
        Group.Barrier();
        using var checkpoint = resume && Checkpoint.Latest(_run.Path) is { } folder ? Checkpoint.Load(folder) : null;
        var stage = (string?)checkpoint?.State["stage"];
        var step = (long?)checkpoint?.State["step"] ?? 0;
        if (!Group.AllSame(stage == "siamese" ? _options.Base.Steps + step : step))
            throw new SiamorphException($"{_run.Path}: ranks see different checkpoints. The run folder has to be on a file "
                + $"system that all machines share.");
        using var log = Group.Rank > 0 ? null
            : new TrainingLog(_run, keepThrough: checkpoint is null ? 0 : stage == "base" ? step : _options.Base.Steps + step);
        if (_options.Base.Steps > 0 && stage != "siamese")
        {
            using var first = new BaseStage(_pipeline, _baseData, _files);
            if (checkpoint is not null) first.Restore(checkpoint);
            checkpoint?.Dispose(); // open files can't be removed everywhere
            Train(first, stage == "base" ? step : 0, 0, log);
            first.KeepAverages();
        }
        if (_baseOnly) return;
        // A model that began with another's weights has a ControlNet that reads masks already.
        if (stage != "siamese" && _options.InitialWeights is null
            && (_pipeline.Initialization is null || _options.Base.Steps > 0)) _pipeline.Model.ControlNet.CopyEncoder(
                _pipeline.Model.UNet);
        using var second = new SiameseStage(_pipeline, _data, _files);
        if (stage == "siamese") second.Restore(checkpoint!);
        checkpoint?.Dispose();
        Train(second, stage == "siamese" ? step : 0, _options.Base.Steps, log);
    }

    private void Train(TrainingStage stage, long from, long stepsBefore, TrainingLog? log)
    {
        using var watched = _monitor.Begin($"{stage.Name} training", stage.Options.Steps);
        using var heap = NoCollectionRegion.Enter();
        var saved = from;
        for (var step = from; step < stage.Options.Steps; step++)
        {
            if (Group.Any(_monitor.Cancellation.IsCancellationRequested)) Stop(stage, step, stepsBefore, saved);
            var values = stage.Step(step);
            var done = step + 1;
            log?.Add(stepsBefore + done, values.ToDictionary(v => $"{stage.Name}/{v.Key}", v => v.Value));
            watched.Report(done, Detail(values));
            heap.StepDone();
            if (_options.PreviewEvery > 0 && done % _options.PreviewEvery == 0) Preview(stage, stepsBefore + done);
            if (done % _options.CheckpointEvery != 0 && done != stage.Options.Steps) continue;
            Save(stage, done, stepsBefore);
            saved = done;
        }
        if (stage is SiameseStage && (_options.PreviewEvery == 0 || stage.Options.Steps % _options.PreviewEvery != 0))
            Preview(stage, stepsBefore + stage.Options.Steps);
    }

    private void Stop(TrainingStage stage, long step, long stepsBefore, long saved)
    {
        if (saved != step || step == 0) Save(stage, step, stepsBefore);
        throw new OperationCanceledException(
            $"Stopped at step {step} of {stage.Name} training and saved. Continue with --resume.");
    }

    private void Save(TrainingStage stage, long step, long stepsBefore)
    {
        if (Group.Rank == 0)
        {
            stage.Save(_run.Checkpoint(stepsBefore + step), step);
            Checkpoint.Prune(_run.Path, _options.KeepCheckpoints);
        }
        Group.Barrier();
    }

    private void Preview(TrainingStage stage, long globalStep)
    {
        if (stage is BaseStage || Group.Rank > 0) return; // there is no control yet: nothing to see under a mask
        using var averages = stage.SwapAverages();
        PreviewSheet.Write(_pipeline, _data,
            Path.Combine(_run.PreviewsFolder, string.Create(CultureInfo.InvariantCulture, $"step-{globalStep:000000}.png")));
    }

    private static string Detail(IReadOnlyDictionary<string, double> values)
    {
        string[] shown = ["total", "mask", "image", "consistency", "augmentation"];
        return string.Join(" ", shown.Where(values.ContainsKey)
            .Select(n => string.Create(CultureInfo.InvariantCulture, $"{n} {values[n]:0.0000}")));
    }

    private static void RequireSameOptions(TrainOptions options, RunFolder run)
    {
        var (given, begun) = (OptionsFile.ToJson(options), OptionsFile.ToJson(run.Options<TrainOptions>()));
        if (given != begun)
            throw new InvalidOptionsException(
                $"{run.OptionsPath}: the run began with other options. Resume it with --resume and no other option.");
    }
}
