using System.Text.Json.Serialization;

namespace Siamorph.Experiment.Results;

/// <summary>
/// All that an experiment found; <c>results.json</c>. It depends on data, options and code alone: a run that was stopped and
/// resumed writes the same bytes. Times are in <see cref="ExperimentTimes"/>.
/// </summary>
internal sealed record ExperimentResult
{
    /// <summary>Version of the product that wrote it.</summary>
    public required string Version { get; init; }

    /// <summary>Every option, as resolved.</summary>
    public required ExperimentOptions Options { get; init; }

    /// <summary>The data.</summary>
    public required DataCard Data { get; init; }

    /// <summary>The arms, the baseline first.</summary>
    public required IReadOnlyList<ArmSummary> Arms { get; init; }

    /// <summary>One entry for each trained segmentation network.</summary>
    public required IReadOnlyList<CellResult> Cells { get; init; }

    /// <summary>Each arm against the baseline, for each number of real pairs.</summary>
    public required IReadOnlyList<Comparison> Comparisons { get; init; }

    /// <summary>The declared comparison where it is about an external test set; then all in Comparisons are secondary.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Comparison? ExternalPrimary { get; init; }

    /// <summary>The comparison that was declared before the run, wherever it is measured; null where none was.</summary>
    [JsonIgnore]
    public Comparison? Declared => ExternalPrimary ?? Comparisons.FirstOrDefault(c => c.Statistics is { Primary: true });

    /// <summary>The declared arm on the data's own test split; the first comparison where none was declared.</summary>
    [JsonIgnore]
    public Comparison? Shown => Declared is not { } d ? (Comparisons.Count > 0 ? Comparisons[0] : null)
        : Comparisons.First(c => c.Arm == d.Arm && c.RealCount == d.RealCount);

    /// <summary>
    /// What the wrong-mask control says about the measurement, for each number of real pairs; empty without that arm.
    /// </summary>
    public IReadOnlyList<MaskControl> Controls { get; init; } = [];

    /// <summary>Why the networks were not trained enough for a verdict, one sentence; null where they were.</summary>
    public string? Undertrained { get; init; }

    /// <summary>The same with each further segmentation network.</summary>
    public IReadOnlyList<NetworkResult> OtherNetworks { get; init; } = [];

    /// <summary>One entry for each trained generator.</summary>
    public required IReadOnlyList<GeneratorResult> Generators { get; init; }

    /// <summary>One entry for each run of the quality gate.</summary>
    public IReadOnlyList<GateResult> Gates { get; init; } = [];

    /// <summary>How the networks do on corrupted test images; empty where that was not asked for.</summary>
    public IReadOnlyList<RobustnessResult> Robustness { get; init; } = [];

    /// <summary>How the networks do on sets of other hospitals, each set and all together; empty where none were given.</summary>
    public IReadOnlyList<ExternalResult> External { get; init; } = [];

    /// <summary>
    /// What each further need (images without masks, a generator) adds to the best that does without; empty where all arms need
    /// the same.
    /// </summary>
    public IReadOnlyList<ResourceGain> Ladder { get; init; } = [];

    /// <summary>Arms that differ in how far images are noised before they are denoised; empty for fewer than two.</summary>
    public IReadOnlyList<StrengthPoint> Strengths { get; init; } = [];

    /// <summary>Example images, as files beside this one.</summary>
    public required IReadOnlyList<Sheet> Sheets { get; init; }
}

/// <summary>All arms with another segmentation network.</summary>
/// <param name="Name">Name of its recipe.</param>
/// <param name="Cells">One entry for each trained network.</param>
/// <param name="Comparisons">Each arm against the baseline, all of them secondary.</param>
/// <param name="Controls">The wrong-mask control.</param>
internal sealed record NetworkResult(
    string Name, IReadOnlyList<CellResult> Cells, IReadOnlyList<Comparison> Comparisons, IReadOnlyList<MaskControl> Controls)
{
    /// <summary>The arms on corrupted test images; empty where none were asked for.</summary>
    public IReadOnlyList<RobustnessResult> Robustness { get; init; } = [];
}

/// <summary>An arm as the report names it.</summary>
/// <param name="Name">Short name.</param>
/// <param name="Title">Name in sentences.</param>
/// <param name="Description">What the network is trained on.</param>
internal sealed record ArmSummary(string Name, string Title, string Description);

/// <summary>One trained segmentation network: an arm, a number of real pairs, a seed.</summary>
internal sealed record CellResult
{
    /// <summary>Name of the arm.</summary>
    public required string Arm { get; init; }

