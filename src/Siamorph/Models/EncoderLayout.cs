using static TorchSharp.torch.nn;

namespace Siamorph.Models;

/// <summary>Builds the blocks that UNet and ControlNet have in common: time embedding, encoder, middle.</summary>
internal static class EncoderLayout
{
    public static TorchSharp.Modules.Sequential TimeEmbedding(DenoiserConfig config) => Sequential(
        ("0", NewLayer.Linear(config.ModelChannels, EmbeddingWidth(config))),
        ("1", SiLU()),
        ("2", NewLayer.Linear(EmbeddingWidth(config), EmbeddingWidth(config))));

    public static int EmbeddingWidth(DenoiserConfig config) => 4 * config.ModelChannels;

    /// <summary>The encoder's blocks, and the channels each one gives.</summary>
    public static (TorchSharp.Modules.ModuleList<TimestepBlock> Blocks, List<int> Channels) Encoder(DenoiserConfig config)
    {
        var blocks = new List<TimestepBlock> { new(NewLayer.Conv2d(config.LatentChannels, config.ModelChannels, 3, padding: 1)) };
        var channels = new List<int> { config.ModelChannels };
        for (var level = 0; level < config.ChannelMultipliers.Count; level++)
        {
            var width = Width(config, level);
            for (var i = 0; i < config.ResidualBlocks; i++)
            {
                blocks.Add(new TimestepBlock([.. Level(config, level, channels[^1])]));
                channels.Add(width);
            }
            if (level == config.ChannelMultipliers.Count - 1) continue;
            blocks.Add(new TimestepBlock(new Downsample(width)));
            channels.Add(width);
        }
        return (new([.. blocks]), channels);
    }

    /// <summary>Residual block, transformer, residual block at the lowest level.</summary>
    public static TimestepBlock Middle(DenoiserConfig config)
    {
        var width = Width(config, config.ChannelMultipliers.Count - 1);
        return new TimestepBlock(
            new ResidualBlock(width, EmbeddingWidth(config), width),
            new SpatialTransformer(width, config.Heads, config.ContextWidth),
            new ResidualBlock(width, EmbeddingWidth(config), width));
    }

    public static int Width(DenoiserConfig config, int level) => config.ChannelMultipliers[level] * config.ModelChannels;

    /// <summary>A residual block, with a transformer behind it where this level has attention.</summary>
    public static IEnumerable<Module> Level(DenoiserConfig config, int level, int inputChannels)
    {
        var width = Width(config, level);
        yield return new ResidualBlock(inputChannels, EmbeddingWidth(config), width);
        if (config.AttentionFactors.Contains(1 << level))
            yield return new SpatialTransformer(width, config.Heads, config.ContextWidth);
    }
}
