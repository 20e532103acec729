using System.Text.Json.Nodes;
using Siamorph.Diffusion;
using Siamorph.Models;
using Siamorph.Models.Codecs;
using Siamorph.Models.Text;
using Siamorph.Siamese.WeightFiles;
using Siamorph.Training;
using Siamorph.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Siamorph.Siamese;

/// <summary>
/// A whole model: networks, latent codec, prompts, and the options that say how they belong together. Its tensors bear
/// the authors' key prefixes ("model.diffusion_model.", "control_model.", "first_stage_model.", "cond_stage_model.").
/// </summary>
internal sealed class SiamesePipeline : IDisposable
{
    internal const string CodecPrefix = "first_stage_model.";
    internal const string PromptPrefix = "cond_stage_model.";

    /// <summary>
    /// A model before training: with seeded weights and a codec that is not fitted yet, or with the weights that the options
    /// name as its base. On the CPU in float32; see <see cref="MoveTo"/>.
    /// </summary>
    /// <param name="options">Sizes, schedule and target.</param>
    /// <param name="prompts">The prompts it is to learn, where it learns any.</param>
    /// <exception cref="SiamorphException">The options don't fit together, or the files they name can't be used.</exception>
    public SiamesePipeline(TrainOptions options, IEnumerable<string> prompts)
    {
        ArgumentNullException.ThrowIfNull(options);
        Options = options;
        var seed = options.Seed;
        Codec = CodecOf(options);
        if (options.Network.LatentChannels != Codec.Channels || options.Network.HintFactor != Codec.Factor)
            throw new InvalidOptionsException(
                $"The latent has {Codec.Channels} channels at factor {Codec.Factor}; the network is set to "
                    + $"{options.Network.LatentChannels} at {options.Network.HintFactor}.");
        Prompts = PromptEncoderOf(options, prompts, options.TextModel is null ? null : options.ReadTokenizer());
        Model = options.BaseWeights is null ? new SiameseModel(options.Network, seed.Derive("weights"))
            : new SiameseModel(options.Network);
        Process = new ForwardProcess(new NoiseSchedule(options.Schedule), options.PredictionType);
        if (options.BaseWeights is { } path) Initialization = BaseWeights.Load(this, path);
        if (options.LoraWeights is { } lora)
        {
            using var file = WeightsFile.Open(lora);
            Lora.Merge(Model.UNet, file, lora);
        }
        if (options.LoraRank > 0) Lora.AddToDecoder(Model.UNet, options.LoraRank, options.LoraAlpha
            ?? options.LoraRank, seed.Derive("lora"));
        Model.GradientCheckpointing = options.GradientCheckpointing;
    }

    /// <summary>How it is trained and sampled.</summary>
    public TrainOptions Options { get; }

    /// <summary>UNet and ControlNet.</summary>
    public SiameseModel Model { get; }

    /// <summary>Between images and latents.</summary>
    public ILatentCodec Codec { get; }

    /// <summary>Between prompts and tokens.</summary>
    public IPromptEncoder Prompts { get; private set; }

    /// <summary>Schedule and prediction target.</summary>
    public ForwardProcess Process { get; }

    /// <summary>Where ControlNet's first values came from; null where all are seeded.</summary>
    public ControlInitialization? Initialization { get; }

    /// <summary>Where the networks are and in which type.</summary>
    public Placement Placement { get; private set; } = new(CPU, ScalarType.Float32);

    /// <summary>
    /// A model to draw from: a run, or a file or folder that holds all of the paper's model, such as the authors' checkpoint.
    /// </summary>
    /// <param name="model">A run folder, a checkpoint in it, or whatever <see cref="WeightsFile.Open"/> reads.</param>
    /// <param name="tokenizer">Of a model that is no run; null for the folder "tokenizer" beside it.</param>
    /// <exception cref="SiamorphException">It can't be read, or lacks a part.</exception>
    public static SiamesePipeline Open(string model, string? tokenizer = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(model);
        if (!File.Exists(model) && !Directory.Exists(model)) return Load(model);
        return RunCheckpoint.At(model) is { } run ? LoadCheckpoint(run.Folder) : OfWeights(Presets.Sd15 with
        {
            BaseWeights = model, Tokenizer = tokenizer,
        });
    }

