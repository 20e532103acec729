using Siamorph.Data;
using Siamorph.Imaging;
using Siamorph.Segmentation.Batches;
using Siamorph.Segmentation.Networks;

namespace Siamorph.Segmentation;

/// <summary>The loss a segmentation network is trained with.</summary>
public enum MaskLoss
{
    /// <summary>Binary cross-entropy + Dice of each image, smoothed by 1 (the default).</summary>
    BceDice,

    /// <summary>Binary cross-entropy + Dice over the whole batch, smoothed by 1e-6, as common U-Net trainers have it.</summary>
    BceBatchDice,

    /// <summary>Binary cross-entropy + Dice of each image, smoothed in the denominator alone, as SANet has it.</summary>
    BceDiceSanet,

    /// <summary>Cross-entropy and IoU weighted towards boundaries, as PraNet's paper describes it.</summary>
    Structure,

    /// <summary>The same as PraNet's published code computes it: the cross-entropy loses its weights.</summary>
    StructureAsExecuted,

    /// <summary>Cross-entropy over classes + Dice over the classes of the whole batch, for masks of several classes.</summary>
    CrossEntropyDice,

    /// <summary>Cross-entropy over classes alone, as SegFormer has it.</summary>
    CrossEntropy,
}

/// <summary>What updates the weights.</summary>
public enum SegmentationOptimizer
{
    /// <summary>Adam with decoupled weight decay; without decay it is Adam.</summary>
    AdamW,

    /// <summary>Stochastic gradient descent with Nesterov's momentum.</summary>
    Sgd,

    /// <summary>RMSprop with momentum.</summary>
    RmsProp,
}

/// <summary>How the learning rate changes over a run.</summary>
public enum SegmentationSchedule
{
    /// <summary>It falls to 0 along a cosine.</summary>
    Cosine,

    /// <summary>It stays.</summary>
    Constant,

    /// <summary>It falls to 0 along a straight line.</summary>
    Linear,

    /// <summary>It is halved after a half and after three quarters of the steps.</summary>
    Halving,

    /// <summary>It is divided by ten whenever six validations in a row bring no improvement.</summary>
    Plateau,
}

/// <summary>Which weights of a run become its model.</summary>
public enum CheckpointSelection
{
    /// <summary>Those with the best validation Dice; the labels of the validation split then take part in the training.</summary>
    Best,

    /// <summary>The last ones: the validation split is only looked at. For averaged weights, which need no choosing.</summary>
    Last,
}

/// <summary>What a user chooses about training a segmentation network.</summary>
public sealed record SegmentationOptions
{
    /// <summary>The network.</summary>
    public NetworkConfig Network { get; init; } = new();

    /// <summary>
    /// File with published weights for the network's backbone, such as ImageNet weights; by default it starts from random
    /// weights.
    /// </summary>
    public string? Backbone { get; init; }

    /// <summary>
    /// Weights of the whole network to start from: a file, or a run folder of "segment pretrain" or "segment train". Output
    /// layers of another shape begin at random. Null begins with none.
    /// </summary>
    public string? InitialWeights { get; init; }

    /// <summary>Pixels the images are scaled to.</summary>
    public ImageSize ImageSize { get; init; } = new(64, 64);

    /// <summary>Optimizer steps, regardless of the number of images: all arms of a comparison get the same.</summary>
    public int Steps { get; init; } = 300;

    /// <summary>Images per step.</summary>
    public int BatchSize { get; init; } = 8;

    /// <summary>Optimizer.</summary>
    public SegmentationOptimizer Optimizer { get; init; }

    /// <summary>Peak learning rate.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>The backbone's learning rate, as a multiple of the learning rate.</summary>
    public double BackboneRate { get; init; } = 1;

    /// <summary>Learning-rate schedule.</summary>
    public SegmentationSchedule Schedule { get; init; }

    /// <summary>Momentum of SGD and RMSprop.</summary>
    public double Momentum { get; init; } = 0.9;

    /// <summary>Steps over which the learning rate rises from 0; never more than a tenth of <see cref="Steps"/>.</summary>
    public int WarmupSteps { get; init; } = 20;

    /// <summary>Weight decay; decoupled from the gradient in AdamW.</summary>
    public double WeightDecay { get; init; } = 1e-4;

