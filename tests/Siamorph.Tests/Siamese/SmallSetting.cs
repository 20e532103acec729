using Siamorph.Data;
using Siamorph.Data.Folders;
using Siamorph.Data.Phantom;
using Siamorph.Imaging;
using Siamorph.Models;
using Siamorph.Siamese;
using static TorchSharp.torch;

namespace Siamorph.Tests.Siamese;

/// <summary>A model and a dataset small enough to be trained within a test.</summary>
internal static class SmallSetting
{
    public static TrainOptions Options { get; } = Presets.Tiny with
    {
        ImageSize = 32,
        Network = Presets.Tiny.Network with
        {
            ModelChannels = 32, ChannelMultipliers = [1, 2], AttentionFactors = [2], Heads = 4, ContextWidth = 16, HintWidth = 4,
        },
        Base = Presets.Tiny.Base with { Steps = 4, BatchSize = 4, WarmupSteps = 1 },
        Siamese = Presets.Tiny.Siamese with { Steps = 5, BatchSize = 4, WarmupSteps = 1 },
        CheckpointEvery = 3,
        PreviewEvery = 0,
        Seed = 7,
    };

    public static PairedDataset Data(string folder, int count = 12)
    {
        PhantomDataset.Write(folder, new PhantomOptions
        {
            Count = count, Size = new ImageSize(32, 32), Seed = new Seed(5),
        }, NullMonitor.Instance);
        return PairedDataset.Load(DatasetFolder.Read(folder).Pairs, new ImageSize(32, 32), NullMonitor.Instance);
    }

    /// <summary>Pairs, and a run trained on them for the shortest time there is, in "data" and "run" of a folder.</summary>
    public static IReadOnlyList<ImageMaskPair> TrainedRun(string folder, int count)
    {
        using var data = Data(Path.Combine(folder, "data"), count);
        var options = Options with { Base = Options.Base with { Steps = 1 }, Siamese = Options.Siamese with { Steps = 2 } };
        SiameseTrainer.Run(options, data, Path.Combine(folder, "run"), NullMonitor.Instance);
        return data.Pairs;
    }

    /// <summary>A model none of whose parameters is zero, so that every path carries a gradient.</summary>
    public static SiameseModel ModelWithoutZeros(DenoiserConfig? config = null)
    {
        var model = new SiameseModel(config ?? Options.Network);
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (name, parameter) in model.named_parameters())
        {
            using var generator = new Seed(11).Derive(name).Generator();
            parameter.copy_(randn(parameter.shape, generator: generator) * (parameter.shape.Length > 1
                ? 0.8 / Math.Sqrt(parameter.numel() / (double)parameter.shape[0]) : 0.2)
                + (name.Contains("norm", StringComparison.Ordinal) && name.EndsWith("weight", StringComparison.Ordinal) ? 1 : 0));
        }
        return model;
    }

    public static SiameseBatch Batch(DenoiserConfig network, long[] timesteps, Seed seed, int latentSize = 8)
    {
        long count = timesteps.Length, hint = latentSize * network.HintFactor;
        Tensor Draw(string name, params long[] shape)
        {
            using var generator = seed.Derive(name).Generator();
            return randn(shape, generator: generator);
        }
        return new SiameseBatch(
            Draw("x0", count, network.LatentChannels, latentSize, latentSize),
            Draw("noise", count, network.LatentChannels, latentSize, latentSize),
            tensor(timesteps), Draw("context", count, 4, network.ContextWidth),
            (Draw("mask", count, 1, hint, hint) > 0).to(float32).expand(-1, 3, -1, -1).contiguous(),
            Draw("image", count, 3, hint, hint).sigmoid());
    }
}
