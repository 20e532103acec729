using System.Text.Json.Nodes;
using Siamorph.Diffusion;
using Siamorph.Models;
using Siamorph.Training;
using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Siamese;

/// <summary>
/// A whole model: networks, latent codec, prompts, and the options that say how they belong together. Its tensors bear
/// the authors' key prefixes ("model.diffusion_model.", "control_model.", "first_stage_model.", "cond_stage_model.").
/// </summary>
public sealed class SiamesePipeline : IDisposable
{
    private const string CodecPrefix = "first_stage_model.";
    private const string PromptPrefix = "cond_stage_model.";

    /// <summary>A fresh model with seeded weights; the codec is not fitted yet.</summary>
    /// <param name="options">Sizes, schedule and target.</param>
    /// <param name="prompts">The prompts it is to learn.</param>
    /// <exception cref="InvalidOptionsException">The options don't fit together.</exception>
    public SiamesePipeline(TrainOptions options, IEnumerable<string> prompts)
    {
        ArgumentNullException.ThrowIfNull(options);
        Options = options;
        var seed = new Seed(options.Seed);
        Codec = new HaarCodec();
        if (options.Network.LatentChannels != Codec.Channels || options.Network.HintFactor != Codec.Factor)
            throw new InvalidOptionsException(
                $"The wavelet latent has {Codec.Channels} channels at factor {Codec.Factor}; the network is set to {options.Network.LatentChannels} at {options.Network.HintFactor}.");
        Model = new SiameseModel(options.Network, seed.Derive("weights"));
        Prompts = new PromptTable(prompts, options.PromptLength, options.Network.ContextWidth, seed.Derive("prompts"));
        Process = new ForwardProcess(new NoiseSchedule(options.Schedule), options.Target);
    }

    /// <summary>How it is trained and sampled.</summary>
    public TrainOptions Options { get; }

    /// <summary>UNet and ControlNet.</summary>
    public SiameseModel Model { get; }

    /// <summary>Between images and latents.</summary>
    public HaarCodec Codec { get; }

    /// <summary>Between prompts and tokens.</summary>
    public PromptTable Prompts { get; }

    /// <summary>Schedule and prediction target.</summary>
    public ForwardProcess Process { get; }

    /// <summary>Loads the newest checkpoint of a run for sampling, with averaged weights where the run kept them.</summary>
    /// <exception cref="SiamorphException">There is no whole checkpoint, or its weights don't fit.</exception>
    public static SiamesePipeline Load(string runFolder)
    {
        var folder = Checkpoint.Latest(runFolder) ?? throw new SiamorphException(
            $"{runFolder}: holds no finished checkpoint. Name the folder that `train` wrote, or train first.");
        using var checkpoint = Checkpoint.Load(folder);
        var pipeline = FromState(checkpoint.State, folder);
        pipeline.Apply(checkpoint["model"], folder);
        if (checkpoint.Parts.TryGetValue("ema", out var averages)) pipeline.ApplyAverages(averages);
        return pipeline;
    }

    /// <summary>All tensors by key: the networks', the codec's, the prompts'. Not copies.</summary>
    public IReadOnlyDictionary<string, Tensor> Tensors()
    {
        var all = new Dictionary<string, Tensor>(StateDict.Of(Model));
        foreach (var (key, tensor) in StateDict.Of(Codec)) all[CodecPrefix + key] = tensor;
        foreach (var (key, tensor) in StateDict.Of(Prompts)) all[PromptPrefix + key] = tensor;
        return all;
    }

    /// <summary>Copies stored tensors in.</summary>
    /// <exception cref="WeightsMismatchException">Keys are missing, unexpected or misshapen.</exception>
    public void Apply(IReadOnlyDictionary<string, Tensor> tensors, string source)
    {
        StateDict.Apply(Codec, tensors.Under(CodecPrefix), source);
        StateDict.Apply(Prompts, tensors.Under(PromptPrefix), source);
        var networks = tensors.Where(t => !t.Key.StartsWith(CodecPrefix, StringComparison.Ordinal) && !t.Key.StartsWith(PromptPrefix, StringComparison.Ordinal));
        StateDict.Apply(Model, networks.ToDictionary(t => t.Key, t => t.Value), source);
    }

    /// <summary>Puts averaged weights in the place of the trained ones; keys that are no weights are passed over.</summary>
    public void ApplyAverages(IReadOnlyDictionary<string, Tensor> averages)
    {
        ArgumentNullException.ThrowIfNull(averages);
        using var noGrad = no_grad();
        foreach (var (key, tensor) in Tensors())
            if (averages.TryGetValue(key, out var average)) tensor.copy_(average);
    }

    /// <summary>What a checkpoint must say beside the tensors.</summary>
    internal JsonObject State() => new()
    {
        ["options"] = OptionsFile.ToNode(Options),
        ["prompts"] = new JsonArray([.. Prompts.Prompts.Select(p => (JsonNode)p)]),
    };

    internal static SiamesePipeline FromState(JsonObject state, string source)
    {
        if (state["options"] is not JsonObject options || state["prompts"] is not JsonArray prompts)
            throw new WeightsFormatException($"{source}: is no checkpoint of a Siamese-Diffusion run.");
        return new(OptionsFile.FromJson<TrainOptions>(options.DeepClone().AsObject(), source), prompts.Select(p => (string)p!));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Model.Dispose();
        Codec.Dispose();
        Prompts.Dispose();
    }
}
