namespace Siamorph.Weights;

/// <summary>
/// The names of Stable Diffusion's autoencoder in both layouts. The attention of its middle is made of 1×1 convolutions in
/// the authors' layout and of linear layers in diffusers: the same numbers, two dimensions of size one more or less.
/// </summary>
internal static class AutoencoderKeys
{
    private static readonly string[] Sides = ["encoder", "decoder"];

    private static readonly (string Original, string Diffusers, string? Old)[] Attention =
    [
        ("norm", "group_norm", null), ("q", "to_q", "query"), ("k", "to_k", "key"), ("v", "to_v", "value"),
        ("proj_out", "to_out.0", "proj_attn"),
    ];

    /// <summary>
    /// The map for as many levels and blocks as the names of either layout show; null where they are of no autoencoder.
    /// </summary>
    public static KeyMap? Of(IReadOnlyCollection<string> names)
    {
        var levels = Math.Max(Names.Count(names, "encoder.down."), Names.Count(names, "encoder.down_blocks."));
        var blocks = Math.Max(Names.Count(names, "encoder.down.0.block."), Names.Count(names, "encoder.down_blocks.0.resnets."));
        if (levels == 0 || blocks == 0) return null;
        return new([("quant_conv", "quant_conv"), ("post_quant_conv", "post_quant_conv"), .. Encoder(levels, blocks),
            .. Decoder(levels, blocks)], Aliases());
    }

    /// <summary>Whether the weight under this key of the authors' is a 1×1 convolution there and a matrix in diffusers.</summary>
    public static bool IsPointConvolution(string key) =>
        key.Contains(".mid.attn_1.", StringComparison.Ordinal) && key.EndsWith(".weight", StringComparison.Ordinal)
        && !key.EndsWith(".norm.weight", StringComparison.Ordinal);

    private static IEnumerable<(string, string)> Encoder(int levels, int blocks)
    {
        for (var i = 0; i < levels; i++)
        {
            for (var j = 0; j < blocks; j++)
                foreach (var pair in Residual($"encoder.down.{i}.block.{j}", $"encoder.down_blocks.{i}.resnets.{j}"))
                    yield return pair;
            if (i < levels - 1) yield return ($"encoder.down.{i}.downsample.conv",
                $"encoder.down_blocks.{i}.downsamplers.0.conv");
        }
        foreach (var pair in Ends("encoder")) yield return pair;
    }

    // The authors number the decoder's levels by resolution, diffusers in the order in which they run.
    private static IEnumerable<(string, string)> Decoder(int levels, int blocks)
    {
        for (var i = 0; i < levels; i++)
        {
            for (var j = 0; j <= blocks; j++)
                foreach (var pair in Residual($"decoder.up.{levels - 1 - i}.block.{j}", $"decoder.up_blocks.{i}.resnets.{j}"))
                    yield return pair;
            if (i < levels - 1) yield return ($"decoder.up.{levels - 1 - i}.upsample.conv",
                $"decoder.up_blocks.{i}.upsamplers.0.conv");
        }
        foreach (var pair in Ends("decoder")) yield return pair;
    }

    private static IEnumerable<(string, string)> Ends(string side) =>
    [
        ($"{side}.conv_in", $"{side}.conv_in"), ($"{side}.norm_out", $"{side}.conv_norm_out"),
        ($"{side}.conv_out", $"{side}.conv_out"),
        .. Residual($"{side}.mid.block_1", $"{side}.mid_block.resnets.0"),
        .. Residual($"{side}.mid.block_2", $"{side}.mid_block.resnets.1"),
        .. Attention.Select(a => ($"{side}.mid.attn_1.{a.Original}", $"{side}.mid_block.attentions.0.{a.Diffusers}")),
    ];

    private static IEnumerable<(string, string)> Aliases() => Sides.SelectMany(side => Attention
        .Where(a => a.Old is not null)
        .Select(a => ($"{side}.mid.attn_1.{a.Original}", $"{side}.mid_block.attentions.0.{a.Old}")));

    private static IEnumerable<(string, string)> Residual(string original, string diffusers) =>
    [
        ($"{original}.norm1", $"{diffusers}.norm1"), ($"{original}.conv1", $"{diffusers}.conv1"),
        ($"{original}.norm2", $"{diffusers}.norm2"),
        ($"{original}.conv2", $"{diffusers}.conv2"), ($"{original}.nin_shortcut", $"{diffusers}.conv_shortcut"),
    ];
}
