using Siamorph.Segmentation.Networks;

namespace Siamorph.Tests.Reference;

/// <summary>The segmentation U-Net once more.</summary>
internal sealed class UNetReference(UNetConfig config, NamedWeights weights) : KeyedNetwork(weights)
{
    /// <summary>Logits.</summary>
    public Grid Forward(Grid image, bool training)
    {
        int width = config.Width, narrower = config.Bilinear ? 2 : 1;
        var levels = new List<Grid> { Twice("inc.double_conv", image, width, width, training) };
        for (var i = 1; i <= 4; i++)
        {
            var wide = (width << i) / (i == 4 ? narrower : 1);
            levels.Add(Twice($"down{i}.maxpool_conv.1.double_conv", levels[^1].MaxPool(), wide, wide, training));
        }
        var h = levels[4];
        for (var i = 1; i <= 4; i++)
        {
            var (key, skip, wide) = ($"up{i}", levels[4 - i], (width << (4 - i)) / (i == 4 ? 1 : narrower));
            var larger = config.Bilinear
                ? h.Bilinear(2 * h.Shape[2], 2 * h.Shape[3], corners: true)
                : h.TransposedTwice(Weight($"{key}.up.weight", h.Shape[1], h.Shape[1] / 2, 2, 2),
                    Weight($"{key}.up.bias", h.Shape[1] / 2));
            var padded = larger.Padded((skip.Shape[2] - larger.Shape[2]) / 2, (skip.Shape[3] - larger.Shape[3]) / 2,
                skip.Shape[2], skip.Shape[3]);
            var joined = skip.Beside(padded);
            h = Twice($"{key}.conv.double_conv", joined, config.Bilinear ? joined.Shape[1] / 2 : wide, wide, training);
        }
        return Convolution("outc.conv", h, config.Classes, 1);
    }

    private Grid Twice(string key, Grid x, int middle, int width, bool training)
    {
        var h = BatchNorm($"{key}.1", Convolution($"{key}.0", x, middle, 3, bias: false), training).Relu();
        return BatchNorm($"{key}.4", Convolution($"{key}.3", h, width, 3, bias: false), training).Relu();
    }
}

/// <summary>SegFormer once more, without what it drops by chance in training.</summary>
internal sealed class SegFormerReference(SegFormerConfig config, NamedWeights weights) : KeyedNetwork(weights)
{
    /// <summary>Logits at a quarter of the image's size.</summary>
    public Grid Forward(Grid image)
    {
        var maps = new List<Grid>();
        for (var stage = 0; stage < 4; stage++) maps.Add(Stage(stage, stage == 0 ? image : maps[^1]));
        Grid Of(int stage)
        {
            var (map, first) = (maps[stage], maps[0]);
            var tokens = Linear($"decode_head.linear_c{stage + 1}.proj", map.Tokens(), config.Channels);
            var projected = tokens.Pixels(map.Shape[2], map.Shape[3]);
            return stage == 0 ? projected : projected.Bilinear(first.Shape[2], first.Shape[3], corners: false);
        }
        var joined = Of(3).Beside(Of(2)).Beside(Of(1)).Beside(Of(0));
        var mixed = BatchNorm("decode_head.linear_fuse.bn",
            Convolution("decode_head.linear_fuse.conv", joined, config.Channels, 1, bias: false), training: false);
        return Convolution("decode_head.linear_pred", mixed.Relu(), config.Classes, 1);
    }

    private Grid Stage(int stage, Grid x)
    {
        var backbone = config.Backbone;
        var (width, key) = (backbone.Widths[stage], $"backbone.patch_embed{stage + 1}");
        var map = Convolution($"{key}.proj", x, width, stage == 0 ? 7 : 3, stage == 0 ? 4 : 2);
        var (height, across, h) = (map.Shape[2], map.Shape[3], LayerNorm($"{key}.norm", map.Tokens()));
        for (var i = 0; i < backbone.Depths[stage]; i++)
        {
            var block = $"backbone.block{stage + 1}.{i}";
            var normed = LayerNorm($"{block}.norm1", h, 1e-6);
            h = h.Plus(Attention($"{block}.attn", normed, height, across, backbone.Heads[stage], backbone.Reductions[stage]));
            var hidden = Linear($"{block}.mlp.fc1", LayerNorm($"{block}.norm2", h, 1e-6),
                width * backbone.HiddenRatios[stage]).Pixels(height, across);
            var (depthwise, wide) = ($"{block}.mlp.dwconv.dwconv", hidden.Shape[1]);
            hidden = hidden.Convolve(Weight($"{depthwise}.weight", wide, 1, 3, 3), Weight($"{depthwise}.bias", wide), 1, 1, 1,
                groups: wide);
            h = h.Plus(Linear($"{block}.mlp.fc2", hidden.Tokens().Gelu(), width));
        }
        return LayerNorm($"backbone.norm{stage + 1}", h, 1e-6).Pixels(height, across);
    }

    // Keys and values come from a coarser grid.
    private Grid Attention(string key, Grid x, int height, int across, int heads, int reduction)
    {
        var (width, coarse) = (x.Shape[2], x);
        if (reduction > 1)
        {
            var map = x.Pixels(height, across).Convolve(Weight($"{key}.sr.weight", width, width, reduction, reduction),
                Weight($"{key}.sr.bias", width), reduction);
            coarse = LayerNorm($"{key}.norm", map.Tokens());
        }
        var both = Linear($"{key}.kv", coarse, 2 * width);
        Grid Half(int first) =>
            both.Pick([both.Shape[0], both.Shape[1], width], p => (p[0] * both.Shape[1] + p[1]) * 2 * width + first + p[2]);
        return Linear($"{key}.proj", GridLayers.Attention(Linear($"{key}.q", x, width), Half(0), Half(width), heads), width);
    }
}
