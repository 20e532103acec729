using Siamorph.Data.Splits;
using Siamorph.Imaging;
using Siamorph.Segmentation;
using Siamorph.Siamese;
using Siamorph.Synthesis;

namespace Siamorph.Experiment;

/// <summary>
/// What differs between the seeds of an experiment, besides initial weights, order and augmentation of the segmentation network.
/// </summary>
public enum SeedScope
{
    /// <summary>Nothing else: one choice of real pairs, one generator, one synthetic set for each number of real pairs.</summary>
    Segmentation,

    /// <summary>The synthetic set too: each seed samples its own from the one generator.</summary>
    Synthesis,

    /// <summary>Everything: each seed chooses its real pairs and trains its own generator on them.</summary>
    Everything,
}

/// <summary>What a user chooses about an experiment.</summary>
public sealed record ExperimentOptions
{
    /// <summary>Folder of image-mask pairs.</summary>
    public string Data { get; init; } = "";

    /// <summary>
    /// Numbers of real training pairs to compare at; 0 is all of the training split. Smaller choices are part of the larger ones.
    /// </summary>
    public IReadOnlyList<int> RealCounts { get; init; } = [50, 200];

    /// <summary>Seeds; each trains a segmentation network for every arm.</summary>
    public IReadOnlyList<Seed> Seeds { get; init; } = [1, 2, 3];

    /// <summary>What differs between seeds.</summary>
    public SeedScope SeedScope { get; init; } = SeedScope.Segmentation;

    /// <summary>Arms to compare; the first is the baseline.</summary>
    public IReadOnlyList<string> Arms { get; init; } = ["real", "real+synthetic"];

    /// <summary>Arms of this experiment's own, to be named in <see cref="Arms"/>.</summary>
    public IReadOnlyList<ArmDefinition> CustomArms { get; init; } = [];

    /// <summary>
    /// The one comparison that was declared before the run; null takes the second arm at the largest number of real pairs.
    /// </summary>
    public PrimaryEndPoint? Primary { get; init; }

    /// <summary>Synthetic pairs for each real one.</summary>
    public double SyntheticPerReal { get; init; } = 4;

    /// <summary>
    /// Share of added pairs in each batch, in arms that have them; by default all pairs are taken equally often. All arms get
    /// equal steps, so the rest of the batch says how often a real image is seen.
    /// </summary>
    public double? SyntheticShare { get; init; } = 0.5;

    /// <summary>How the data are divided, where the folder has no split of its own.</summary>
    public SplitOptions Split { get; init; } = new() { Train = 0.65, Val = 0.15, Test = 0.2 };

    /// <summary>How the generators are trained; their seeds come from the experiment's.</summary>
    public TrainOptions Generator { get; init; } = Presets.Tiny;

    /// <summary>How synthetic pairs are generated; number and seed come from the experiment.</summary>
    public SynthesisOptions Synthesis { get; init; } = new()
    {
        Deformation = new() { Flip = true, Rotation = 20, Scale = 0.2, Elastic = 0.02 },
    };

    /// <summary>How arms with a gate choose their synthetic pairs.</summary>
    public GateOptions Gate { get; init; } = new();

    /// <summary>
    /// How the segmentation networks are trained; their seeds come from the experiment's. The default is what small sets need to
    /// be used up: strong classical augmentation for every arm, a constant rate, averaged weights, and the last of these (no
    /// label is spent on choosing, so n real pairs are n labelled images).
    /// </summary>
    public SegmentationOptions Segmentation { get; init; } = SegmentationOptions.ForExperiments;

    /// <summary>
    /// External test sets, such as data of other hospitals, each as NAME=FOLDER; not used in training or validation. Every
    /// network of the first recipe is tested on each of them.
    /// </summary>
    public IReadOnlyList<string> ExternalTest { get; init; } = [];

    /// <summary>
    /// Further segmentation networks, by the names of their recipes; every arm is repeated with each of them. The first network
    /// is that of <see cref="Segmentation"/>; it alone has the primary end-point.
    /// </summary>
    public IReadOnlyList<string> OtherNetworks { get; init; } = [];

    /// <summary>
    /// Weight files with which backbones of <see cref="OtherNetworks"/> begin, each as NAME=FILE; the first network has its own,
    /// in <see cref="Segmentation"/>.
    /// </summary>
    public IReadOnlyList<string> Backbones { get; init; } = [];

