using System.Text.Json;
using Siamorph.Data;
using Siamorph.Data.Folders;
using Siamorph.Data.Phantom;
using Siamorph.Imaging;
using Siamorph.Models;
using Siamorph.Models.Codecs;
using Siamorph.Models.Text;
using Siamorph.Siamese;
using Siamorph.Siamese.WeightFiles;
using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Tests.Siamese;

/// <summary>The full-size model in miniature: KL autoencoder, CLIP text model and a UNet, whose weights lie in a file.</summary>
internal static class BaseWeightsSetting
{
    private const int Size = 64;

    /// <summary>Writes seeded base weights (without ControlNet) and a tokenizer into the folder.</summary>
    public static TrainOptions Options(string folder)
    {
        var options = Presets.Sd15 with
        {
            ImageSize = Size,
            Network = new DenoiserConfig
            {
                ModelChannels = 32, ChannelMultipliers = [1, 2], ResidualBlocks = 1, AttentionFactors = [1], Heads = 4,
                ContextWidth = 16, HintWidth = 4,
            },
            Autoencoder = new AutoencoderKlConfig { Channels = 32, ChannelMultipliers = [1, 1, 1, 1], ResidualBlocks = 1 },
            TextModel = new ClipTextConfig { VocabularySize = 515, Width = 16, Layers = 2, Heads = 2, FeedForwardWidth = 32 },
            Siamese = Presets.Sd15.Siamese with { Steps = 3, Accumulation = 2, LearningRate = 1e-3 },
            Sampling = Presets.Sd15.Sampling with { Steps = 2 },
            BaseWeights = Path.Combine(folder, "base.safetensors"),
            Tokenizer = Path.Combine(folder, "tokenizer"),
            CheckpointEvery = 1,
            PreviewCount = 1,
            Seed = 3,
        };
        using var scope = NewDisposeScope();
        SafeTensors.Write(options.BaseWeights, CheckpointKeys.Of(options)
            .Where(k => !k.Name.StartsWith("control_model.", StringComparison.Ordinal)).ToDictionary(k => k.Name, Draw));
        WriteTokenizer(options.Tokenizer);
        return options;
    }

    public static PairedDataset Data(string folder)
    {
        PhantomDataset.Write(folder, new PhantomOptions
        {
            Count = 3, Size = new ImageSize(Size, Size), Seed = new Seed(5),
        }, NullMonitor.Instance);
        return PairedDataset.Load(DatasetFolder.Read(folder).Pairs, new ImageSize(Size, Size), NullMonitor.Instance);
    }

    private static Tensor Draw(CheckpointKey key)
    {
        if (key.DType == ScalarType.Int64) return arange(key.Shape[^1]).view([.. key.Shape]);
        using var generator = new Seed(17).Derive(key.Name).Generator();
        var fanIn = Math.Max(1, key.Shape.Skip(1).Aggregate(1L, (n, d) => n * d));
        var norm = key.Shape.Count == 1 && key.Name.EndsWith("weight", StringComparison.Ordinal);
        return norm ? ones([.. key.Shape]) : randn([.. key.Shape], generator: generator) * (0.5 / Math.Sqrt(fanIn));
    }

    private static void WriteTokenizer(string folder)
    {
        var symbols = BpeVocabulary.ByteSymbols.Select(c => c.ToString()).ToList();
        List<string> tokens = [.. symbols, .. symbols.Select(s => s + "</w>"), "an</w>", BpeVocabulary.Begin, BpeVocabulary.End];
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "vocab.json"),
            JsonSerializer.Serialize(tokens.Select((t, i) => (t, i)).ToDictionary(p => p.t, p => p.i)));
        File.WriteAllText(Path.Combine(folder, "merges.txt"), "#version: 0.2\na n</w>\n");
    }
}
