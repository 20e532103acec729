using Siamorph.Data;
using Siamorph.Experiment.Stages;
using Siamorph.Segmentation;
using Siamorph.Training;

namespace Siamorph.Experiment.Scheduling;

/// <summary>
/// One training of a segmentation network that is wanted: an arm, a number of real pairs, a seed; null is the first network.
/// </summary>
internal sealed record PlannedCell(
    ArmDefinition Arm, int RealCount, Seed Seed, string? Network, SegmentationStage Stage, RobustnessStage? Robustness = null)
{
    /// <summary>Its test on sets of other hospitals; null where there are none.</summary>
    public ExternalStage? External { get; init; }
}

/// <summary>
/// All stages of an experiment in the order in which they run. Fair by construction: the generator of a cell gets the cell's
/// real pairs and nothing else; all arms get the same number of steps, the same validation and test split, and for one seed
/// the same initial weights and the same real pairs.
/// </summary>
internal sealed class ExperimentPlan
{
    private readonly IReadOnlyDictionary<string, string> _hashes;
    private readonly StageList _stages = new();
    private readonly SyntheticPlan _synthetic;
    private readonly List<PlannedCell> _cells = [];
    private readonly string _evaluationHash;
    private readonly IReadOnlyDictionary<string, UnlabelledSet> _unlabelled;

    /// <param name="options">Validated options.</param>
    /// <param name="data">Pairs that all have a split.</param>
    /// <param name="hashes">Content hash of every pair by id.</param>
    /// <param name="unlabelled">The images of every folder that an arm's generator names, by that name.</param>
    /// <param name="external">Sets of other hospitals.</param>
    /// <exception cref="InvalidOptionsException">A split is empty or too small for what is asked.</exception>
    public ExperimentPlan(
        ExperimentOptions options, Dataset data, IReadOnlyDictionary<string, string> hashes,
        IReadOnlyDictionary<string, UnlabelledSet>? unlabelled = null, IReadOnlyList<ExternalSet>? external = null)
    {
        External = external ?? [];
        (Options, _hashes, _unlabelled) = (options, hashes, unlabelled ?? new Dictionary<string, UnlabelledSet>());
        (Train, Validation, Test) = (data.Of("train"), data.Of("val"), data.Of("test"));
        RefuseSmall();
        _synthetic = new(_stages, options, hashes, _unlabelled);
        _evaluationHash = ContentHash.Of($"{ContentHash.OfList(Validation, hashes)}\n{ContentHash.OfList(Test, hashes)}");
        foreach (var network in new string?[] { null }.Concat(options.OtherNetworks))
            foreach (var count in options.RealCounts.Select(n => n == 0 ? Train.Count : n).Distinct())
                foreach (var seed in options.Seeds)
                    foreach (var arm in options.Arms.Select(options.Arm)) AddCell(arm, count, seed, network);
    }

    public ExperimentOptions Options { get; }

    public IReadOnlyList<ImageMaskPair> Train { get; }

    public IReadOnlyList<ImageMaskPair> Validation { get; }

    public IReadOnlyList<ImageMaskPair> Test { get; }

    /// <summary>Sets of other hospitals.</summary>
    public IReadOnlyList<ExternalSet> External { get; }

    /// <summary>Every stage once, each after those it needs.</summary>
    public IReadOnlyList<PlannedStage> Stages => _stages.Stages;

    /// <summary>Those of the first network.</summary>
    public IReadOnlyList<PlannedCell> Cells => CellsOf(null);

    /// <summary>Those of a network; null is the first.</summary>
    public IReadOnlyList<PlannedCell> CellsOf(string? network) => [.. _cells.Where(c => c.Network == network)];

    /// <summary>
    /// The n real training pairs of a cell, in the order of the data; those of a smaller n are among those of a larger.
    /// </summary>
    public IReadOnlyList<ImageMaskPair> RealPairs(int count, Seed seed)
        => [.. Options.SubsetSeed(seed).Derive("real pairs").Random().Permutation(Train.Count)[..count].Order()
            .Select(i => Train[i])];

