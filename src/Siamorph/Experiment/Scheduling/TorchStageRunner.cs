using System.Globalization;
using Siamorph.Data;
using Siamorph.Data.Folders;
using Siamorph.Evaluation.Masks;
using Siamorph.Experiment.Results;
using Siamorph.Experiment.Stages;
using Siamorph.Imaging;
using Siamorph.Segmentation;
using Siamorph.Siamese;
using Siamorph.Synthesis;
using Siamorph.Training;

namespace Siamorph.Experiment.Scheduling;

/// <summary>The real work: binds the stages of an experiment to the trainers and the synthesizer.</summary>
internal sealed class TorchStageRunner : IStageRunner
{
    // Validation and test images are the same for all networks of an experiment: loaded once.
    private readonly Dictionary<(IReadOnlyList<ImageMaskPair>, ImageSize), PairedDataset> _loaded = [];

    public BaseOutcome TrainBase(SharedBaseStage stage, string folder, IMonitor monitor)
    {
        var options = stage.Options;
        using var data = options.Load(stage.Pairs, monitor);
        SiameseTrainer.RunBase(options, data, folder, monitor, resume: File.Exists(new RunFolder(folder).OptionsPath),
            stage.Unlabelled);
        return new(ContentHash.OfFile(Path.Combine(Checkpoint.Latest(folder)!, "manifest.json")));
    }

    public GeneratorOutcome Train(
        GeneratorStage stage, string? baseFolder, IReadOnlyList<ImageMaskPair> labelled, string folder, IMonitor monitor)
    {
        var options = stage.Options;
        if (baseFolder is not null) SiameseTrainer.AdoptBase(options, baseFolder, folder);
        using var data = options.Load([.. stage.Pairs, .. labelled], monitor);
        var run = new RunFolder(folder);
        SiameseTrainer.Run(options, data, folder, monitor, resume: File.Exists(run.OptionsPath), unlabelled: stage.Unlabelled);
        using var pipeline = SiamesePipeline.Load(folder);
        return new GeneratorOutcome
        {
            ModelHash = ContentHash.OfFile(Path.Combine(Checkpoint.Latest(folder)!, "manifest.json")),
            Parameters = pipeline.Tensors().Values.Sum(t => t.numel()),
            Stages = CurveReader.Stages(run),
        };
    }

    public SynthesisOutcome Synthesize(
        SynthesisStage stage, string? generatorFolder, IReadOnlyList<ImageMaskPair> shapes, string folder, IMonitor monitor)
    {
        IReadOnlyList<ImageMaskPair> masks = [.. stage.Masks, .. shapes];
        var made = generatorFolder is null
            ? Synthesizer.Edit(masks, stage.Options, stage.Like, folder, monitor)
            : Synthesizer.Run(generatorFolder, masks, stage.Options, folder, monitor);
        var hashes = ContentHash.OfEach(made.Pairs, monitor);
        return new SynthesisOutcome(made.Pairs.Count, ContentHash.OfList(made.Pairs, hashes));
    }

    public PretrainingOutcome Pretrain(PretrainingStage stage, string folder, IMonitor monitor)
    {
        using var images = stage.Options.Load(stage.Images, monitor);
        return new(ContentHash.OfFile(DenoisingPretraining.Run(stage.Options, images, folder, monitor)));
    }

    public LabellingOutcome Label(LabellingStage stage, string teacherFolder, string folder, IMonitor monitor)
    {
        using var predictor = Predictor.Load(teacherFolder, Placement.On(stage.Teacher.Options.Device));
        return PseudoLabels.Write(predictor, stage.Images.Images, folder, stage.Soft, monitor);
    }

    public GateOutcome Judge(GateStage stage, string syntheticFolder, string folder, IMonitor monitor)
    {
        var pairs = ReadSynthetic(syntheticFolder);
        var (ofReal, ofSynthetic) = OutOfFoldEnsemble.Look(stage.Network, stage.Options.Folds, stage.Real, pairs,
            Path.Combine(folder, "networks"), monitor);
        var gate = new QualityGate([.. stage.Real.Select((p, i) => Input(p, ofReal[i]))], stage.Options);
        var verdicts = gate.Judge(pairs.Select((p, i) => Input(p, ofSynthetic[i])), stage.Wanted, stage.Options.Selection);
        DatasetFolder.WriteManifest(folder, pairs.Zip(verdicts, (p, v) => p with
        {
            Origin = p.Origin! with { GateVerdict = v.Line },
        }));
        return GateOutcome.Of(verdicts, gate);
    }

    public long StepsDone(PlannedStage stage, string folder)
    {
        // Only a generator's steps take so long that what is left of it matters. Checkpoints count through both stages.
        if (stage is not (GeneratorStage or SharedBaseStage) || Checkpoint.Latest(folder) is not { } checkpoint) return 0;
        if (!long.TryParse(Path.GetFileName(checkpoint).AsSpan("step-".Length), NumberStyles.None, CultureInfo.InvariantCulture,
            out var steps)) return 0;
        return stage is GeneratorStage { Base: not null } generator ? Math.Max(0, steps - generator.Options.Base.Steps) : steps;
    }

