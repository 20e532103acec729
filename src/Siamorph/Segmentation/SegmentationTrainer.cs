using System.Security.Cryptography;
using Siamorph.Data;
using Siamorph.Training;

namespace Siamorph.Segmentation;

/// <summary>
/// Trains a segmentation network for a fixed number of optimizer steps and keeps the weights that did best on the
/// validation split, or the last ones. The test split has no part in it.
/// </summary>
public static class SegmentationTrainer
{
    private const int LogEvery = 10;

    /// <summary>The record of a finished run in its folder; written last, so its presence says that the run is whole.</summary>
    public const string SummaryFile = "summary.json";

    /// <summary>Trains, and writes the run folder: options, log, checkpoints, model.safetensors, summary.json.</summary>
    /// <param name="options">What to do.</param>
    /// <param name="train">Real and synthetic pairs, of the options' size; stays the caller's.</param>
    /// <param name="validation">Pairs to choose the best weights by, of the same size; stays the caller's.</param>
    /// <param name="runFolder">Where to write.</param>
    /// <param name="monitor">Sees every step and may stop the run, which saves a checkpoint first.</param>
    /// <param name="resume">Goes on with a run begun in this folder, bit for bit; a finished one is returned at once.</param>
    /// <returns>What <see cref="SummaryFile"/> holds.</returns>
    /// <exception cref="InvalidOptionsException">The options have faults, or do not fit the data.</exception>
    /// <exception cref="SiamorphException">The folder holds another run or can't be written, or the loss is not a
    /// number.</exception>
    /// <exception cref="OperationCanceledException">The monitor asked to stop; a resumed run goes on from here.</exception>
    public static SegmentationSummary Run(
        SegmentationOptions options, PairedDataset train, PairedDataset validation, string runFolder, IMonitor monitor,
        bool resume = false)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(train);
        ArgumentNullException.ThrowIfNull(validation);
        ArgumentNullException.ThrowIfNull(monitor);
        options = options.Validate().For(train.Classes);
        if ((train.SoftMasks is not null) != options.LabelReading.IsSoft)
            throw new InvalidOptionsException(
                $"labels are {(options.LabelReading.IsSoft ? "soft" : "hard")}, and the training pairs were loaded otherwise. "
                    + $"Load them with these options.");
        DemandSize(options, train, "training");
        DemandSize(options, validation, "validation");
        if (options.Network.Classes > 1 && train.Classes?.Count != options.Network.Classes)
            throw new InvalidOptionsException(
                $"network.classes is {options.Network.Classes}, the data have "
                    + (train.Classes is { } known ? $"{known.Count}" : "no table of classes")
                    + $". Give the data a {ClassTable.FileName} with as many.");
        if (train.Pairs.Any(p => p.IsUnlabelled)) DemandTeacher(options);
        var run = new RunFolder(runFolder);
        using var alone = FolderLock.Take(runFolder);
        var begun = resume && File.Exists(run.LogPath);
        if (begun)
        {
            DemandSameOptions(run, options);
            DataRecord.Keep(run, Parts(train, validation), resume: true, monitor);
        }
        if (begun && ReadSummary(runFolder) is { } finished) return finished;

