using System.Globalization;
using System.Text.RegularExpressions;
using Siamorph.Weights;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Siamorph.Models;

/// <summary>
/// LoRA on the attention of a UNet: which layers there are and what files call them. The layout is the one that most trainers
/// write and viewers read (kohya): "lora_unet_up_blocks_1_attentions_0_transformer_blocks_0_attn1_to_q.lora_down.weight",
/// ".lora_up.weight" and ".alpha".
/// </summary>
internal static partial class Lora
{
    internal const string Prefix = "lora_unet_";
    internal const string DownSuffix = ".lora_down.weight";
    internal const string UpSuffix = ".lora_up.weight";
    internal const string AlphaSuffix = ".alpha";
    private static readonly string[] Projections = ["to_q", "to_k", "to_v", "to_out_0"];

    /// <summary>Gives every attention of the decoder its additions, to be trained in the decoder's place.</summary>
    /// <param name="unet">Whose decoder.</param>
    /// <param name="rank">Inner width.</param>
    /// <param name="alpha">Strength.</param>
    /// <param name="seed">Of the first values; each layer has its own.</param>
    public static void AddToDecoder(DenoisingUNet unet, int rank, double alpha, Seed seed)
    {
        foreach (var (name, attention, index) in Layers(unet)
            .Where(l => l.Name.StartsWith("lora_unet_up_", StringComparison.Ordinal)))
            attention.LowRanks[index] = new LowRank(attention.Projection(index), rank, alpha, seed.Derive(name));
    }

    /// <summary>The additions' own tensors by key. Not copies.</summary>
    public static IReadOnlyList<(string Name, Parameter Parameter)> Parameters(DenoisingUNet unet) =>
        [.. Added(unet).SelectMany(l => new[] { (l.Name + DownSuffix, l.LowRank.Down), (l.Name + UpSuffix, l.LowRank.Up) })];

    /// <summary>The additions as a file holds them, their strengths included; the dispose scope owns those.</summary>
    public static IReadOnlyDictionary<string, Tensor> Tensors(DenoisingUNet unet)
    {
        var tensors = Parameters(unet).ToDictionary(p => p.Name, p => (Tensor)p.Parameter);
        foreach (var (name, lowRank) in Added(unet)) tensors[name + AlphaSuffix] = tensor((float)lowRank.Alpha);
        return tensors;
    }

    /// <summary>Moves the additions to where their layers are; the tensors are replaced.</summary>
    public static void MoveTo(DenoisingUNet unet, Device device, ScalarType type)
    {
        foreach (var (_, added) in Added(unet)) added.MoveTo(device, type);
    }

    /// <summary>Makes the additions part of the weights: the same answers, as fast as without.</summary>
    public static void Merge(DenoisingUNet unet)
    {
        foreach (var (_, attention, index) in Layers(unet))
        {
            if (attention.LowRanks[index] is not { } added) continue;
            Add(attention.Projection(index), added.Down, added.Up, added.Alpha / added.Rank);
            attention.LowRanks[index] = null;
            added.Dispose();
        }
    }

