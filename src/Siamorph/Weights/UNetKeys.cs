namespace Siamorph.Weights;

/// <summary>
/// The names of UNet and ControlNet of Stable Diffusion 1.x in both layouts, for any number of levels and blocks. A Dense
/// Hint Input has no place in diffusers' ControlNet; its tensors keep the authors' names under "controlnet_cond_embedding".
/// </summary>
internal static class UNetKeys
{
    private const string Hint = "input_hint_block";
    private const string DiffusersHint = "controlnet_cond_embedding";

    private static readonly (string, string)[] Residual =
    [
        ("in_layers.0", "norm1"), ("in_layers.2", "conv1"), ("out_layers.0", "norm2"), ("out_layers.3", "conv2"),
        ("emb_layers.1", "time_emb_proj"), ("skip_connection", "conv_shortcut"),
    ];

    private static readonly string[] TransformerParts =
    [
        "norm1", "norm2", "norm3", "ff.net.0.proj", "ff.net.2", "attn1.to_q", "attn1.to_k", "attn1.to_v", "attn1.to_out.0",
        "attn2.to_q", "attn2.to_k", "attn2.to_v", "attn2.to_out.0",
    ];

    public static KeyMap UNet(UNetOutline outline) => new([.. Encoder(outline), .. Decoder(outline)]);

    /// <param name="outline">Levels and blocks.</param>
    /// <param name="names">The keys of either layout, which tell the hint encoder.</param>
    public static KeyMap ControlNet(UNetOutline outline, IReadOnlyCollection<string> names)
    {
        var controls = 1 + outline.Levels * (outline.Blocks + 1) - 1;
        return new(
        [
            .. Encoder(outline),
            .. Enumerable.Range(0, controls).Select(k => ($"zero_convs.{k}.0", $"controlnet_down_blocks.{k}")),
            ("middle_block_out.0", "controlnet_mid_block"),
            .. HintEncoder(names),
        ]);
    }

    /// <summary>Whether the keys hold a hint encoder that diffusers has no name for.</summary>
    public static bool HasDenseHint(IEnumerable<string> names) =>
        names.Any(n => n is $"{Hint}.0.initial_conv.weight" or $"{DiffusersHint}.0.initial_conv.weight");

    private static IEnumerable<(string, string)> HintEncoder(IReadOnlyCollection<string> names)
    {
        if (HasDenseHint(names)) return [($"{Hint}.0", $"{DiffusersHint}.0"), ($"{Hint}.1", $"{DiffusersHint}.1"),
            .. DenseParts(names)];
        var blocks = Math.Max(Names.Count(names, $"{DiffusersHint}.blocks."), (Names.Count(names, $"{Hint}.") - 1) / 2 - 1);
        return
        [
            ($"{Hint}.0", $"{DiffusersHint}.conv_in"),
            .. Enumerable.Range(0, Math.Max(0, blocks)).Select(k => ($"{Hint}.{2 + 2 * k}", $"{DiffusersHint}.blocks.{k}")),
            ($"{Hint}.{2 + 2 * blocks}", $"{DiffusersHint}.conv_out"),
        ];
    }

    // Each module by its own name, so that a key of neither layout stays unknown.
    private static IEnumerable<(string, string)> DenseParts(IReadOnlyCollection<string> names) => names
        .Where(n => n.StartsWith($"{Hint}.0.", StringComparison.Ordinal)
        || n.StartsWith($"{DiffusersHint}.0.", StringComparison.Ordinal))
        .Select(n => n[(n.IndexOf(".0.", StringComparison.Ordinal) + 3)..n.LastIndexOf('.')]).Distinct()
        .Select(part => ($"{Hint}.0.{part}", $"{DiffusersHint}.0.{part}"));

    private static IEnumerable<(string, string)> Encoder(UNetOutline outline)
    {
        yield return ("time_embed.0", "time_embedding.linear_1");
        yield return ("time_embed.2", "time_embedding.linear_2");
        yield return ("input_blocks.0.0", "conv_in");
        for (var i = 0; i < outline.Levels; i++)
        {
            var first = 1 + i * (outline.Blocks + 1);
            for (var j = 0; j < outline.Blocks; j++)
                foreach (var pair in Block($"input_blocks.{first + j}", $"down_blocks.{i}", j, outline.Attention[i]))
                    yield return pair;
            if (i < outline.Levels - 1) yield return ($"input_blocks.{first + outline.Blocks}.0.op",
                $"down_blocks.{i}.downsamplers.0.conv");
        }
        foreach (var pair in Inside("middle_block.0", "mid_block.resnets.0")) yield return pair;
        foreach (var pair in Transformer("middle_block.1", "mid_block.attentions.0")) yield return pair;
        foreach (var pair in Inside("middle_block.2", "mid_block.resnets.1")) yield return pair;
    }

    private static IEnumerable<(string, string)> Decoder(UNetOutline outline)
    {
        for (var i = 0; i < outline.Levels; i++)
        {
            var (first, attention) = (i * (outline.Blocks + 1), outline.Attention[outline.Levels - 1 - i]);
            for (var j = 0; j <= outline.Blocks; j++)
                foreach (var pair in Block($"output_blocks.{first + j}", $"up_blocks.{i}", j, attention)) yield return pair;
            if (i < outline.Levels - 1) yield return ($"output_blocks.{first + outline.Blocks}.{(attention ? 2 : 1)}.conv",
                $"up_blocks.{i}.upsamplers.0.conv");
        }
        yield return ("out.0", "conv_norm_out");
        yield return ("out.2", "conv_out");
    }

    private static IEnumerable<(string, string)> Block(string original, string diffusers, int index, bool attention) =>
        [.. Inside($"{original}.0", $"{diffusers}.resnets.{index}"), .. attention
        ? Transformer($"{original}.1", $"{diffusers}.attentions.{index}") : []];

    private static IEnumerable<(string, string)> Inside(string original, string diffusers) =>
        Residual.Select(p => ($"{original}.{p.Item1}", $"{diffusers}.{p.Item2}"));

    // The inside of a transformer has the same names in both.
    private static IEnumerable<(string, string)> Transformer(string original, string diffusers)
    {
        yield return ($"{original}.norm", $"{diffusers}.norm");
        yield return ($"{original}.proj_in", $"{diffusers}.proj_in");
        yield return ($"{original}.proj_out", $"{diffusers}.proj_out");
        foreach (var part in TransformerParts)
            yield return ($"{original}.transformer_blocks.0.{part}", $"{diffusers}.transformer_blocks.0.{part}");
    }
}