        using var session = new SegmentationSession(options, train, validation);
        if (begun) session.Restore(run);
        else
        {
            var loaded = session.LoadWeights();
            run.Begin(options);
            DataRecord.Keep(run, Parts(train, validation), resume: false, monitor);
            foreach (var line in loaded) monitor.Note(line);
        }
        using (var log = new TrainingLog(run, keepThrough: session.Step)) Train(options, session, run, log, monitor);
        return Finish(options, train, validation, session, run);
    }

    /// <summary>The same with pairs from folders, see <see cref="SegmentationData.Load"/>.</summary>
    /// <param name="options">What to do.</param>
    /// <param name="dataset">A dataset folder with the splits "train" and "val".</param>
    /// <param name="synthetic">Folders of synthetic pairs to learn from as well; may be empty.</param>
    /// <param name="runFolder">Where to write.</param>
    /// <param name="monitor">Sees every step and may stop the run, which saves a checkpoint first.</param>
    /// <param name="resume">Goes on with a run begun in this folder.</param>
    /// <param name="unlabelled">Folder of images without masks to learn from as well; null for none.</param>
    /// <exception cref="InvalidDatasetException">A split or file is missing or damaged.</exception>
    /// <inheritdoc cref="Run(SegmentationOptions, PairedDataset, PairedDataset, string, IMonitor, bool)"/>
    public static SegmentationSummary Run(
        SegmentationOptions options, string dataset, IReadOnlyList<string> synthetic, string runFolder, IMonitor monitor,
        bool resume = false, string? unlabelled = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        using var data = SegmentationData.Load(dataset, synthetic, options.Validate(), monitor, unlabelled);
        if (unlabelled is not null) options = options with { SyntheticFraction = options.SyntheticFraction ?? 0.5 };
        return Run(options, data.Train, data.Validation, runFolder, monitor, resume);
    }

    private static (string, IReadOnlyList<ImageMaskPair>)[] Parts(PairedDataset train, PairedDataset validation) =>
    [
        ("train", [.. train.Pairs.Where(p => p.Source == PairSource.Real)]),
        ("synthetic", [.. train.Pairs.Where(p => p.Source == PairSource.Synthetic && !p.IsUnlabelled)]),
        ("unlabelled", [.. train.Pairs.Where(p => p.IsUnlabelled)]),
        ("val", validation.Pairs),
    ];

    private static void DemandTeacher(SegmentationOptions options)
    {
        var faults = new List<string>();
        if (options.EmaDecay == 0) faults.Add(
            "emaDecay is 0: images without masks are taught by averaged weights. Give a decay, such as 0.99.");
        if (options.ConsistencyWeight == 0)
            faults.Add("consistencyWeight is 0, so images without masks would have no effect. Raise it, or leave them out.");
        if (options.ContrastWeight > 0)
            faults.Add("contrastWeight is above 0: the contrastive loss needs masks for all images. Set it to 0, or leave images "
                + "without masks out.");
        if (options.SyntheticWeight != 1)
            faults.Add("syntheticWeight must be 1 when images without masks are used. Set it to 1; consistencyWeight weights "
                + "those images.");
        if (faults.Count > 0) throw new InvalidOptionsException(faults);
    }

    /// <summary>The record of a finished run; null where the run has not ended or there is none.</summary>
    /// <exception cref="SiamorphException">The file is damaged.</exception>
    public static SegmentationSummary? ReadSummary(string runFolder)
    {
        ArgumentNullException.ThrowIfNull(runFolder);
        var path = Path.Combine(runFolder, SummaryFile);
        return File.Exists(path) ? OptionsFile.Load<SegmentationSummary>(path) : null;
    }

    private static void Train(SegmentationOptions options, SegmentationSession session, RunFolder run, TrainingLog log,
        IMonitor monitor)
    {
        using var stage = monitor.Begin("Training segmentation", options.Steps);
        using var heap = NoCollectionRegion.Enter();
        while (session.Step < options.Steps)
        {
            if (monitor.Cancellation.IsCancellationRequested)
            {
                session.Save(run);
                monitor.Cancellation.ThrowIfCancellationRequested();
            }
            var (loss, rate) = session.Advance();
            var step = session.Step;
            var values = new Dictionary<string, double>();
            if (step % LogEvery == 0 || step == options.Steps) (values["loss"], values["learningRate"]) = (loss, rate);
            if (step % options.ValidateEvery == 0 || step == options.Steps)
            {
                var point = session.Validate();
                (values["validation/loss"], values["validation/dice"], values["validation/iou"]) =
                    (point.ValidationLoss, point.Dice, point.Iou);
            }
            if (values.Count > 0) log.Add(step, values);
            if (options.CheckpointEvery > 0 && step % options.CheckpointEvery == 0 && step < options.Steps) session.Save(run);
            stage.Report(step, Detail(loss, session));
            heap.StepDone();
        }
    }

    private static string Detail(double loss, SegmentationSession session) => session.History.Count == 0
        ? FormattableString.Invariant($"loss {loss:0.000}")
        : FormattableString.Invariant($"loss {loss:0.000}, validation Dice {session.Kept.Dice:0.000}");

    private static SegmentationSummary Finish(
        SegmentationOptions options, PairedDataset train, PairedDataset validation, SegmentationSession session, RunFolder run)
    {
        var model = Path.Combine(run.Path, Predictor.FileName);
        ModelFile.Write(model, session.CheckpointSelection, options,
            (options.Network.Classes > 1 ? train.Classes : null, train.Range));
        var summary = new SegmentationSummary
        {
            Options = options,
            BestStep = session.Kept.Step,
            BestValidationDice = session.Kept.Dice,
            RealPairs = train.Pairs.Count(p => p.Source == PairSource.Real),
            SyntheticPairs = train.Pairs.Count(p => p.Source == PairSource.Synthetic && !p.IsUnlabelled),
            UnlabelledImages = train.Pairs.Count(p => p.IsUnlabelled),
            ValidationPairs = validation.Count,
            Parameters = session.Parameters,
            Seconds = session.Seconds,
            ModelHash = HashOf(model),
            History = [.. session.History],
        };
        OptionsFile.Save(Path.Combine(run.Path, SummaryFile), summary);
        return summary;
    }

    private static string HashOf(string path)
    {
        using var stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    private static void DemandSize(SegmentationOptions options, PairedDataset data, string which)
    {
        if (data.Size != options.ImageSize)
            throw new InvalidOptionsException(
                $"The {which} images were loaded at {data.Size}, imageSize is {options.ImageSize}. Load them at that size.");
    }

    private static void DemandSameOptions(RunFolder run, SegmentationOptions options)
    {
        if (run.Options<SegmentationOptions>() != options)
            throw new InvalidOptionsException(
                $"{run.Path}: the run was started with other options, see {run.OptionsPath}. Use those, or choose "
                    + $"another folder.");
    }
}