    /// <summary>Real training pairs.</summary>
    public required int RealCount { get; init; }

    /// <summary>Synthetic training pairs.</summary>
    public required int SyntheticCount { get; init; }

    /// <summary>How often each real image was seen in training, on average; null in results of older versions.</summary>
    public double? RealExposures { get; init; }

    /// <summary>The seed.</summary>
    public required Seed Seed { get; init; }

    /// <summary>Name of the stage's folder under <c>stages/</c>.</summary>
    public required string Stage { get; init; }

    /// <summary>What was measured.</summary>
    public required SegmentationOutcome Outcome { get; init; }
}

/// <summary>What training and testing one segmentation network gave.</summary>
internal sealed record SegmentationOutcome
{
    /// <summary>SHA-256 of the weights, hexadecimal.</summary>
    public required string ModelHash { get; init; }

    /// <summary>Step whose weights were kept, chosen by the validation split.</summary>
    public required int BestStep { get; init; }

    /// <summary>Mean validation Dice of the kept weights.</summary>
    public required double ValidationDice { get; init; }

    /// <summary>Mean test Dice at 0.5.</summary>
    public required double Dice { get; init; }

    /// <summary>Mean test IoU at 0.5.</summary>
    public required double Iou { get; init; }

    /// <summary>Mean over 256 thresholds of the mean test Dice curve ("mDice").</summary>
    public required double MeanDice { get; init; }

    /// <summary>Mean over 256 thresholds of the mean test IoU curve ("mIoU").</summary>
    public required double MeanIou { get; init; }

    /// <summary>Training loss over steps.</summary>
    public required Curve Loss { get; init; }

    /// <summary>Validation Dice over steps.</summary>
    public required Curve Validation { get; init; }

    /// <summary>Every test image, in the order of the test split.</summary>
    public required IReadOnlyList<ImageScore> Images { get; init; }
}

/// <summary>The score of one test image.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Dice">Dice at 0.5.</param>
/// <param name="Iou">IoU at 0.5.</param>
/// <param name="Lesions">Connected parts of its mask; null in results of older versions.</param>
/// <param name="Missed">Lesions of which less than a tenth was found.</param>
/// <param name="FalseAlarms">Connected parts found where there is no lesion.</param>
internal sealed record ImageScore(
    string Id, double Dice, double Iou, int? Lesions = null, int? Missed = null, int? FalseAlarms = null);

/// <summary>A quantity over steps.</summary>
/// <param name="Name">What it is, such as "mask loss".</param>
/// <param name="Steps">Steps, rising.</param>
/// <param name="Values">Its value at each.</param>
internal sealed record Curve(string Name, IReadOnlyList<long> Steps, IReadOnlyList<double> Values);

/// <summary>One trained generator.</summary>
internal sealed record GeneratorResult
{
    /// <summary>Arms that use it.</summary>
    public required IReadOnlyList<string> Arms { get; init; }

    /// <summary>Real pairs it was trained on.</summary>
    public required int RealCount { get; init; }

    /// <summary>Seeds of the cells that use it.</summary>
    public required IReadOnlyList<Seed> Seeds { get; init; }

    /// <summary>Name of the stage's folder under <c>stages/</c>.</summary>
    public required string Stage { get; init; }

    /// <summary>What training gave.</summary>
    public required GeneratorOutcome Outcome { get; init; }
}

/// <summary>What training a generator gave.</summary>
internal sealed record GeneratorOutcome
{
    /// <summary>SHA-256 of the weights used for synthesis, hexadecimal.</summary>
    public required string ModelHash { get; init; }

    /// <summary>Trainable and fixed parameters together.</summary>
    public required long Parameters { get; init; }

    /// <summary>Losses of the stages, thinned.</summary>
    public required IReadOnlyList<StageCurves> Stages { get; init; }
}

/// <summary>The losses of one stage of training.</summary>
/// <param name="Name">"base" or "siamese".</param>
/// <param name="Curves">One for each loss.</param>
internal sealed record StageCurves(string Name, IReadOnlyList<Curve> Curves);

/// <summary>What synthesis gave.</summary>
/// <param name="Count">Number of pairs.</param>
/// <param name="ContentHash">SHA-256 over ids and pixels of all images and masks, hexadecimal.</param>
internal sealed record SynthesisOutcome(int Count, string ContentHash);

