using Siamorph.Data;
using Siamorph.Diffusion;
using Siamorph.Models;
using Siamorph.Models.Codecs;
using Siamorph.Models.Text;
using Siamorph.Training;
using Siamorph.Training.Optimizers;
using Siamorph.Weights;

namespace Siamorph.Siamese;

/// <summary>How one stage of training is optimised.</summary>
public sealed record StageOptions
{
    /// <summary>Optimizer steps; 0 skips this training.</summary>
    public int Steps { get; init; }

    /// <summary>Pairs in a step.</summary>
    public int BatchSize { get; init; } = 16;

    /// <summary>Batches whose gradients are averaged for one optimizer step, to save memory.</summary>
    public int Accumulation { get; init; } = 1;

    /// <summary>Highest learning rate.</summary>
    public double LearningRate { get; init; } = 1e-5;

    /// <summary>Steps over which the learning rate rises from 0.</summary>
    public int WarmupSteps { get; init; }

    /// <summary>Share of the steps after which the learning rate falls linearly; 1 keeps it constant.</summary>
    public double FlatFraction { get; init; } = 1;

    /// <summary>Last learning rate as a share of the highest.</summary>
    public double FinalFraction { get; init; } = 0.1;

    /// <summary>Weight decay of AdamW, on every trained tensor.</summary>
    public double WeightDecay { get; init; } = 0.01;

    /// <summary>Largest norm of the whole gradient; 0 for no clipping.</summary>
    public double ClipNorm { get; init; }

    /// <summary>Decay of the exponential moving average (EMA) of the weights, which sampling then uses; 0 for none.</summary>
    public double EmaDecay { get; init; }

    internal LearningRateSchedule Schedule => new()
    {
        Peak = LearningRate,
        WarmupSteps = WarmupSteps,
        FlatFraction = FlatFraction,
        FinalFraction = FinalFraction,
        Shape = FlatFraction < 1 ? LearningRateShape.LinearDecay : LearningRateShape.Constant,
    };
}

/// <summary>Where an optimizer keeps what it remembers of each trained weight.</summary>
public enum OptimizerStorage
{
    /// <summary>Beside the weights.</summary>
    Memory,

    /// <summary>In a file of the run folder, read and written in each optimizer step.</summary>
    Disk,
}

/// <summary>All options of `train`. The presets are values of this record.</summary>
public sealed record TrainOptions
{
    /// <summary>Which files a model on top of Stable Diffusion needs, for error messages.</summary>
    internal const string NeededFiles =
        "Give --base-weights Stable Diffusion 1.5 (v1-5-pruned.safetensors, .ckpt or its diffusers folder) or the authors' "
        + "checkpoint, and --tokenizer its tokenizer folder (vocab.json, merges.txt); see docs/how-to/full-size.md.";

    /// <summary>Width and height in pixels to which pairs are resized.</summary>
    public int ImageSize { get; init; } = 384;

    /// <summary>Sizes of UNet and ControlNet.</summary>
    public DenoiserConfig Network { get; init; } = new();

    /// <summary>
    /// The KL autoencoder between images and latents; without one (null) it is the wavelet, which needs no weights.
    /// </summary>
    public AutoencoderKlConfig? Autoencoder { get; init; }

    /// <summary>
    /// Folder with the two files of a small autoencoder, TAEF2 (taef2_encoder and taef2_decoder), whose latents take the place of
    /// wavelets; the preset "tiny-taef2" needs it. A run keeps a copy of the weights. Null for wavelets.
    /// </summary>
    public string? CodecWeights { get; init; }

    /// <summary>The CLIP text model that reads prompts; without one (null) a short sequence is learned for each prompt.</summary>
    public ClipTextConfig? TextModel { get; init; }

    /// <summary>
    /// Weights to start from, of a model of the same sizes: a base model of "siamorph base build", or a run. Unlike
    /// <see cref="BaseWeights"/> the run does not need them later. Null begins at random.
    /// </summary>
    public string? InitialWeights { get; init; }

    /// <summary>File or folder with the weights to start from: Stable Diffusion 1.5 or the authors' checkpoint.</summary>
    public string? BaseWeights { get; init; }

    /// <summary>
    /// Folder with vocab.json and merges.txt, or bpe_simple_vocab_16e6.txt.gz; by default the tokenizer folder beside the base
    /// weights.
    /// </summary>
    public string? Tokenizer { get; init; }

    /// <summary>Tokens of a learned prompt.</summary>
    public int PromptLength { get; init; } = 4;

    /// <summary>The noise schedule.</summary>
    public ScheduleOptions Schedule { get; init; } = new();

    /// <summary>What the network predicts: the noise (epsilon), the clean latent (sample), or v.</summary>
    [FormerName("target", "noise", "epsilon", "cleanLatent", "sample")]
    public PredictionType PredictionType { get; init; } = PredictionType.Epsilon;