    private void RefuseSmall()
    {
        var faults = new List<string>();
        if (Validation.Count == 0) faults.Add(
            "data: the validation split is empty. Raise split.val, or fill \"val\" in the manifest.");
        if (Test.Count == 0) faults.Add("data: the test split is empty. Raise split.test, or fill \"test\" in the manifest.");
        if (Train.Count == 0) faults.Add("data: the training split is empty.");
        faults.AddRange(Options.RealCounts.Where(n => n > Train.Count)
            .Select(n =>
                $"realCounts: {n} real pairs are asked for, the training split has {Train.Count}. Ask for fewer (0 is all)."));
        if (faults.Count > 0) throw new InvalidOptionsException(faults);
    }

    private void AddCell(ArmDefinition arm, int count, Seed seed, string? network)
    {
        var stage = Segmentation(arm, RealPairs(count, seed), seed, network);
        _cells.Add(new(arm, count, seed, network, stage, Options.Corruptions.Count > 0 ? Robustness(stage) : null)
        {
            External = network is null && External.Count > 0 ? ExternalTests(stage) : null,
        });
    }

    private ExternalStage ExternalTests(SegmentationStage network)
    {
        var inputs = StageInputs.Of(ExternalStage.Of, [], new()
        {
            ["network"] = network.Key,
            ["sets"] = string.Join('\n', External.Select(s => $"{s.Name} {s.Hash}")),
        });
        return _stages.Add(inputs, network.Folder.Replace("segment-", "external-", StringComparison.Ordinal)[..^9],
            (key, folder) => new ExternalStage(network, External)
        {
            Device = Options.Segmentation.Device,
            Title = network.Title,
            Folder = folder,
            Key = key,
            Inputs = inputs,
            Phases = [new(External.Sum(s => s.Pairs.Count), WorkKind.CorruptedImage)],
        });
    }

    private SegmentationStage Segmentation(ArmDefinition arm, IReadOnlyList<ImageMaskPair> real, Seed seed, string? network)
    {
        var labelling = arm.PredictedShapes || arm.Added == AddedPairs.PseudoLabels ? Labelling(arm, real, seed, network) : null;
        // Probabilities are of one class: several keep their decisions.
        var labelled = arm.LabelledGenerator ? Labelling(arm, real, seed, network, soft: real[0].Classes is null) : null;
        var added = Added(arm, real.Count);
        IReadOnlyList<ImageMaskPair> unlabelled = arm.MeanTeacher
            ? [.. SegmentationData.AsAdded(Unlabelled.Images.Images, real[0])] : [];
        var drawn = arm.Gate ? (int)Math.Ceiling(added * Options.Gate.Candidates) : added;
        var generator = arm.UsesGenerator(Options) ? _synthetic.Generator(arm, real, seed, labelled) : null;
        var synthesis = arm.UsesSynthetic ? _synthetic.Synthesis(arm, generator, real, drawn, seed, labelling) : null;
        var gate = arm.Gate ? _synthetic.Gate(arm, synthesis!, real, added, seed) : null;
        var options = arm.SegmentationOptions(Options.SegmentationOf(network)) with { Seed = seed.Derive("segmentation") };
        if (arm.UsesReal && added + unlabelled.Count > 0) options = options with
        {
            SyntheticFraction = options.SyntheticFraction ?? Options.SyntheticShare,
        };
        if (arm.StepFactor != 1) options = options with { Steps = Math.Max(1, (int)Math.Round(options.Steps * arm.StepFactor)) };
        var pretraining = arm.DenoisingPretrained ? Pretraining(options, real, seed, network) : null;
        var armSeed = seed.Derive("arm").Derive(arm.Name);
        var inputs = StageInputs.Of(SegmentationStage.Of, OptionsFile.ToNode(StageInputs.Anywhere(options)), new()
        {
            ["arm"] = arm.Name,
            ["armSeed"] = armSeed.Value,
            ["real"] = ContentHash.OfList(real, _hashes),
            ["added"] = $"{arm.Added} {added}{(arm.UsesReal ? "" : ", no real")}{(arm.WrongMasks ? ", wrong masks" : "")}",
            ["synthetic"] = gate?.Key ?? synthesis?.Key ?? labelling?.Key,
            ["evaluation"] = _evaluationHash,
        });
        if (arm.MeanTeacher) inputs["inputs"]!["unlabelled"] = Unlabelled.Hash;
        if (pretraining is not null) inputs["inputs"]!["pretraining"] = pretraining.Key;
        StageInputs.AddWeights(inputs, options);
        return _stages.Add(inputs, $"segment-{(network is null ? "" : $"{SafeName(network)}-")}{SafeName(arm.Name)}-n"
            + $"{real.Count}-seed{seed}", (key, folder) =>
            new SegmentationStage(arm, real, synthesis, gate, added, options, armSeed)
            {
                Labelling = arm.Added == AddedPairs.PseudoLabels ? labelling : null,
                Unlabelled = unlabelled,
                Pretraining = pretraining,
                Title = $"{(network is null ? "" : $"{network}: ")}{arm.Title}, {real.Count} real pairs, seed {seed}",
                Folder = folder,
                Key = key,
                Inputs = inputs,
                Phases = [new(options.Steps, WorkKind.SegmentationStep, network)],
            });
    }