    /// <summary>The model that base weights are when they hold a trained ControlNet too.</summary>
    /// <exception cref="WeightsMismatchException">They hold none.</exception>
    internal static SiamesePipeline OfWeights(TrainOptions options)
    {
        var path = options.BaseWeights!;
        using (var file = WeightsFile.Open(path))
            if (!DiffusionCheckpoint.Of(file).Layouts.ContainsKey(CheckpointPart.ControlNet))
                throw new WeightsMismatchException(
                    $"{path}: has no ControlNet, so it can't generate images from masks. Train one on top of it (`train --preset "
                        + $"sd15 --base-weights`), then give that run.");
        var pipeline = new SiamesePipeline(options, []);
        var lacking = pipeline.Initialization!.New.Concat(pipeline.Initialization.FromUNet).ToList();
        if (lacking.Count == 0) return pipeline;
        pipeline.Dispose();
        throw new WeightsMismatchException(
            $"{path}: its ControlNet lacks {lacking.Count} tensors, such as {lacking[0]}. `weights inspect` lists them.");
    }

    /// <summary>Loads the newest checkpoint of a run for sampling, with averaged weights where the run kept them.</summary>
    /// <exception cref="SiamorphException">There is no whole checkpoint, or its weights don't fit.</exception>
    public static SiamesePipeline Load(string runFolder)
    {
        return LoadCheckpoint(Checkpoint.Latest(runFolder) ?? throw new SiamorphException(
            $"{runFolder}: holds no finished checkpoint. Name the folder that `train` wrote, or train first."));
    }

    /// <summary>The same of a checkpoint's own folder.</summary>
    internal static SiamesePipeline LoadCheckpoint(string folder)
    {
        using var checkpoint = Checkpoint.LoadWeights(folder);
        var pipeline = FromState(checkpoint.State, folder);
        pipeline.Apply(checkpoint["model"], folder);
        if (checkpoint.Find("ema") is { } averages) pipeline.ApplyAverages(averages);
        Lora.Merge(pipeline.Model.UNet);
        return pipeline;
    }

    /// <summary>
    /// Moves the networks, the prompt encoder and a pretrained codec (the wavelets follow what they work on). To be done before
    /// optimizers are made: parameters are replaced. Codec and prompts stay float32: images would band, tokens learn in small
    /// steps.
    /// </summary>
    public void MoveTo(Placement placement)
    {
        ArgumentNullException.ThrowIfNull(placement);
        if (placement == Placement) return;
        Model.to(placement.Device, placement.Type);
        Lora.MoveTo(Model.UNet, placement.Device, placement.Type);
        if (Codec.IsPretrained && Codec is nn.Module codec) codec.to(placement.Device);
        if (Prompts is nn.Module prompts) prompts.to(placement.Device);
        Placement = placement;
    }

    /// <summary>All tensors by key: the networks', the codec's, the prompts'. Not copies.</summary>
    public IReadOnlyDictionary<string, Tensor> Tensors() => Tensors(_ => true);

    /// <summary>
    /// The tensors that a checkpoint must hold: all, or where the options name base weights, those that training changes. Not
    /// copies.
    /// </summary>
    public IReadOnlyDictionary<string, Tensor> StoredTensors()
    {
        if (Options.BaseWeights is null) return Tensors();
        var trained = Model.TrainableParameters(Options.DecoderLocked).Select(p => p.Name).ToHashSet();
        return Tensors(pretrained => !pretrained).Where(t => !IsNetwork(t.Key) || trained.Contains(t.Key)).ToDictionary();
    }

    /// <summary>Prepares the codec of a model that is trained anew: from the user's files, or from the images.</summary>
    /// <param name="images">uint8 [N,3,H,W]; H and W divisible by the factor.</param>
    /// <exception cref="SiamorphException">The files can't be used.</exception>
    public void PrepareCodec(Tensor images)
    {
        if (Options.CodecWeights is { } folder) CodecFiles.Load(Codec, folder);
        Codec.Fit(images);
    }