    /// <summary>Weights and gates of the four losses.</summary>
    public SiameseLossOptions Losses { get; init; } = new();

    /// <summary>How masks become hints: hard, or soft (grey levels, several annotators, a band around the outline).</summary>
    public LabelKind Labels { get; init; }

    /// <summary>With soft labels: width of the band around outlines, as a share of the shorter side; 0 for none.</summary>
    public double BoundaryWidth { get; init; }

    /// <summary>Folder of images without masks to use in base training as well; they are used for nothing else.</summary>
    public string? Unlabelled { get; init; }

    /// <summary>The plain UNet on the images.</summary>
    public StageOptions Base { get; init; } = new();

    /// <summary>ControlNet and decoder with the siamese losses.</summary>
    public StageOptions Siamese { get; init; } = new() { Steps = 3000 };

    /// <summary>Rank of LoRA on the decoder's attention, trained instead of the decoder; 0 trains the decoder itself.</summary>
    public int LoraRank { get; init; }

    /// <summary>Alpha of LoRA; by default the same value as its rank.</summary>
    public double? LoraAlpha { get; init; }

    /// <summary>LoRA file (in kohya's layout) that is merged into the UNet before training.</summary>
    public string? LoraWeights { get; init; }

    /// <summary>Freezes the UNet's decoder in siamese training ("sd_locked").</summary>
    public bool DecoderLocked { get; init; }

    /// <summary>
    /// Share of samples whose control is dropped, so that classifier-free guidance by the mask can be used; in [0,1).
    /// </summary>
    [FormerName("controlDropout")]
    public double CfgDropout { get; init; }

    /// <summary>Share of samples whose prompt is replaced by the empty one, in [0,1].</summary>
    public double EmptyPromptProbability { get; init; } = 0.05;

    /// <summary>
    /// Gradient checkpointing: recomputes the activations inside ControlNet and decoder blocks in the backward pass, to save
    /// memory.
    /// </summary>
    [FormerName("recomputeActivations")]
    public bool GradientCheckpointing { get; init; }

    /// <summary>
    /// Where the optimizer keeps its moments, which take twice the size of the trained weights; the results are the same.
    /// </summary>
    public OptimizerStorage OptimizerState { get; init; }

    /// <summary>Where the networks run.</summary>
    public ComputeDevice Device { get; init; }

    /// <summary>Type of the networks' weights and activations.</summary>
    public Precision Precision { get; init; }

    /// <summary>Folder that caches encoded images and prompts; by default "cache" in the run folder.</summary>
    public string? CacheFolder { get; init; }

    /// <summary>Flips half of the pairs left to right.</summary>
    public bool HorizontalFlip { get; init; }

    /// <summary>Flips half of the pairs top to bottom.</summary>
    public bool VerticalFlip { get; init; }

    /// <summary>How previews are sampled, and by default also synthetic images.</summary>
    public SamplingOptions Sampling { get; init; } = new();

    /// <summary>Steps between checkpoints.</summary>
    public int CheckpointEvery { get; init; } = 500;

    /// <summary>Checkpoints kept; older ones are removed.</summary>
    public int KeepCheckpoints { get; init; } = 2;

    /// <summary>Steps between preview sheets; 0 for one at the end only.</summary>
    public int PreviewEvery { get; init; } = 500;

    /// <summary>Images on a preview sheet; 0 for no previews.</summary>
    public int PreviewCount { get; init; } = 12;

    /// <summary>Seed of the initial weights, data order, noise and augmentation.</summary>
    public Seed Seed { get; init; }

    /// <summary>How data for this training are loaded.</summary>
    internal LabelReading LabelReading => new(Labels, BoundaryWidth);

    /// <summary>Pairs as this training takes them.</summary>
    /// <exception cref="InvalidDatasetException">A file is missing or damaged.</exception>
    public PairedDataset Load(IReadOnlyList<ImageMaskPair> pairs, IMonitor monitor) =>
        PairedDataset.Load(pairs, new(ImageSize, ImageSize), monitor, LabelReading);