    public IReadOnlyList<ImageMaskPair> ReadSynthetic(string folder) => DatasetFolder.Read(folder).Pairs;

    public SegmentationOutcome Segment(SegmentationWork work, string folder, IMonitor monitor)
    {
        using var train = work.Options.Load(work.Train, monitor);
        var validation = Loaded(work.Validation, work.Options.ImageSize, monitor);
        var summary = SegmentationTrainer.Run(work.Options, train, validation, folder, monitor, resume: true);
        using var predictor = Predictor.Load(folder, Placement.On(work.Options.Device));
        var test = Loaded(work.Test, work.Options.ImageSize, monitor);
        var scores = Test(predictor, test, folder, monitor);
        return new SegmentationOutcome
        {
            ModelHash = summary.ModelHash,
            BestStep = summary.BestStep,
            ValidationDice = summary.BestValidationDice,
            Dice = scores.Dice,
            Iou = scores.Iou,
            MeanDice = scores.MeanDice,
            MeanIou = scores.MeanIou,
            Loss = new Curve("training loss", [.. summary.History.Select(h => (long)h.Step)],
                [.. summary.History.Select(h => h.TrainLoss)]),
            Validation = new Curve("validation Dice", [.. summary.History.Select(h => (long)h.Step)],
                [.. summary.History.Select(h => h.Dice)]),
            Images = [.. scores.Images.Select((s, i) => Score(s, Lesions(test, i, folder)))],
        };
    }

    public RobustnessOutcome Corrupt(RobustnessStage stage, string networkFolder, IMonitor monitor)
    {
        using var predictor = Predictor.Load(networkFolder, Placement.On(stage.Device));
        var test = Loaded(stage.Test, predictor.ImageSize, monitor);
        return new(RobustnessEvaluator.Evaluate(predictor, test, stage.Corruptions, stage.Seed, monitor));
    }

    public ExternalOutcome TestElsewhere(ExternalStage stage, string networkFolder, IMonitor monitor)
    {
        using var predictor = Predictor.Load(networkFolder, Placement.On(stage.Device));
        return new([.. stage.Sets.Select(set =>
        {
            var scores = SegmentationEvaluator.Evaluate(predictor, Loaded(set.Pairs, predictor.ImageSize, monitor), monitor);
            return new ExternalScores(set.Name, [.. scores.Images.Select(i => i.Dice)], [.. scores.Images.Select(i => i.Iou)]);
        })]);
    }

    public StageSpeeds Measure(ExperimentPlan plan, string folder, IMonitor monitor)
        => SpeedMeasurement.Run(plan, folder, monitor);

    public void Dispose()
    {
        foreach (var data in _loaded.Values) data.Dispose();
        _loaded.Clear();
    }

    private PairedDataset Loaded(IReadOnlyList<ImageMaskPair> pairs, ImageSize size, IMonitor monitor)
    {
        if (!_loaded.TryGetValue((pairs, size), out var data))
            _loaded[(pairs, size)] = data = PairedDataset.Load(pairs, size, monitor);
        return data;
    }

    private static GateInput Input(ImageMaskPair pair, ProbabilityMap found)
        => new(pair.Id, Resize.Image(PairFiles.ReadImage(pair), found.Size), Resize.Mask(PairFiles.ReadMask(pair), found.Size),
        found) { IsEditedReal = pair.Origin?.IsEditedReal == true };

    private static ImageScore Score(MaskScore score, LesionDetection found)
        => new(score.Id, score.Dice, score.Iou, found.Lesions.Count, found.Missed, found.FalseAlarms);

    private static LesionDetection Lesions(PairedDataset test, int index, string folder)
        => LesionDetection.Of(new LabelMap(test.Size, test.Masks[index].bytes.ToArray()),
        ImageFile.ReadMask(SheetWriter.PredictionFile(folder, index)));

    // Scores the test images and keeps the decisions, which the report shows for some of them.
    private static MaskScores Test(Predictor predictor, PairedDataset data, string folder, IMonitor monitor)
    {
        var scores = SegmentationEvaluator.Evaluate(predictor, data, monitor);
        for (var i = 0; i < data.Count; i++)
        {
            monitor.Cancellation.ThrowIfCancellationRequested();
            using var scope = TorchSharp.torch.NewDisposeScope();
            var probabilities = predictor.Predict(Predictor.ToUnit(data.Images[i..(i + 1)]));
            ImageFile.WriteMaskPng(SheetWriter.PredictionFile(folder, i), ImageTensor.ToMask(probabilities[0]));
        }
        return scores;
    }
}