    /// <summary>Whether weight decay also applies to biases and norm layers.</summary>
    public bool DecayNorms { get; init; } = true;

    /// <summary>Largest norm of all gradients together; 0 for no limit.</summary>
    public double ClipNorm { get; init; } = 1;

    /// <summary>Largest value of any single gradient; 0 for no limit.</summary>
    public double ClipValue { get; init; }

    /// <summary>Whether the network trains at several sizes.</summary>
    public MultiScale MultiScale { get; init; }

    /// <summary>Weight of the contrastive loss of networks that have an embedding (CTNet); 0 for none.</summary>
    public double ContrastWeight { get; init; }

    /// <summary>Loss; summed over the heads of networks that have several.</summary>
    public MaskLoss Loss { get; init; } = MaskLoss.BceDice;

    /// <summary>
    /// How training masks are read: hard, or soft (grey levels, several annotators, a band around the outline). Scores take hard
    /// ones always.
    /// </summary>
    public LabelKind Labels { get; init; }

    /// <summary>With soft labels: width of the band around outlines, as a share of the shorter side; 0 for none.</summary>
    public double BoundaryWidth { get; init; }

    /// <summary>
    /// With soft labels: how much the loss is reduced at pixels on which annotators disagree; 1 ignores pixels at ½, 0 counts all
    /// pixels equally.
    /// </summary>
    public double AgreementWeight { get; init; }

    /// <summary>How images are varied while training.</summary>
    public AugmentationOptions Augmentation { get; init; } = new();

    /// <summary>Share of synthetic images in the batches, 0 to 1; by default all pairs are taken equally often.</summary>
    public double? SyntheticFraction { get; init; }

    /// <summary>
    /// Maximum number of synthetic images in the batches for each real one; by default the only limit is
    /// <see cref="SyntheticFraction"/>.
    /// </summary>
    public double? MaxSyntheticPerReal { get; init; }

    /// <summary>Loss weight of a synthetic image relative to a real one.</summary>
    public double SyntheticWeight { get; init; } = 1;

    /// <summary>
    /// First share of the steps that uses synthetic images only, in [0, 1); has no effect without synthetic images.
    /// </summary>
    public double SyntheticWarmup { get; init; }

    /// <summary>
    /// For images without masks: weight of the consistency loss between the network and its averaged weights (mean teacher).
    /// </summary>
    public double ConsistencyWeight { get; init; } = 10;

    /// <summary>First share of the steps, over which the consistency weight rises, in [0, 1].</summary>
    public double ConsistencyRampUp { get; init; } = 0.3;

    /// <summary>
    /// Decay of the exponential moving average (EMA) of the weights, which is then validated and kept; 0 for none.
    /// </summary>
    public double EmaDecay { get; init; }

    /// <summary>Which weights are kept.</summary>
    public CheckpointSelection Keep { get; init; }

    /// <summary>Steps between two validations.</summary>
    public int ValidateEvery { get; init; } = 50;

    /// <summary>Steps between checkpoints; 0 for none.</summary>
    public int CheckpointEvery { get; init; } = 500;

    /// <summary>Where the network runs.</summary>
    public ComputeDevice Device { get; init; }

    /// <summary>Seed of the initial weights, order of images and augmentation.</summary>
    public Seed Seed { get; init; }

    /// <summary>
    /// These options for data with a table of classes: with more than a background and one other, the network gets a logit
    /// for each, and a loss for one class gives way to cross-entropy + Dice.
    /// </summary>
    public SegmentationOptions For(ClassTable? classes) => classes is not { Count: > 2 } || Network.Classes > 1 ? this : this with
    {
        Network = Network with { Classes = classes.Count },
        Loss = Loss is MaskLoss.CrossEntropy ? Loss : MaskLoss.CrossEntropyDice,
    };

    /// <summary>
    /// Defaults of an experiment, see docs/results: enough training for small sets, and no labels used for choosing weights.
    /// </summary>
    public static SegmentationOptions ForExperiments { get; } = new()
    {
        Steps = 2000, ValidateEvery = 100, Schedule = SegmentationSchedule.Constant, EmaDecay = 0.99,
        Keep = CheckpointSelection.Last,
        Augmentation = AugmentationOptions.Strong,
    };

