using Siamorph.Data;
using Siamorph.Data.Folders;
using Siamorph.Experiment.Results;
using Siamorph.Experiment.Scheduling;
using Siamorph.Experiment.Stages;
using Siamorph.Imaging;
using Siamorph.Segmentation;

namespace Siamorph.Tests.Experiment;

/// <summary>Does no work, answers with what follows from its inputs, and can be made to die.</summary>
internal sealed class FakeStageRunner : IStageRunner
{
    public List<string> Ran { get; } = [];

    public List<GeneratorStage> Generators { get; } = [];

    public List<(string Folder, SegmentationWork Work)> Segmentations { get; } = [];

    /// <summary>Dies in the middle of the stage of this number, from 0.</summary>
    public int DiesAt { get; init; } = int.MaxValue;

    /// <summary>How long each stage takes.</summary>
    public TimeSpan Pause { get; init; }

    public BaseOutcome TrainBase(SharedBaseStage stage, string folder, IMonitor monitor)
    {
        Work(stage.Folder, folder);
        return new(stage.Key);
    }

    public GeneratorOutcome Train(
        GeneratorStage stage, string? baseFolder, IReadOnlyList<ImageMaskPair> labelled, string folder, IMonitor monitor)
    {
        Assert.Equal(stage.Labelled?.Images.Images.Count ?? 0, labelled.Count);
        if (stage.Base is not null) Assert.True(Directory.Exists(baseFolder));
        Generators.Add(stage);
        Work(stage.Folder, folder);
        return new() { ModelHash = stage.Key, Parameters = 1, Stages = [new("base", [new("loss", [1, 2], [0.5, 0.25])])] };
    }

    public ExternalOutcome TestElsewhere(ExternalStage stage, string networkFolder, IMonitor monitor)
    {
        Assert.True(Directory.Exists(networkFolder));
        var better = stage.Network.Arm.Name == "real" ? 0 : 0.05;
        return new([.. stage.Sets.Select((set, i) => new ExternalScores(
            set.Name, [.. set.Pairs.Select((_, k) => 0.5 + 0.1 * i + 0.001 * k + better)], [.. set.Pairs.Select(_ => 0.4)]))]);
    }

    public PretrainingOutcome Pretrain(PretrainingStage stage, string folder, IMonitor monitor)
    {
        Work(stage.Folder, folder);
        return new(stage.Key);
    }

    public LabellingOutcome Label(LabellingStage stage, string teacherFolder, string folder, IMonitor monitor)
    {
        Assert.True(Directory.Exists(teacherFolder));
        Work(stage.Folder, folder);
        WritePairs("u", stage.Images.Images.Count, folder);
        return new(stage.Images.Images.Count, 0, stage.Key);
    }

    public SynthesisOutcome Synthesize(
        SynthesisStage stage, string? generatorFolder, IReadOnlyList<ImageMaskPair> shapes, string folder, IMonitor monitor)
    {
        Assert.Equal(stage.Generator is not null, Directory.Exists(generatorFolder));
        Work(stage.Folder, folder);
        Assert.Equal(stage.Shapes?.Images.Images.Count ?? 0, shapes.Count);
        WritePairs("s", stage.Options.Count!.Value, folder);
        return new(stage.Options.Count.Value, stage.Key);
    }

    private static void WritePairs(string prefix, int count, string folder)
    {
        var pairs = Enumerable.Range(0, count).Select(i => new ImageMaskPair
        {
            Id = $"{prefix}{i}",
            ImagePath = Path.Combine(folder, "images", $"{prefix}{i}.png"),
            MaskPath = Path.Combine(folder, "masks", $"{prefix}{i}.png"),
            Source = PairSource.Synthetic,
            Split = "train",
        }).ToList();
        foreach (var pair in pairs)
        {
            ImageFile.WritePng(pair.ImagePath, new RgbImage(new ImageSize(16, 16)));
            ImageFile.WriteMaskPng(pair.MaskPath, new LabelMap(new ImageSize(16, 16)));
        }
        DatasetFolder.WriteManifest(folder, pairs);
    }

    public GateOutcome Judge(GateStage stage, string syntheticFolder, string folder, IMonitor monitor)
    {
        Work(stage.Folder, folder);
        var pairs = DatasetFolder.Read(syntheticFolder).Pairs;
        DatasetFolder.WriteManifest(folder, pairs.Select((p, i) => p with
        {
            Origin = new SyntheticOrigin("m", 1, "ddim", 1, 1, p.Id, GateVerdict: i < stage.Wanted ? "kept"
                : "refused: no reason"),
        }));
        return new()
        {
            Candidates = pairs.Count, Passed = stage.Wanted, Kept = stage.Wanted, Reasons = new Dictionary<string, int>
            {
                ["agreement"] = 1,
            },
            Limits = new(0.5, 0.1, 5, 3, 0.01, 0.5, 2), RealAgreement = 0.9, CandidateAgreement = 0.85, WrongMasksRefused = 0.6,
            KeptDifficulty = 0.2,
        };
    }

    public long StepsDone(PlannedStage stage, string folder) => 0;

    public IReadOnlyList<ImageMaskPair> ReadSynthetic(string folder) => DatasetFolder.Read(folder).Pairs;

    public SegmentationOutcome Segment(SegmentationWork work, string folder, IMonitor monitor)
    {
        Segmentations.Add((folder, work));
        Work(Path.GetFileName(Path.GetDirectoryName(folder)!), folder);
        var random = work.Options.Seed.Derive(work.Train.Count).Random();
        var images = work.Test.Select(p => random.Uniform(0.2, 0.9))
            .Select((d, i) => new ImageScore(work.Test[i].Id, d, d / (2 - d))).ToList();
        for (var i = 0; i < work.Test.Count; i++)
            ImageFile.WriteMaskPng(Path.Combine(folder, "predictions", $"{i + 1:0000}.png"),
                new LabelMap(work.Options.ImageSize));
        return new()
        {
            ModelHash = new string('0', 64),
            BestStep = 1,
            ValidationDice = 0.5,
            Dice = images.Average(i => i.Dice),
            Iou = images.Average(i => i.Iou),
            MeanDice = 0.5,
            MeanIou = 0.4,
            Loss = new("loss", [1], [1]),
            Validation = new("Dice", [1], [0.5]),
            Images = images,
        };
    }

    public RobustnessOutcome Corrupt(RobustnessStage stage, string networkFolder, IMonitor monitor)
    {
        Assert.True(Directory.Exists(networkFolder));
        Work(stage.Folder, networkFolder + "-robustness");
        var random = stage.Network.Options.Seed.Derive(stage.Network.Arm.Name).Random();
        return new([.. stage.Corruptions.SelectMany(k => Enumerable.Range(1, 3).Select(strength =>
        {
            var images = stage.Test.Select(_ => Math.Round(random.Uniform(0.2, 0.9) / strength, 4)).ToList();
            return new CorruptedScores(k, strength, images.Average(), images);
        }))]);
    }

    public StageSpeeds Measure(ExperimentPlan plan, string folder, IMonitor monitor)
        => new() { SecondsPerUnit = new Dictionary<WorkKind, double> { [WorkKind.BaseStep] = 0.1 } };

    public void Dispose() { }

    private void Work(string stage, string folder)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "half-done"), stage);
        Thread.Sleep(Pause);
        if (Ran.Count == DiesAt) throw new IOException("killed");
        Ran.Add(stage);
    }
}