    /// <summary>
    /// Corruptions of the test images, at three strengths each, on which the segmentation networks are tested as well; empty for
    /// none.
    /// </summary>
    public IReadOnlyList<CorruptionKind> Corruptions { get; init; } = [];

    /// <summary>Where everything runs: generator, synthesis, segmentation networks and quality gate.</summary>
    public ComputeDevice Device { get; init; }

    /// <summary>Bootstrap resamples for each interval.</summary>
    public int BootstrapDraws { get; init; } = 10_000;

    /// <summary>Checks all of it.</summary>
    /// <returns>This.</returns>
    /// <exception cref="InvalidOptionsException">Lists every fault.</exception>
    public ExperimentOptions Validate()
    {
        var faults = new List<string>();
        void Demand(bool holds, string fault) { if (!holds) faults.Add(fault); }
        Demand(Data.Length > 0, "data: name the folder of image-mask pairs.");
        Demand(RealCounts.Count > 0, "realCounts: give at least one number of real pairs (0 is all).");
        Demand(RealCounts.All(n => n >= 0), "realCounts: numbers can't be negative.");
        Demand(RealCounts.Distinct().Count() == RealCounts.Count, "realCounts: a number comes twice.");
        Demand(Seeds.Count > 0, "seeds: give at least one.");
        Demand(Seeds.Distinct().Count() == Seeds.Count, "seeds: a seed comes twice.");
        Demand(Arms.Count > 0, "arms: give at least one.");
        Demand(Arms.Distinct().Count() == Arms.Count, "arms: an arm comes twice.");
        foreach (var arm in Arms.Where(a => Find(a) is null))
            faults.Add($"arms: '{arm}' is unknown; there are "
                + $"{string.Join(", ", CustomArms.Concat(Experiment.Arms.All).Select(a => a.Name))}.");
        Demand(CustomArms.Select(a => a.Name).Distinct().Count() == CustomArms.Count, "customArms: a name comes twice.");
        foreach (var arm in Arms.Distinct().Select(Find).OfType<ArmDefinition>()) faults.AddRange(arm.Faults(this));
        if (Primary is not null) faults.AddRange(Primary.Faults(this));
        Demand(SyntheticPerReal > 0 && double.IsFinite(SyntheticPerReal),
            FormattableString.Invariant($"syntheticPerReal is {SyntheticPerReal}; it has to be above 0."));
        Demand(SyntheticShare is null or (> 0 and < 1),
            FormattableString.Invariant($"syntheticShare is {SyntheticShare}; it must be between 0 and 1."));
        faults.AddRange(NamedPath.Faults("externalTest", ExternalTest, "FOLDER", "clinic=/data/clinic"));
        Demand(Corruptions.Distinct().Count() == Corruptions.Count, "corruptions: one comes twice.");
        Demand(BootstrapDraws >= 100, $"bootstrapDraws is {BootstrapDraws}; it has to be 100 or more.");
        Demand(Split.Train > 0 && Split.Val > 0 && Split.Test > 0, "split: train, val and test all have to be above 0.");
        Collect(faults, "split", Split.Validate);
        Collect(faults, "generator", Generator.Validate);
        Collect(faults, "synthesis", Synthesis.Validate);
        Collect(faults, "gate", Gate.Validate);
        Collect(faults, "segmentation", () => Segmentation.Validate());
        foreach (var name in OtherNetworks.Where(n => !SegmentationRecipes.All.ContainsKey(n)))
            faults.Add($"otherNetworks: '{name}' is unknown; there are {string.Join(", ", SegmentationRecipes.All.Keys)}.");
        foreach (var name in OtherNetworks.Where(SegmentationRecipes.All.ContainsKey))
            Collect(faults, $"otherNetworks, {name}", () => SegmentationOf(name).Validate());
        faults.AddRange(NamedPath.Faults("backbones", Backbones, "FILE", "unet-mobilenetv2=mobilenet_v2.safetensors"));
        foreach (var name in Backbones.Select(b => NamedPath.Of(b).Name).Where(n => n.Length > 0 && !OtherNetworks.Contains(n)))
            faults.Add($"backbones: '{name}' is none of otherNetworks. The first network's file is segmentation.backbone.");
        Demand(OtherNetworks.Distinct().Count() == OtherNetworks.Count, "otherNetworks: a network comes twice.");
        return faults.Count == 0 ? this : throw new InvalidOptionsException(faults);
    }