    /// <summary>How training data are loaded.</summary>
    internal LabelReading LabelReading => new(Labels, BoundaryWidth);

    /// <summary>Training pairs as these options take them.</summary>
    /// <exception cref="InvalidDatasetException">A file is missing or damaged.</exception>
    public PairedDataset Load(IReadOnlyList<ImageMaskPair> pairs, IMonitor monitor) =>
        PairedDataset.Load(pairs, ImageSize, monitor, LabelReading);

    /// <summary>Checks all of it.</summary>
    /// <returns>This.</returns>
    /// <exception cref="InvalidOptionsException">Lists every fault.</exception>
    public SegmentationOptions Validate()
    {
        var faults = new List<string>();
        void Demand(bool holds, string fault) { if (!holds) faults.Add(fault); }
        faults.AddRange(Network.Faults());
        Demand(Network.Classes == 1 || Loss is MaskLoss.CrossEntropyDice or MaskLoss.CrossEntropy,
            $"loss {Loss} is for one class, network.classes is {Network.Classes}. Use crossEntropyDice or crossEntropy.");
        Demand(BackboneRate >= 0 && double.IsFinite(BackboneRate),
            FormattableString.Invariant($"backboneRate is {BackboneRate}; it can't be negative."));
        Demand(Momentum is >= 0 and < 1, FormattableString.Invariant($"momentum is {Momentum}; it must be in [0, 1)."));
        Demand(ClipValue >= 0, FormattableString.Invariant($"clipValue is {ClipValue}; it can't be negative (0 for no limit)."));
        Demand(ContrastWeight >= 0, FormattableString.Invariant($"contrastWeight is {ContrastWeight}; it can't be negative."));
        Demand(Math.Min(ImageSize.Width, ImageSize.Height) >= 16, $"imageSize is {ImageSize}; each side has to be 16 or more.");
        Demand(Steps >= 1, $"steps is {Steps}; it has to be 1 or more.");
        Demand(BatchSize >= 1, $"batchSize is {BatchSize}; it has to be 1 or more.");
        Demand(LearningRate > 0 && double.IsFinite(LearningRate),
            FormattableString.Invariant($"learningRate is {LearningRate}; it has to be above 0."));
        Demand(WarmupSteps >= 0, $"warmupSteps is {WarmupSteps}; it can't be negative.");
        Demand(WeightDecay >= 0, FormattableString.Invariant($"weightDecay is {WeightDecay}; it can't be negative."));
        Demand(ClipNorm >= 0, FormattableString.Invariant($"clipNorm is {ClipNorm}; it can't be negative (0 for no limit)."));
        Demand(SyntheticFraction is null or >= 0 and <= 1,
            FormattableString.Invariant($"syntheticFraction is {SyntheticFraction}; it must be between 0 and 1."));
        Demand(MaxSyntheticPerReal is null or > 0,
            FormattableString.Invariant($"maxSyntheticPerReal is {MaxSyntheticPerReal}; it has to be above 0."));
        Demand(SyntheticWeight > 0 && double.IsFinite(SyntheticWeight),
            FormattableString.Invariant($"syntheticWeight is {SyntheticWeight}; it has to be above 0."));
        Demand(SyntheticWarmup is >= 0 and < 1,
            FormattableString.Invariant($"syntheticWarmup is {SyntheticWarmup}; it must be in [0, 1)."));
        Demand(ConsistencyWeight >= 0 && double.IsFinite(ConsistencyWeight),
            FormattableString.Invariant($"consistencyWeight is {ConsistencyWeight}; it can't be negative."));
        Demand(ConsistencyRampUp is >= 0 and <= 1,
            FormattableString.Invariant($"consistencyRampUp is {ConsistencyRampUp}; it must be between 0 and 1."));
        Demand(EmaDecay is >= 0 and < 1,
            FormattableString.Invariant($"emaDecay is {EmaDecay}; it must be in [0, 1) (0 for none)."));
        Demand(ValidateEvery >= 1, $"validateEvery is {ValidateEvery}; it has to be 1 or more.");
        Demand(CheckpointEvery >= 0, $"checkpointEvery is {CheckpointEvery}; it can't be negative (0 is none).");
        faults.AddRange(LabelReading.Faults());
        Demand(Labels == LabelKind.Hard
            || (Network.Classes == 1 && Loss is not (MaskLoss.CrossEntropyDice or MaskLoss.CrossEntropy)),
            $"labels are soft, loss is {Loss}: soft labels need a loss for one class, such as bceDice.");
        Demand(AgreementWeight is >= 0 and <= 1,
            FormattableString.Invariant($"agreementWeight is {AgreementWeight}; it must be between 0 and 1."));
        Demand(AgreementWeight == 0 || Labels == LabelKind.Soft, "agreementWeight needs soft labels: set labels to soft.");
        faults.AddRange(Augmentation.Faults());
        return faults.Count == 0 ? this : throw new InvalidOptionsException(faults);
    }
}