/// <summary>Example images under one heading.</summary>
/// <param name="Title">What they are.</param>
/// <param name="Kind">What kind of sheet.</param>
/// <param name="RealCount">Real training pairs of the cell they come from.</param>
/// <param name="Pictures">The images.</param>
/// <param name="Arm">Name of the arm they belong to; null for real pairs, and in results of older versions.</param>
internal sealed record Sheet(string Title, SheetKind Kind, int RealCount, IReadOnlyList<SheetImage> Pictures, string? Arm = null);

/// <summary>What a sheet shows.</summary>
internal enum SheetKind
{
    /// <summary>Real training pairs.</summary>
    Real,

    /// <summary>Synthetic pairs.</summary>
    Synthetic,

    /// <summary>Synthetic pairs that the quality gate refused, each named with its reason.</summary>
    Refused,

    /// <summary>Test images with the truth and predictions.</summary>
    Prediction,

    /// <summary>A test image as it is and corrupted: a column for each kind, a row for each strength from 0.</summary>
    Corrupted,
}

/// <summary>One image with its masks; paths are relative to the experiment's folder.</summary>
/// <param name="Name">What to call it.</param>
/// <param name="Image">The image file (PNG).</param>
/// <param name="Masks">Mask files: the conditioning mask or truth first, then predictions.</param>
internal sealed record SheetImage(string Name, string Image, IReadOnlyList<string> Masks);

/// <summary>What the data are.</summary>
internal sealed record DataCard
{
    /// <summary>Name of the folder.</summary>
    public required string Name { get; init; }

    /// <summary>SHA-256 over ids, splits and file contents of all pairs, hexadecimal.</summary>
    public required string ContentHash { get; init; }

    /// <summary>Where the split came from: one sentence.</summary>
    public required string SplitOrigin { get; init; }

    /// <summary>Pairs in each split, by name.</summary>
    public required IReadOnlyDictionary<string, int> Splits { get; init; }

    /// <summary>Different groups (patients, sequences) in each split; 0 where unknown.</summary>
    public required IReadOnlyDictionary<string, int> Groups { get; init; }

    /// <summary>Image sizes as files, with the number of images, the most frequent first.</summary>
    public required IReadOnlyList<SizeCount> Sizes { get; init; }

    /// <summary>Every used pair: id, split, share of the image its mask covers.</summary>
    public required IReadOnlyList<PairFacts> Pairs { get; init; }

    /// <summary>What the data check found: severity and sentence.</summary>
    public required IReadOnlyList<string> Findings { get; init; }

    /// <summary>Folders of images without masks that generators learned from in base training.</summary>
    public IReadOnlyList<UnlabelledFacts> Unlabelled { get; init; } = [];
}

/// <summary>Images without masks.</summary>
/// <param name="Name">Name of the folder.</param>
/// <param name="Count">Images learned from.</param>
/// <param name="ContentHash">SHA-256 over their contents, hexadecimal.</param>
/// <param name="LeftOut">Images that are, or look like, held-out ones; a sentence each.</param>
internal sealed record UnlabelledFacts(string Name, int Count, string ContentHash, IReadOnlyList<string> LeftOut);

/// <summary>A size and how many images have it.</summary>
/// <param name="Size">As in "384×288".</param>
/// <param name="Count">Number of images.</param>
internal sealed record SizeCount(string Size, int Count);

/// <summary>The facts about a pair that the report shows.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Split">"train", "val" or "test".</param>
/// <param name="Group">Patient, sequence or the like; null where unknown.</param>
/// <param name="MaskShare">Share of the image that the mask covers, in [0,1].</param>
/// <param name="Centre">Device or centre; null where unknown.</param>
internal sealed record PairFacts(string Id, string Split, string? Group, double MaskShare, string? Centre = null);

/// <summary>How long the stages took, and where; <c>times.json</c>.</summary>
internal sealed record ExperimentTimes
{
    /// <summary>Each stage in the order of the plan.</summary>
    public required IReadOnlyList<StageTime> Stages { get; init; }

    /// <summary>Name and value of what describes the machine and the libraries.</summary>
    public required IReadOnlyDictionary<string, string> Environment { get; init; }
}

/// <summary>How long a stage took.</summary>
/// <param name="Stage">Name of its folder.</param>
/// <param name="Kind">"base", "generator", "pretraining", "labelling", "synthesis", "gate", "segmentation", "robustness" or
/// "external".</param>
/// <param name="Seconds">Wall-clock seconds of the run that finished it.</param>
/// <param name="Finished">When it was finished, in UTC, ISO 8601.</param>
/// <param name="Resumed">Whether it had been interrupted before.</param>
/// <param name="Code">Version and commit of the code that ran it.</param>
internal sealed record StageTime(string Stage, string Kind, double Seconds, string Finished, bool Resumed, string Code);