    /// <summary>Makes stored additions part of the weights.</summary>
    /// <param name="unet">Receives them.</param>
    /// <param name="weights">In the layout above; any rank, any of the UNet's attentions.</param>
    /// <param name="source">What to call them in an error.</param>
    /// <exception cref="WeightsMismatchException">A tensor belongs to no attention of this DenoisingUNet, or has another
    /// shape.</exception>
    public static void Merge(DenoisingUNet unet, WeightTable weights, string source)
    {
        ArgumentNullException.ThrowIfNull(weights);
        var layers = Layers(unet).ToDictionary(l => l.Name);
        var foreign = weights.Names.Where(n => !layers.ContainsKey(Suffix().Replace(n, ""))).ToList();
        if (foreign.Count > 0 || weights.Entries.Count == 0)
            throw new WeightsMismatchException(
                $"{source}: {foreign.Count} tensors belong to no attention of the UNet, such as "
                    + $"{foreign.FirstOrDefault() ?? "(the file is empty)"}. LoRA on attention alone, in kohya's layout, "
                    + $"can be used.");
        using var noGrad = no_grad();
        foreach (var name in weights.Names.Where(n => n.EndsWith(DownSuffix, StringComparison.Ordinal))
            .Select(n => n[..^DownSuffix.Length]))
        {
            using var scope = NewDisposeScope();
            var (_, attention, index) = layers[name];
            var (down, up) = (weights.Read(name + DownSuffix, ScalarType.Float32),
                weights.Read(name + UpSuffix, ScalarType.Float32));
            var alpha = weights.Contains(name + AlphaSuffix) ? weights.Read(name + AlphaSuffix, ScalarType.Float32).item<float>()
                : down.shape[0];
            var layer = attention.Projection(index);
            (down, up) = (down.flatten(1), up.flatten(1)); // some files keep 1×1 convolutions
            if (down.shape[1] != layer.weight!.shape[1] || up.shape[0] != layer.weight.shape[0] || up.shape[1] != down.shape[0])
                throw new WeightsMismatchException(
                    $"{source}: {name} is made for a layer of {down.shape[1]} → {up.shape[0]}, here it is "
                        + $"{layer.weight.shape[1]} → {layer.weight.shape[0]}.");
            Add(layer, down, up, alpha / down.shape[0]);
        }
    }

    private static void Add(Linear layer, Tensor down, Tensor up, double scale)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        layer.weight!.add_((up.to(float32).matmul(down.to(float32)) * (float)scale).to(layer.weight.dtype));
    }

    private static IEnumerable<(string Name, LowRank LowRank)> Added(DenoisingUNet unet) =>
        Layers(unet).Where(l => l.Attention.LowRanks[l.Index] is not null).Select(l => (l.Name, l.Attention.LowRanks[l.Index]!));

    private static IEnumerable<(string Name, CrossAttention Attention, int Index)> Layers(DenoisingUNet unet)
    {
        ArgumentNullException.ThrowIfNull(unet);
        return unet.named_modules().Where(m => m.module is CrossAttention).SelectMany(m => Projections.Select((p, i) =>
            ($"{Prefix}{Place(m.name, unet.Config.ResidualBlocks + 1)}_{p}", (CrossAttention)m.module, i)));
    }

    /// <summary>What files call the additions to a layer of the UNet; null where it is none of an attention.</summary>
    /// <param name="layer">Such as "output_blocks.3.1.transformer_blocks.0.attn1.to_q".</param>
    /// <param name="residualBlocks">Of a level in the encoder.</param>
    internal static string? NameOf(string layer, int residualBlocks)
    {
        var projection = Array.Find(Projections,
            p => layer.EndsWith("." + p.Replace("to_out_0", "to_out.0", StringComparison.Ordinal), StringComparison.Ordinal));
        return projection is null ? null : $"{Prefix}{Place(layer[..^(projection.Length + 1)], residualBlocks + 1)}_{projection}";
    }

    // "output_blocks.3.1.transformer_blocks.0.attn1" → "up_blocks_1_attentions_0_transformer_blocks_0_attn1"
    private static string Place(string name, int blocksOfALevel)
    {
        var parts = name.Split('.');
        var rest = string.Join('_', parts[^3..]);
        if (parts[0] == "middle_block") return $"mid_block_attentions_0_{rest}";
        var number = int.Parse(parts[1], CultureInfo.InvariantCulture) - (parts[0] == "input_blocks" ? 1 : 0);
        return $"{(parts[0] == "input_blocks" ? "down" : "up")}_blocks_{number / blocksOfALevel}_attentions_"
            + $"{number % blocksOfALevel}_{rest}";
    }

    [GeneratedRegex(@"\.(lora_down\.weight|lora_up\.weight|alpha)$")]
    private static partial Regex Suffix();
}
