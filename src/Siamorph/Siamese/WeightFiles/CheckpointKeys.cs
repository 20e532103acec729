using Siamorph.Diffusion;
using Siamorph.Models;
using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Siamese.WeightFiles;

/// <summary>What a checkpoint holds under one key.</summary>
/// <param name="Name">The authors' key.</param>
/// <param name="Shape">Sizes, outermost first.</param>
/// <param name="DType">Element type.</param>
internal sealed record CheckpointKey(string Name, IReadOnlyList<long> Shape, ScalarType DType);

/// <summary>
/// The tensors of a preset's full checkpoint, told by its own networks: they are built without storage (<see cref="NewLayer"/>),
/// so that listing the 1.4 billion numbers of the paper's model takes no memory.
/// </summary>
internal static class CheckpointKeys
{
    /// <summary>The presets whose keys can be listed.</summary>
    public static IReadOnlyList<string> Presets { get; } = [.. Siamese.Presets.All.Keys];

    /// <summary>Every tensor of the preset's checkpoint.</summary>
    /// <exception cref="InvalidOptionsException">There is no such preset.</exception>
    public static IReadOnlyList<CheckpointKey> Of(string preset) => Siamese.Presets.All.TryGetValue(preset, out var options)
        ? Of(options)
        : throw new InvalidOptionsException($"--preset {preset}: unknown; there are {string.Join(", ", Presets)}.");

    /// <summary>
    /// Every tensor of a model's checkpoint: schedule (on top of a pretrained codec only), UNet, ControlNet, codec, prompts.
    /// </summary>
    /// <param name="options">Whose sizes; the files they name are not read.</param>
    /// <exception cref="InvalidOptionsException">The sizes don't fit together.</exception>
    public static IReadOnlyList<CheckpointKey> Of(TrainOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        List<CheckpointKey> schedule = options.Autoencoder is null ? [] :
            [.. ScheduleBuffers.Of(new NoiseSchedule(options.Schedule))
                .Select(b => new CheckpointKey(b.Key, [b.Value.Length], ScalarType.Float32))];
        return
        [
            .. schedule, .. OfModule("", () => new SiameseModel(options.Network)),
            .. OfModule(SiamesePipeline.CodecPrefix, () => (nn.Module)SiamesePipeline.CodecOf(options)),
            .. OfModule(SiamesePipeline.PromptPrefix,
            () => (nn.Module)SiamesePipeline.PromptEncoderOf(options, [], tokenizer: null)),
        ];
    }

    private static List<CheckpointKey> OfModule(string prefix, Func<nn.Module> build)
    {
        using var scope = NewDisposeScope();
        using var module = NewLayer.WithoutNumbers(build);
        return [.. StateDict.Of(module).Select(p => new CheckpointKey(prefix + p.Key, p.Value.shape, p.Value.dtype))];
    }
}
