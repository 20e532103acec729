using Siamorph.Models;
using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Siamese.WeightFiles;

/// <summary>Where each tensor of ControlNet had its first values from.</summary>
/// <param name="FromFile">Keys that the file had itself.</param>
/// <param name="FromUNet">Keys copied from the UNet's encoder.</param>
/// <param name="New">Keys that were newly added, with seeded values.</param>
internal sealed record ControlInitialization(
    IReadOnlyList<string> FromFile, IReadOnlyList<string> FromUNet, IReadOnlyList<string> New)
{
    /// <summary>One sentence about it.</summary>
    public override string ToString() =>
        $"ControlNet: {FromFile.Count} tensors from the file, {FromUNet.Count} copied from the UNet's encoder, {New.Count} "
        + $"newly added.";
}

/// <summary>Fills a model from Stable Diffusion 1.5 or the authors' checkpoint.</summary>
internal static class BaseWeights
{
    public const string ControlPrefix = "control_model.";
    public const string UNetPrefix = "model.diffusion_model.";

    /// <summary>
    /// Loads UNet, codec and text model, and initialises ControlNet as the authors' tool does: what the file has of it, else the
    /// UNet's tensor of the same name, else its own first value.
    /// </summary>
    /// <exception cref="SiamorphException">The file can't be read, or lacks what the model needs.</exception>
    public static ControlInitialization Load(SiamesePipeline pipeline, string path)
    {
        using var opened = WeightsFile.Open(path);
        var file = DiffusionCheckpoint.Of(opened).Weights;
        if (!file.Names.Any(n => n.StartsWith(UNetPrefix, StringComparison.Ordinal)))
            throw new WeightsMismatchException($"{path}: holds no UNet under {UNetPrefix}*. {TrainOptions.NeededFiles}");
        StateDict.Apply(pipeline.Model.UNet, file.Under(UNetPrefix), path);
        Apply(pipeline.Codec, file.Under(SiamesePipeline.CodecPrefix), path);
        Apply(pipeline.Prompts, file.Under(SiamesePipeline.PromptPrefix), path);
        return Initialize(pipeline.Model, file, pipeline.Options.Seed.Derive("weights"));
    }

    private static void Apply(object part, WeightTable weights, string path)
    {
        if (part is nn.Module module) StateDict.Apply(module, weights, path);
    }

    private static ControlInitialization Initialize(SiameseModel model, WeightTable file, Seed seed)
    {
        ParameterInitializer.Initialize(model.ControlNet, seed.Derive("control"));
        var unet = StateDict.Of(model.UNet);
        var (fromFile, fromUNet, added) = (new List<string>(), new List<string>(), new List<string>());
        using var noGrad = no_grad();
        foreach (var (key, tensor) in StateDict.Of(model.ControlNet))
        {
            var name = ControlPrefix + key;
            if (file.TryGet(name, out var entry) && entry.Shape.SequenceEqual(tensor.shape))
            {
                using var stored = entry.Read();
                tensor.copy_(stored);
                fromFile.Add(name);
            }
            else if (unet.TryGetValue(key, out var twin) && twin.shape.SequenceEqual(tensor.shape))
            {
                tensor.copy_(twin);
                fromUNet.Add(name);
            }
            else added.Add(name);
        }
        return new(fromFile, fromUNet, added);
    }
}