    // Of predicted shapes and pseudo-labels there are as many as images without masks, whatever the ratio.
    private int Added(ArmDefinition arm, int count) => arm switch
    {
        { Added: AddedPairs.None } => 0,
        { Added: AddedPairs.PseudoLabels } => Unlabelled.Images.Images.Count,
        { PredictedShapes: true, Ratio: null } => count + Unlabelled.Images.Images.Count,
        _ => Math.Max(1, (int)Math.Round(count * (arm.Ratio ?? Options.SyntheticPerReal))),
    };

    private UnlabelledSet Unlabelled => _unlabelled[Options.Generator.Unlabelled!];

    // The teacher is a network of the same real pairs and seed: no label is spent that the cell does not have.
    private LabellingStage Labelling(
        ArmDefinition arm, IReadOnlyList<ImageMaskPair> real, Seed seed, string? network, bool soft = false)
    {
        var teacher = Segmentation(Options.Arm(arm.Teacher ?? Options.Arms[0]), real, seed, network);
        var inputs = StageInputs.Of(LabellingStage.Of, [], new() { ["teacher"] = teacher.Key, ["unlabelled"] = Unlabelled.Hash });
        if (soft) inputs["inputs"]!["soft"] = true;
        return _stages.Add(inputs, $"labelled-n{real.Count}-seed{seed}",
            (key, folder) => new LabellingStage(teacher, Unlabelled.Images)
        {
            Soft = soft,
            Title = $"{Unlabelled.Images.Images.Count} images without masks{SeedText(true, seed)}",
            Folder = folder,
            Key = key,
            Inputs = inputs,
            Phases = [new(Unlabelled.Images.Images.Count, WorkKind.CorruptedImage)],
        });
    }

    private PretrainingStage Pretraining(
        SegmentationOptions options, IReadOnlyList<ImageMaskPair> real, Seed seed, string? network)
    {
        var inputs = StageInputs.Of(PretrainingStage.Of, OptionsFile.ToNode(StageInputs.Anywhere(options)), new()
        {
            ["real"] = ContentHash.OfList(real, _hashes), ["unlabelled"] = Unlabelled.Hash,
        });
        StageInputs.AddWeights(inputs, options);
        return _stages.Add(inputs, $"pretrained-n{real.Count}-seed{seed}", (key, folder) =>
            new PretrainingStage([.. real, .. SegmentationData.AsAdded(Unlabelled.Images.Images, real[0])], options)
            {
                Title = $"{real.Count} real images and {Unlabelled.Images.Images.Count} without masks{SeedText(true, seed)}",
                Folder = folder,
                Key = key,
                Inputs = inputs,
                Phases = [new(options.Steps, WorkKind.SegmentationStep, network)],
            });
    }

    private RobustnessStage Robustness(SegmentationStage network)
    {
        var seed = Options.Seeds[0]; // every network sees the same corrupted images
        var inputs = StageInputs.Of(RobustnessStage.Of, [], new()
        {
            ["network"] = network.Key,
            ["corruptions"] = string.Join(' ', Options.Corruptions),
            ["seed"] = seed.Value,
        });
        return _stages.Add(inputs, network.Folder.Replace("segment-", "robustness-", StringComparison.Ordinal)[..^9],
            (key, folder) => new RobustnessStage(network, Test, Options.Corruptions, seed)
            {
                Device = Options.Segmentation.Device,
                Title = network.Title,
                Folder = folder,
                Key = key,
                Inputs = inputs,
                Phases = [new(RobustnessEvaluator.Images(Test.Count, Options.Corruptions.Count), WorkKind.CorruptedImage)],
            });
    }

    internal static string SeedText(bool shown, Seed seed) => shown ? $", seed {seed}" : "";

    private static string SafeName(string arm) => string.Concat(arm.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-'));
}
