using System.Text.Json.Nodes;
using Siamorph.Data;
using Siamorph.Experiment.Stages;
using Siamorph.Siamese;
using Siamorph.Siamese.WeightFiles;
using Siamorph.Synthesis;
using Siamorph.Training;

namespace Siamorph.Experiment.Scheduling;

/// <summary>The stages that make synthetic pairs: base training, generator, synthesis, quality gate.</summary>
/// <param name="stages">Receives them.</param>
/// <param name="chosen">Validated options of the experiment.</param>
/// <param name="hashes">Content hash of every pair by id.</param>
/// <param name="unlabelledSets">The images of every folder that an arm's generator names, by that name.</param>
internal sealed class SyntheticPlan(
    StageList stages, ExperimentOptions chosen, IReadOnlyDictionary<string, string> hashes,
    IReadOnlyDictionary<string, UnlabelledSet> unlabelledSets)
{
    private ExperimentOptions Options { get; } = chosen;

    public GeneratorStage Generator(
        ArmDefinition arm, IReadOnlyList<ImageMaskPair> real, Seed seed, LabellingStage? labelled)
    {
        var options = arm.GeneratorOptions(Options.Generator) with { Seed = Options.SubsetSeed(seed).Derive("generator") };
        // The labelled images are pairs like others, so base training needs no second look at them.
        if (labelled is not null) options = options with
        {
            Unlabelled = null, Labels = labelled.Soft ? LabelKind.Soft : options.Labels,
        };
        var unlabelled = options.Unlabelled is { } named ? unlabelledSets[named] : null;
        var inputs = TrainingInputs(GeneratorStage.Of, options, unlabelled, real);
        if (labelled is not null) inputs["inputs"]!["labelled"] = labelled.Key;
        var shared = labelled is null ? Base(options, real, seed) : null;
        WorkPhase[] both = [new(options.Base.Steps, WorkKind.BaseStep), new(options.Siamese.Steps, WorkKind.SiameseStep)];
        return stages.Add(inputs, $"generator-n{real.Count}-seed{Options.SubsetSeed(seed)}",
            (key, folder) => new GeneratorStage(real, options, shared, unlabelled?.Images)
        {
            Labelled = labelled,
            Title = $"{real.Count} real pairs{(labelled is null ? "" : " and pseudo-labelled images")}"
                + $"{(arm.Generator is null ? "" : $", {arm.Title}")}"
                + $"{ExperimentPlan.SeedText(Options.SeedScope == SeedScope.Everything, seed)}",
            Folder = folder,
            Key = key,
            Inputs = inputs,
            Phases = shared is null ? both : both[1..],
        });
    }

    // Where arms ask for several generators, those that differ in siamese training alone begin with the same base training.
    private SharedBaseStage? Base(TrainOptions options, IReadOnlyList<ImageMaskPair> real, Seed seed)
    {
        var plain = StageInputs.BaseOf(options);
        var users = Options.Arms.Select(Options.Arm).Where(a => a.UsesGenerator(Options))
            .Select(a => a.GeneratorOptions(Options.Generator))
            .DistinctBy(OptionsFile.ToJson).Count(o => OptionsFile.ToJson(StageInputs.BaseOf(o with
            {
                Seed = options.Seed,
            })) == OptionsFile.ToJson(plain));
        if (options.Base.Steps == 0 || users < 2) return null;
        var unlabelled = plain.Unlabelled is { } named ? unlabelledSets[named] : null;
        var inputs = TrainingInputs(SharedBaseStage.Of, plain, unlabelled, real);
        return stages.Add(inputs, $"base-n{real.Count}-seed{Options.SubsetSeed(seed)}",
            (key, folder) => new SharedBaseStage(real, plain, unlabelled?.Images)
        {
            Title = $"{real.Count} real pairs{ExperimentPlan.SeedText(Options.SeedScope == SeedScope.Everything, seed)}",
            Folder = folder,
            Key = key,
            Inputs = inputs,
            Phases = [new(plain.Base.Steps, WorkKind.BaseStep)],
        });
    }

    private JsonObject TrainingInputs(
        StageKind kind, TrainOptions options, UnlabelledSet? unlabelled, IReadOnlyList<ImageMaskPair> real)
    {
        var inputs = new JsonObject { ["real"] = ContentHash.OfList(real, hashes) };
        if (options.InitialWeights is { } initial)
            inputs["initialWeights"] = StageInputs.OfWeights(Directory.Exists(initial)
                ? Path.Combine(Checkpoint.Latest(initial) ?? initial, "manifest.json") : initial);
        if (options.CodecWeights is { } codec) inputs["codec"] = CodecFiles.Hash(codec);
        if (unlabelled is not null) inputs["unlabelled"] = unlabelled.Hash; // what the folder holds decides, not where it lies
        return StageInputs.Of(kind, OptionsFile.ToNode(options with
        {
            Unlabelled = null, InitialWeights = null, CodecWeights = null,
        }), inputs);
    }

    public SynthesisStage Synthesis(
        ArmDefinition arm, GeneratorStage? generator, IReadOnlyList<ImageMaskPair> real, int count, Seed seed,
        LabellingStage? shapes)
    {
        var wanted = arm.SynthesisOptions(Options.Synthesis);
        var options = wanted with
        {
            Shapes = Math.Min(wanted.Shapes, count), // one for each pair is enough
            Count = count,
            ImagesPerMask = (count + real.Count - 1) / real.Count,
            Seed = Options.SynthesisSeed(seed).Derive("synthesis"),
        };
        var inputs = StageInputs.Of(SynthesisStage.Of, OptionsFile.ToNode(options), new()
        {
            ["generator"] = generator?.Key,
            ["masks"] = ContentHash.OfList(real, hashes),
        });
        if (shapes is not null) inputs["shapes"] = shapes.Key;
        var like = arm.GeneratorOptions(Options.Generator);
        if (generator is null) inputs["like"] =
            OptionsFile.ToNode(new SynthesisLike(like.ImageSize, like.HorizontalFlip, like.VerticalFlip, like.LabelReading));
        return stages.Add(inputs, $"synthetic-n{real.Count}-seed{Options.SynthesisSeed(seed)}",
            (key, folder) => new SynthesisStage(generator, real, options, like)
        {
            Shapes = shapes,
            Title = $"{count} pairs from {real.Count} masks{(shapes is null ? "" : " and predicted shapes")}"
                + $"{ExperimentPlan.SeedText(Options.SeedScope != SeedScope.Segmentation, seed)}",
            Folder = folder,
            Key = key,
            Inputs = inputs,
            Phases = generator is null ? [] : [new(count, WorkKind.SyntheticImage)], // joining images takes no time to speak of
        });
    }

    public GateStage Gate(ArmDefinition arm, SynthesisStage synthesis, IReadOnlyList<ImageMaskPair> real, int wanted, Seed seed)
    {
        var options = Options.Gate with { Selection = arm.Selection ?? Options.Gate.Selection };
        var network = Options.Segmentation with
        {
            Seed = Options.SynthesisSeed(seed).Derive("gate"),
            Steps = Options.Gate.Steps ?? Math.Max(1, Options.Segmentation.Steps / 2),
        };
        var inputs = StageInputs.Of(GateStage.Of, OptionsFile.ToNode(options), new()
        {
            ["network"] = StageInputs.Decisive(OptionsFile.ToNode(StageInputs.Anywhere(network))),
            ["synthetic"] = synthesis.Key,
            ["real"] = ContentHash.OfList(real, hashes),
            ["wanted"] = wanted,
        });
        StageInputs.AddWeights(inputs, network);
        return stages.Add(inputs, $"gate-n{real.Count}-seed{Options.SynthesisSeed(seed)}",
            (key, folder) => new GateStage(synthesis, real, wanted, options, network)
        {
            Title = $"{(options.Selection == GateSelection.Difficulty ? "hardest " : "")}{wanted} of {synthesis.Options.Count} "
                + $"pairs{ExperimentPlan.SeedText(Options.SeedScope != SeedScope.Segmentation, seed)}",
            Folder = folder,
            Key = key,
            Inputs = inputs,
            Phases = [.. Enumerable.Range(0, Options.Gate.Folds)
                .Select(_ => new WorkPhase(network.Steps, WorkKind.SegmentationStep))],
        });
    }

    // What pairs that no model draws have of the generator whose rivals they are.
    private sealed record SynthesisLike(int ImageSize, bool HorizontalFlip, bool VerticalFlip, LabelReading LabelReading);
}