/// <summary>How images and masks are augmented in training; the random values depend on seed and step alone.</summary>
public sealed record AugmentationOptions
{
    /// <summary>Flips left to right, every other time.</summary>
    public bool HorizontalFlip { get; init; } = true;

    /// <summary>Flips top to bottom, every other time.</summary>
    public bool VerticalFlip { get; init; } = true;

    /// <summary>Rotates by 0, 90, 180 or 270 degrees (0 or 180 where images are not square).</summary>
    public bool QuarterTurns { get; init; } = true;

    /// <summary>Brightness is scaled by 1 ± this.</summary>
    public double Brightness { get; init; } = 0.15;

    /// <summary>Contrast is scaled by 1 ± this, about the mean of the image.</summary>
    public double Contrast { get; init; } = 0.15;

    /// <summary>Each colour channel is scaled by 1 ± this, independently.</summary>
    public double Colour { get; init; }

    /// <summary>Rotates by up to this many degrees either way, besides quarter turns.</summary>
    public double Rotation { get; init; }

    /// <summary>Largest change of size, as a share: 0.2 gives a factor between 1/1.2 and 1.2.</summary>
    public double Zoom { get; init; }

    /// <summary>Largest displacement of the elastic deformation, as a share of the width.</summary>
    public double Elastic { get; init; }

    /// <summary>Strong classical variation: flips, all turns, colour, size, elastic.</summary>
    public static AugmentationOptions Strong { get; } = new()
    {
        Brightness = 0.3, Contrast = 0.3, Colour = 0.15, Rotation = 30, Zoom = 0.25, Elastic = 0.04,
    };

    /// <summary>Share of the images of a batch that get a rectangle of another one, with its part of the mask (CutMix).</summary>
    public double CutMix { get; init; }

    /// <summary>Gives each image the colours of another training image (SANet's colour exchange), every time.</summary>
    public bool ColourExchange { get; init; }

    /// <summary>No variation at all.</summary>
    public static AugmentationOptions None { get; } =
        new() { HorizontalFlip = false, VerticalFlip = false, QuarterTurns = false, Brightness = 0, Contrast = 0 };

    internal IEnumerable<string> Faults()
    {
        if (Brightness is not (>= 0 and < 1))
            yield return FormattableString.Invariant($"augmentation.brightness is {Brightness}; it must be in [0, 1).");
        if (Colour is not (>= 0 and < 1))
            yield return FormattableString.Invariant($"augmentation.colour is {Colour}; it must be in [0, 1).");
        if (Rotation is not (>= 0 and <= 180))
            yield return FormattableString.Invariant($"augmentation.rotation is {Rotation}; give 0 to 180 degrees.");
        if (Zoom is not (>= 0 and <= 1)) yield return FormattableString.Invariant($"augmentation.zoom is {Zoom}; give 0 to 1.");
        if (Elastic is not (>= 0 and <= 0.2))
            yield return FormattableString.Invariant($"augmentation.elastic is {Elastic}; give 0 to 0.2.");
        if (CutMix is not (>= 0 and <= 1))
            yield return FormattableString.Invariant($"augmentation.cutMix is {CutMix}; it must be between 0 and 1.");
        if (Contrast is not (>= 0 and < 1))
            yield return FormattableString.Invariant($"augmentation.contrast is {Contrast}; it must be in [0, 1).");
    }
}
