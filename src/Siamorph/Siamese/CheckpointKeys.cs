using Siamorph.Diffusion;
using Siamorph.Models;
using Siamorph.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Siamorph.Siamese;

/// <summary>What a checkpoint holds under one key.</summary>
/// <param name="Name">The authors' key.</param>
/// <param name="Shape">Sizes, outermost first.</param>
/// <param name="DType">Element type.</param>
public sealed record CheckpointKey(string Name, IReadOnlyList<long> Shape, ScalarType DType);

/// <summary>
/// The tensors of a preset's full checkpoint, told by its own networks: they are built on the storage-less "meta" device,
/// so that listing the 1.4 billion numbers of the paper's model takes no memory.
/// </summary>
public static class CheckpointKeys
{
    private static readonly Lock DefaultDevice = new();

    /// <summary>The presets whose keys can be listed: those that can be trained, and the paper's model.</summary>
    public static IReadOnlyList<string> Presets { get; } = [.. Siamese.Presets.All.Keys.Append("sd15").Distinct()];

    /// <summary>Every tensor of the preset's checkpoint: schedule (paper's model only), UNet, ControlNet, codec, prompts.</summary>
    /// <exception cref="InvalidOptionsException">There is no such preset.</exception>
    public static IReadOnlyList<CheckpointKey> Of(string preset)
    {
        if (!Presets.Contains(preset)) throw new InvalidOptionsException($"--preset {preset}: unknown; there are {string.Join(", ", Presets)}.");
        return Siamese.Presets.All.TryGetValue(preset, out var options) && options.Network.LatentChannels == new HaarCodec().Channels
            ? OfTrained(options)
            : OfStableDiffusion(options?.Network ?? new DenoiserConfig());
    }

    private static List<CheckpointKey> OfTrained(TrainOptions options)
    {
        using var codec = new HaarCodec();
        using var prompts = new PromptTable([], options.PromptLength, options.Network.ContextWidth, new Seed(0));
        return
        [
            .. OfModule("", () => new SiameseModel(options.Network)),
            .. Keys(DiffusionCheckpoint.PrefixOf(CheckpointPart.Autoencoder), codec), .. Keys("cond_stage_model.", prompts),
        ];
    }

    private static List<CheckpointKey> OfStableDiffusion(DenoiserConfig network) =>
    [
        .. ScheduleBuffers.Of(new NoiseSchedule(new ScheduleOptions())).Select(b => new CheckpointKey(b.Key, [b.Value.Length], ScalarType.Float32)),
        .. OfModule("", () => new SiameseModel(network)),
        .. OfModule(DiffusionCheckpoint.PrefixOf(CheckpointPart.Autoencoder), () => new AutoencoderKl(new AutoencoderKlConfig())),
        .. OfModule(DiffusionCheckpoint.PrefixOf(CheckpointPart.TextEncoder), () => new ClipTextModel(new ClipTextConfig { Width = network.ContextWidth })),
    ];

    // The default device is the process's own: it is set back before anyone else can build a network.
    private static List<CheckpointKey> OfModule(string prefix, Func<nn.Module> build)
    {
        lock (DefaultDevice)
        {
            var before = get_default_device();
            set_default_device(new Device(DeviceType.META));
            try
            {
                using var scope = NewDisposeScope();
                using var module = build();
                return Keys(prefix, module);
            }
            finally
            {
                set_default_device(before);
            }
        }
    }

    private static List<CheckpointKey> Keys(string prefix, nn.Module module) =>
        [.. StateDict.Of(module).Select(p => new CheckpointKey(prefix + p.Key, p.Value.shape, p.Value.dtype))];
}
