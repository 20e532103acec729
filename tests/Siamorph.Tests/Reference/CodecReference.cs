using Siamorph.Models.Codecs;
using Siamorph.Models.Text;

namespace Siamorph.Tests.Reference;

/// <summary>Stable Diffusion's autoencoder once more.</summary>
internal sealed class AutoencoderReference(AutoencoderKlConfig config, NamedWeights weights) : KeyedNetwork(weights)
{
    /// <summary>Means and log-variances of latents.</summary>
    public Grid Moments(Grid images)
    {
        var h = Convolution("encoder.conv_in", images, config.Channels, 3);
        for (var level = 0; level < config.ChannelMultipliers.Count; level++)
        {
            var key = $"encoder.down.{level}";
            for (var i = 0; i < config.ResidualBlocks; i++)
                h = Residual($"{key}.block.{i}", h, config.ChannelMultipliers[level] * config.Channels);
            if (level == config.ChannelMultipliers.Count - 1) break;
            // No zeros above and left, one row and column of them below and right.
            h = h.Convolve(Weight($"{key}.downsample.conv.weight", h.Shape[1], h.Shape[1], 3, 3),
                Weight($"{key}.downsample.conv.bias", h.Shape[1]), 2, 0, 1);
        }
        h = GroupNorm("encoder.norm_out", Middle("encoder.mid", h), 1e-6).Silu();
        h = Convolution("encoder.conv_out", h, 2 * config.LatentChannels, 3);
        return Convolution("quant_conv", h, 2 * config.LatentChannels, 1);
    }

    /// <summary>Images of unscaled latents; levels run from the coarsest to number 0.</summary>
    public Grid Decode(Grid latents)
    {
        var h = Convolution("post_quant_conv", latents, config.LatentChannels, 1);
        h = Middle("decoder.mid", Convolution("decoder.conv_in", h, config.ChannelMultipliers[^1] * config.Channels, 3));
        for (var level = config.ChannelMultipliers.Count - 1; level >= 0; level--)
        {
            for (var i = 0; i <= config.ResidualBlocks; i++)
                h = Residual($"decoder.up.{level}.block.{i}", h, config.ChannelMultipliers[level] * config.Channels);
            if (level > 0) h = Convolution($"decoder.up.{level}.upsample.conv", h.Doubled(), h.Shape[1], 3);
        }
        return Convolution("decoder.conv_out", GroupNorm("decoder.norm_out", h, 1e-6).Silu(), config.ImageChannels, 3);
    }

    private Grid Middle(string key, Grid h)
    {
        h = Attention($"{key}.attn_1", Residual($"{key}.block_1", h, h.Shape[1]));
        return Residual($"{key}.block_2", h, h.Shape[1]);
    }

    private Grid Residual(string key, Grid x, int width)
    {
        var h = Convolution($"{key}.conv1", GroupNorm($"{key}.norm1", x, 1e-6).Silu(), width, 3);
        h = Convolution($"{key}.conv2", GroupNorm($"{key}.norm2", h, 1e-6).Silu(), width, 3);
        return h.Plus(x.Shape[1] == width ? x : Convolution($"{key}.nin_shortcut", x, width, 1));
    }

    private Grid Attention(string key, Grid x)
    {
        var normed = GroupNorm($"{key}.norm", x, 1e-6);
        Grid Tokens(string name) => Convolution($"{key}.{name}", normed, x.Shape[1], 1).Tokens();
        var attended = GridLayers.Attention(Tokens("q"), Tokens("k"), Tokens("v"), heads: 1);
        return x.Plus(Convolution($"{key}.proj_out", attended.Pixels(x.Shape[2], x.Shape[3]), x.Shape[1], 1));
    }
}

/// <summary>The text half of CLIP once more.</summary>
internal sealed class TextReference(ClipTextConfig config, NamedWeights weights) : KeyedNetwork(weights)
{
    /// <summary>The last hidden state of rows of tokens.</summary>
    public Grid Forward(long[][] tokens)
    {
        const string keys = "text_model.";
        int[] shape = [tokens.Length, tokens[0].Length, config.Width];
        var words = Weight($"{keys}embeddings.token_embedding.weight", config.VocabularySize, config.Width);
        var places = Weight($"{keys}embeddings.position_embedding.weight", config.Length, config.Width);
        var h = words.Pick(shape, p => (int)tokens[p[0]][p[1]] * config.Width + p[2])
            .Plus(places.Pick(shape, p => p[1] * config.Width + p[2]));
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var key = $"{keys}encoder.layers.{layer}.";
            h = h.Plus(Attention($"{key}self_attn.", LayerNorm($"{key}layer_norm1", h)));
            var inner = Linear($"{key}mlp.fc1", LayerNorm($"{key}layer_norm2", h), config.FeedForwardWidth);
            h = h.Plus(Linear($"{key}mlp.fc2", inner.Times(inner.Times(1.702).Sigmoid()), config.Width));
        }
        return LayerNorm($"{keys}final_layer_norm", h);
    }

    private Grid Attention(string key, Grid x)
    {
        Grid Of(string name) => Linear($"{key}{name}_proj", x, config.Width);
        return Linear($"{key}out_proj", GridLayers.Attention(Of("q"), Of("k"), Of("v"), config.Heads, causal: true),
            config.Width);
    }
}
