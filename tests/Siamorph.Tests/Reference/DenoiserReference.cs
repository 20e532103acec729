using Siamorph.Models;

namespace Siamorph.Tests.Reference;

/// <summary>UNet, ControlNet and Dense Hint Input once more, from the papers and the authors' key names.</summary>
/// <param name="config">Sizes.</param>
/// <param name="weights">Weights by key.</param>
internal sealed class DenoiserReference(DenoiserConfig config, NamedWeights weights) : KeyedNetwork(weights)
{
    private const string UNetKeys = "model.diffusion_model.";
    private const string ControlKeys = "control_model.";

    public sealed record Encoded(Grid Embedding, IReadOnlyList<Grid> Skips, Grid Middle);

    /// <summary>Encoder and middle of the UNet: never trained.</summary>
    public Encoded Encode(Grid x, long[] timesteps, Grid context) => Freezing(UNetKeys, () =>
    {
        var embedding = TimeEmbedding(UNetKeys, timesteps);
        var skips = Encoder(UNetKeys, x, embedding, context, hint: null);
        return new Encoded(embedding, skips, Middle(UNetKeys, skips[^1], embedding, context));
    });

    /// <summary>Decoder and head; the last residual goes to the middle, the others to the skips.</summary>
    public Grid Decode(Encoded encoded, Grid context, IReadOnlyList<Grid>? residuals)
    {
        var h = residuals is null ? encoded.Middle : encoded.Middle.Plus(residuals[^1]);
        var block = 0;
        for (var level = config.ChannelMultipliers.Count - 1; level >= 0; level--)
        {
            for (var i = 0; i <= config.ResidualBlocks; i++, block++)
            {
                var skip = encoded.Skips.Count - 1 - block;
                var joined = residuals is null ? encoded.Skips[skip] : encoded.Skips[skip].Plus(residuals[skip]);
                var key = $"{UNetKeys}output_blocks.{block}.";
                h = Level(key, level, h.Beside(joined), encoded.Embedding, context, out var layers);
                if (level > 0 && i == config.ResidualBlocks) h = Convolution($"{key}{layers}.conv", h.Doubled(), h.Shape[1], 3);
            }
        }
        return Convolution($"{UNetKeys}out.2", GroupNorm($"{UNetKeys}out.0", h, 1e-5).Silu(), config.LatentChannels, 3);
    }

    /// <summary>Dense Hint Input, then the convolution behind it.</summary>
    public Grid HintFeatures(Grid hint)
    {
        const string block = $"{ControlKeys}input_hint_block.";
        var h = HintResidual($"{block}0.layer1", Convolution($"{block}0.initial_conv", hint, config.HintWidth, 3));
        h = HintResidual($"{block}0.layer2", Convolution($"{block}0.conv_before_res2", h, 2 * config.HintWidth, 3));
        for (var merge = 1; 1 << merge <= config.HintFactor; merge++)
        {
            h = PatchMerge($"{block}0.patch_merge{merge}", h);
            h = HintResidual($"{block}0.layer{merge + 2}", Convolution($"{block}0.conv_before_res{merge + 2}", h, h.Shape[1], 3));
        }
        return Convolution($"{block}1", h, config.ModelChannels, 3);
    }

    /// <summary>ControlNet: one residual for each block of the encoder, then one for the middle.</summary>
    public IReadOnlyList<Grid> Residuals(Grid x, Grid hintFeatures, long[] timesteps, Grid context)
    {
        var embedding = TimeEmbedding(ControlKeys, timesteps);
        var blocks = Encoder(ControlKeys, x, embedding, context, hintFeatures);
        var middle = Middle(ControlKeys, blocks[^1], embedding, context);
        return
        [
            .. blocks.Select((b, i) => Convolution($"{ControlKeys}zero_convs.{i}.0", b, b.Shape[1], 1)),
            Convolution($"{ControlKeys}middle_block_out.0", middle, middle.Shape[1], 1),
        ];
    }

    // Frequencies from 1 down to 1/10,000, cosines before sines; angles are rounded to single precision, as in the authors' code.
    private Grid TimeEmbedding(string keys, long[] timesteps)
    {
        var (width, wide) = (config.ModelChannels, 4 * config.ModelChannels);
        var waves = new double[timesteps.Length * width];
        for (var i = 0; i < waves.Length; i++)
        {
            var k = i % width % (width / 2);
            var angle = (double)(timesteps[i / width] * (float)Math.Exp(k * (float)(-Math.Log(10_000) / (width / 2))));
            waves[i] = i % width < width / 2 ? Math.Cos(angle) : Math.Sin(angle);
        }
        var h = Linear($"{keys}time_embed.0", new([timesteps.Length, width], waves), wide);
        return Linear($"{keys}time_embed.2", h.Silu(), wide);
    }