    /// <summary>
    /// The same with full paths for the data, for images without masks and for weight files: an experiment goes on from any
    /// working directory.
    /// </summary>
    internal ExperimentOptions WithFullPaths()
    {
        return this with
        {
            Data = Path.GetFullPath(Data),
            ExternalTest = [.. ExternalTest.Select(NamedPath.Full)],
            Backbones = [.. Backbones.Select(NamedPath.Full)],
            Generator = Placed(Generator with
            {
                Unlabelled = FullPath(Generator.Unlabelled), InitialWeights = FullPath(Generator.InitialWeights),
                CodecWeights = FullPath(Generator.CodecWeights),
            }),
            Synthesis = Device == ComputeDevice.Cpu ? Synthesis : Synthesis with { Device = Device },
            Segmentation = Segmentation with
            {
                Backbone = FullPath(Segmentation.Backbone),
                InitialWeights = FullPath(Segmentation.InitialWeights),
                Device = Device == ComputeDevice.Cpu ? Segmentation.Device : Device,
            },
            CustomArms = [.. CustomArms.Select(Full)],
        };

        static string? FullPath(string? path) => path is null ? null : Path.GetFullPath(path);

        TrainOptions Placed(TrainOptions generator) => Device == ComputeDevice.Cpu ? generator : generator with
        {
            Device = Device,
        };

        static ArmDefinition Full(ArmDefinition arm)
        {
            if (arm.Generator is null || (string?)arm.Generator["unlabelled"] is not { } folder) return arm;
            var generator = arm.Generator.DeepClone().AsObject();
            generator["unlabelled"] = Path.GetFullPath(folder);
            return arm with { Generator = generator };
        }
    }

    /// <summary>The arm of a name: one of this experiment's own, or one that needs no definition.</summary>
    /// <exception cref="InvalidOptionsException">There is none.</exception>
    internal ArmDefinition Arm(string name) => Find(name) ?? Experiment.Arms.Named(name);

    /// <summary>
    /// How a network is trained: <see cref="Segmentation"/> for null; otherwise its recipe with the image size, batch size,
    /// steps, validation, labels and ways of mixing of <see cref="Segmentation"/>.
    /// </summary>
    internal SegmentationOptions SegmentationOf(string? network)
    {
        if (network is null) return Segmentation;
        return SegmentationRecipes.All[network] with
        {
            Device = Segmentation.Device,
            Backbone = Backbones.Select(NamedPath.Of).FirstOrDefault(b => b.Name == network).Path,
            ImageSize = Segmentation.ImageSize,
            BatchSize = Segmentation.BatchSize,
            Steps = Segmentation.Steps,
            ValidateEvery = Segmentation.ValidateEvery,
            CheckpointEvery = Segmentation.CheckpointEvery,
            SyntheticFraction = Segmentation.SyntheticFraction,
            MaxSyntheticPerReal = Segmentation.MaxSyntheticPerReal,
            SyntheticWeight = Segmentation.SyntheticWeight,
            SyntheticWarmup = Segmentation.SyntheticWarmup,
            Labels = Segmentation.Labels,
            BoundaryWidth = Segmentation.BoundaryWidth,
            AgreementWeight = Segmentation.AgreementWeight,
            WarmupSteps = Math.Min(SegmentationRecipes.All[network].WarmupSteps, Segmentation.Steps / 10),
        };
    }

    /// <summary>What <see cref="Primary"/> means here.</summary>
    internal (string Arm, string Baseline, int RealCount)? ResolvedPrimary(IReadOnlyList<int> counts)
    {
        if (Arms.Count < 2) return null;
        return (Primary?.Arm ?? Arms[1], Arms[0], Primary is { RealCount: > 0 } p ? p.RealCount : counts.Max());
    }

    /// <summary>What chooses a cell's real pairs and trains its generator.</summary>
    internal Seed SubsetSeed(Seed seed) => SeedScope == SeedScope.Everything ? seed : Seeds[0];

    /// <summary>What draws a cell's synthetic set.</summary>
    internal Seed SynthesisSeed(Seed seed) => SeedScope == SeedScope.Segmentation ? Seeds[0] : seed;

    internal ArmDefinition? Find(string name) => CustomArms.Concat(Experiment.Arms.All).FirstOrDefault(a => a.Name == name);

    private static void Collect(List<string> faults, string part, Action validate)
    {
        try
        {
            validate();
        }
        catch (InvalidOptionsException e)
        {
            faults.AddRange(e.Message.Split(Environment.NewLine).Select(fault => $"{part}.{fault}"));
        }
    }
}