    /// <summary>Checks all options.</summary>
    /// <exception cref="InvalidOptionsException">Lists every fault.</exception>
    public void Validate()
    {
        var faults = new List<string>(Network.Validate());
        var cells = Network.HintFactor << (Network.ChannelMultipliers.Count - 1);
        if (ImageSize < cells || ImageSize % cells != 0)
            faults.Add($"imageSize is {ImageSize}; this network needs a multiple of {cells}.");
        if (Siamese.Steps < 1) faults.Add($"siamese.steps is {Siamese.Steps}; at least 1 is needed.");
        if (Base.Steps < 0) faults.Add($"base.steps is {Base.Steps}; 0 or more.");
        if (Unlabelled is not null && Base.Steps == 0)
            faults.Add("unlabelled images are used in base training only, and base.steps is 0. Raise it, or leave them out.");
        faults.AddRange(LabelReading.Faults());
        if (Losses.AgreementWeight is not (>= 0 and <= 1))
            faults.Add(FormattableString.Invariant($"losses.agreementWeight is {Losses.AgreementWeight}; give 0 to 1."));
        if (Losses.AgreementWeight > 0 && Labels != LabelKind.Soft)
            faults.Add("losses.agreementWeight needs soft labels: set labels to soft.");
        if (PromptLength < 1) faults.Add($"promptLength is {PromptLength}; at least 1 is needed.");
        if (CfgDropout is not (>= 0 and < 1))
            faults.Add(FormattableString.Invariant($"cfgDropout is {CfgDropout}; give 0 up to below 1."));
        if (CheckpointEvery < 1 || KeepCheckpoints < 1) faults.Add("checkpointEvery and keepCheckpoints must be 1 or more.");
        if (InitialWeights is not null && BaseWeights is not null)
            faults.Add(
                "initialWeights and baseWeights are both given, but a model can start from only one of them. Leave one out.");
        if ((Autoencoder is not null || TextModel is not null) && BaseWeights is null)
            faults.Add($"baseWeights is missing: this model is trained on top of another. {NeededFiles}");
        if (CodecWeights is null && Autoencoder is null && Network.HintFactor == TinyAutoencoder.Downsampling)
            faults.Add("codecWeights is missing: give --codec-weights the folder with taef2_encoder.pth and taef2_decoder.pth, "
                + "or set network.latentChannels to 48 and network.hintFactor to 4 for wavelets.");
        if (CodecWeights is not null && Autoencoder is not null)
            faults.Add("codecWeights and autoencoder are both given, but a model has one codec. Leave one out.");
        faults.AddRange(Autoencoder?.Validate() ?? []);
        faults.AddRange(TextModel?.Validate() ?? []);
        if (TextModel is not null && TextModel.Width != Network.ContextWidth)
            faults.Add(
                $"the text model's width is {TextModel.Width}, network.contextWidth {Network.ContextWidth}; they must be equal.");
        if (LoraRank < 0) faults.Add($"loraRank is {LoraRank}; 0 or more.");
        if (LoraRank > 0 && DecoderLocked) faults.Add("loraRank trains the decoder, decoderLocked doesn't: choose one.");
        if (LoraRank > 0 && Base.Steps > 0)
            faults.Add("loraRank needs base weights and base.steps 0: without them the decoder is untrained and LoRA has nothing "
                + "to adapt.");
        if (PreviewCount < 0) faults.Add($"previewCount is {PreviewCount}; 0 or more.");
        if (PreviewEvery < 0) faults.Add($"previewEvery is {PreviewEvery}; 0 or more.");
        if (Sampling.GuidanceKind == GuidanceKind.Mask && Sampling.GuidanceScale != 1 && CfgDropout == 0)
            faults.Add("mask guidance needs a model trained with cfgDropout above 0.");
        foreach (var (name, stage) in new[] { ("base", Base), ("siamese", Siamese) }) faults.AddRange(Faults(name, stage));
        if (faults.Count > 0) throw new InvalidOptionsException(faults);
    }

    /// <summary>The user's tokenizer.</summary>
    /// <exception cref="WeightsFormatException">There is none, or it can't be read.</exception>
    internal ClipTokenizer ReadTokenizer()
    {
        if (Tokenizer is { } given) return new(BpeVocabulary.Read(given), TextModel!.Length);
        var folder = BaseWeights is { } weights ? Directory.Exists(weights) ? weights
            : Path.GetDirectoryName(Path.GetFullPath(weights))! : ".";
        var beside = Path.Combine(folder, "tokenizer");
        return Directory.Exists(beside)
            ? new(BpeVocabulary.Read(beside), TextModel!.Length)
            : throw new WeightsFormatException($"tokenizer is missing, and {beside} does not exist. {NeededFiles}");
    }

    private static IEnumerable<string> Faults(string name, StageOptions stage)
    {
        if (stage.Accumulation < 1) yield return $"{name}.accumulation is {stage.Accumulation}; at least 1 is needed.";
        if (stage.BatchSize < 1) yield return $"{name}.batchSize is {stage.BatchSize}; at least 1 is needed.";
        if (!(stage.LearningRate > 0))
            yield return FormattableString.Invariant($"{name}.learningRate is {stage.LearningRate}; it must be above 0.");
        if (stage.EmaDecay is not (>= 0 and < 1))
            yield return FormattableString.Invariant($"{name}.emaDecay is {stage.EmaDecay}; give 0 up to below 1.");
        if (stage.FlatFraction is not (>= 0 and <= 1))
            yield return FormattableString.Invariant($"{name}.flatFraction is {stage.FlatFraction}; give 0 to 1.");
        if (stage.ClipNorm < 0 || stage.WeightDecay < 0 || stage.WarmupSteps < 0)
            yield return $"{name}: clipNorm, weightDecay and warmupSteps can't be negative.";
    }
}