    private List<Grid> Encoder(string keys, Grid x, Grid embedding, Grid context, Grid? hint)
    {
        var h = Convolution($"{keys}input_blocks.0.0", x, config.ModelChannels, 3);
        if (hint is not null) h = h.Plus(hint);
        var outputs = new List<Grid> { h };
        for (var level = 0; level < config.ChannelMultipliers.Count; level++)
        {
            for (var i = 0; i < config.ResidualBlocks; i++)
                outputs.Add(h = Level($"{keys}input_blocks.{outputs.Count}.", level, h, embedding, context, out _));
            if (level < config.ChannelMultipliers.Count - 1)
                outputs.Add(h = Convolution($"{keys}input_blocks.{outputs.Count}.0.op", h, h.Shape[1], 3, stride: 2));
        }
        return outputs;
    }

    private Grid Middle(string keys, Grid h, Grid embedding, Grid context)
    {
        h = Residual($"{keys}middle_block.0.", h, embedding, h.Shape[1]);
        h = Transformer($"{keys}middle_block.1.", h, context);
        return Residual($"{keys}middle_block.2.", h, embedding, h.Shape[1]);
    }

    private Grid Level(string key, int level, Grid h, Grid embedding, Grid context, out int layers)
    {
        h = Residual($"{key}0.", h, embedding, config.ChannelMultipliers[level] * config.ModelChannels);
        layers = 1;
        if (!config.AttentionFactors.Contains(1 << level)) return h;
        layers = 2;
        return Transformer($"{key}1.", h, context);
    }

    private Grid Residual(string key, Grid x, Grid embedding, int width)
    {
        var h = Convolution($"{key}in_layers.2", GroupNorm($"{key}in_layers.0", x, 1e-5).Silu(), width, 3);
        h = h.PlusChannels(Linear($"{key}emb_layers.1", embedding.Silu(), width));
        h = Convolution($"{key}out_layers.3", GroupNorm($"{key}out_layers.0", h, 1e-5).Silu(), width, 3);
        return h.Plus(x.Shape[1] == width ? x : Convolution($"{key}skip_connection", x, width, 1));
    }

    private Grid Transformer(string key, Grid x, Grid context)
    {
        var (width, block) = (x.Shape[1], $"{key}transformer_blocks.0.");
        var h = Convolution($"{key}proj_in", GroupNorm($"{key}norm", x, 1e-6), width, 1).Tokens();
        h = h.Plus(Attention($"{block}attn1.", LayerNorm($"{block}norm1", h), null));
        h = h.Plus(Attention($"{block}attn2.", LayerNorm($"{block}norm2", h), context));
        h = h.Plus(GatedUnit($"{block}ff.net.", LayerNorm($"{block}norm3", h)));
        return x.Plus(Convolution($"{key}proj_out", h.Pixels(x.Shape[2], x.Shape[3]), width, 1));
    }

    private Grid Attention(string key, Grid x, Grid? context)
    {
        var (width, other) = (x.Shape[2], context ?? x);
        var attended = GridLayers.Attention(
            Linear($"{key}to_q", x, width, bias: false), Linear($"{key}to_k", other, width, bias: false),
            Linear($"{key}to_v", other, width, bias: false), config.Heads);
        return Linear($"{key}to_out.0", attended, width);
    }

    // The first half of the channels are values, the second gates.
    private Grid GatedUnit(string key, Grid x)
    {
        var wide = 4 * x.Shape[2];
        var both = Linear($"{key}0.proj", x, 2 * wide);
        Grid Half(int first) =>
            both.Pick([x.Shape[0], x.Shape[1], wide], p => (p[0] * x.Shape[1] + p[1]) * 2 * wide + first + p[2]);
        return Linear($"{key}2", Half(0).Times(Half(wide).Gelu()), x.Shape[2]);
    }

    private Grid HintResidual(string key, Grid x)
    {
        var h = Convolution($"{key}.conv1", x, x.Shape[1], 3).Silu();
        return Convolution($"{key}.conv2", h, x.Shape[1], 3).Plus(x).Silu();
    }

    // Of each 2×2 pixels: top left, bottom left, top right, bottom right.
    private Grid PatchMerge(string key, Grid x)
    {
        int channels = x.Shape[1], height = x.Shape[2], width = x.Shape[3];
        var tokens = x.Pick([x.Shape[0], height / 2 * (width / 2), 4 * channels], p =>
        {
            var (phase, channel) = (p[2] / channels, p[2] % channels);
            var (row, column) = (p[1] / (width / 2) * 2 + phase % 2, p[1] % (width / 2) * 2 + phase / 2);
            return ((p[0] * channels + channel) * height + row) * width + column;
        });
        return Linear($"{key}.reduction", LayerNorm($"{key}.norm", tokens), 2 * channels).Pixels(height / 2, width / 2);
    }
}