    /// <summary>Copies stored tensors in.</summary>
    /// <exception cref="WeightsMismatchException">Keys are missing, unexpected or misshapen.</exception>
    public void Apply(WeightTable tensors, string source)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        StateDict.Apply(StoredTensors(), tensors, source);
    }

    /// <summary>Puts averaged weights in the place of the trained ones; keys that are no weights are passed over.</summary>
    public void ApplyAverages(WeightTable averages)
    {
        ArgumentNullException.ThrowIfNull(averages);
        using var noGrad = no_grad();
        foreach (var (key, tensor) in Tensors())
        {
            if (!averages.TryGet(key, out var entry)) continue;
            using var average = entry.Read();
            tensor.copy_(average);
        }
    }

    /// <summary>Tokens of prompts, where and as the networks take them.</summary>
    /// <returns>[B,L,D].</returns>
    public Tensor Encode(IReadOnlyList<string> prompts)
    {
        var tokens = Prompts.Encode(prompts);
        return tokens.dtype == Placement.Type && tokens.device == Placement.Device ? tokens : Placement.Put(tokens);
    }

    /// <summary>Moments of images on any device.</summary>
    /// <returns>float32, on the codec's device.</returns>
    internal Tensor Moments(Tensor images) => Codec.Moments(images.to(Placement.Device));

    /// <summary>Images of latents on any device, of any type.</summary>
    /// <returns>float32 on the CPU.</returns>
    internal Tensor Decode(Tensor latents) => Codec.Decode(latents.to(float32, Placement.Device)).cpu();

    /// <summary>Keeps the tokens of these prompts and lets the text model go, whose memory training has better use for.</summary>
    internal void CachePrompts(IEnumerable<string> prompts, ContentCache cache)
    {
        if (!Prompts.IsPretrained || Prompts is not nn.Module module) return;
        var cached = new CachedPrompts(Prompts, Fingerprint(module), prompts, cache);
        Prompts.Dispose();
        Prompts = cached;
    }

    /// <summary>A cache of this codec's moments; null for a codec that is quick anyway.</summary>
    internal LatentCache? LatentCacheIn(ContentCache cache) =>
        Codec.IsPretrained && Codec is nn.Module module ? new LatentCache(Codec, Fingerprint(module), cache) : null;

    /// <summary>What a checkpoint must say beside the tensors.</summary>
    internal JsonObject State() => new()
    {
        ["options"] = OptionsFile.ToNode(Options),
        ["prompts"] = new JsonArray([.. Prompts.Prompts.Select(p => (JsonNode)p)]),
    };

    internal static SiamesePipeline FromState(JsonObject state, string source)
    {
        if (state["options"] is not JsonObject options || state["prompts"] is not JsonArray prompts)
            throw new WeightsFormatException($"{source}: is not a checkpoint of a Siamese-Diffusion run.");
        return new(OptionsFile.FromRecorded<TrainOptions>(options, source), prompts.Select(p => (string)p!));
    }

    /// <summary>The codec that the options describe, not yet fitted or loaded.</summary>
    internal static ILatentCodec CodecOf(TrainOptions options) =>
        options.Autoencoder is { } autoencoder ? new AutoencoderKl(autoencoder)
        : options.CodecWeights is not null ? new TinyAutoencoder() : new HaarCodec();

    /// <summary>The prompt encoder that the options describe, not yet loaded.</summary>
    internal static IPromptEncoder PromptEncoderOf(TrainOptions options, IEnumerable<string> prompts, ClipTokenizer? tokenizer) =>
        options.TextModel is { } text
            ? new ClipPromptEncoder(text, tokenizer)
            : new PromptTable(prompts, options.PromptLength, options.Network.ContextWidth, options.Seed.Derive("prompts"));

    /// <inheritdoc/>
    public void Dispose()
    {
        Model.Dispose();
        Codec.Dispose();
        Prompts.Dispose();
    }

    /// <summary>A hash of all tensors: the same whatever file they came from.</summary>
    internal string Fingerprint() =>
        ContentCache.KeyOf(nameof(SiamesePipeline), Tensors().OrderBy(t => t.Key, StringComparer.Ordinal).Select(t => t.Value));

    private static bool IsNetwork(string key) =>
        !key.StartsWith(CodecPrefix, StringComparison.Ordinal) && !key.StartsWith(PromptPrefix, StringComparison.Ordinal);

    private static string Fingerprint(nn.Module module) =>
        ContentCache.KeyOf(module.GetName(),
        StateDict.Of(module).OrderBy(t => t.Key, StringComparer.Ordinal).Select(t => t.Value));

    private Dictionary<string, Tensor> Tensors(Predicate<bool> ofPretrained)
    {
        var all = new Dictionary<string, Tensor>(StateDict.Of(Model));
        foreach (var (name, parameter) in Lora.Parameters(Model.UNet)) all[name] = parameter;
        foreach (var (prefix, part, pretrained) in new (string, object, bool)[] { (CodecPrefix, Codec, Codec.IsPretrained),
            (PromptPrefix, Prompts, Prompts.IsPretrained) })
            if (part is nn.Module module && ofPretrained(pretrained))
                foreach (var (key, tensor) in StateDict.Of(module)) all[prefix + key] = tensor;
        return all;
    }
}
