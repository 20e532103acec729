using TorchSharp.Modules;
using static Siamorph.Segmentation.Networks.Operators;
using static TorchSharp.torch;

namespace Siamorph.Segmentation.Networks;

/// <summary>The numbers of a four-stage transformer backbone; each list has one entry a stage.</summary>
internal sealed record PyramidTransformerConfig
{
    /// <summary>Channels of each stage; divisible by its heads.</summary>
    public IReadOnlyList<int> Widths { get; init; } = [32, 64, 160, 256];

    /// <summary>Blocks.</summary>
    public IReadOnlyList<int> Depths { get; init; } = [2, 2, 2, 2];

    /// <summary>Attention heads.</summary>
    public IReadOnlyList<int> Heads { get; init; } = [1, 2, 5, 8];

    /// <summary>Width of the hidden layer, in widths of the stage.</summary>
    public IReadOnlyList<int> HiddenRatios { get; init; } = [4, 4, 4, 4];

    /// <summary>By how much keys and values are coarser than queries, along each side.</summary>
    public IReadOnlyList<int> Reductions { get; init; } = [8, 4, 2, 1];

    /// <summary>Probability of dropping the last block's branches while training; it rises from 0 at the first.</summary>
    public double DropPath { get; init; } = 0.1;

    /// <summary>Mix Transformer B0 … B5 (SegFormer, arXiv 2105.15203).</summary>
    /// <exception cref="ArgumentOutOfRangeException">The size is not 0 to 5.</exception>
    public static PyramidTransformerConfig MixTransformer(int size) => new()
    {
        Widths = size == 0 ? [32, 64, 160, 256] : [64, 128, 320, 512],
        Depths = size switch
        {
            0 or 1 => [2, 2, 2, 2],
            2 => [3, 4, 6, 3],
            3 => [3, 4, 18, 3],
            4 => [3, 8, 27, 3],
            5 => [3, 6, 40, 3],
            _ => throw new ArgumentOutOfRangeException(nameof(size)),
        },
    };

    /// <summary>Pyramid Vision Transformer v2 B0 … B4 (arXiv 2106.13797).</summary>
    /// <exception cref="ArgumentOutOfRangeException">The size is not 0 to 4.</exception>
    public static PyramidTransformerConfig PvtV2(int size) =>
        MixTransformer(size is >= 0 and <= 4 ? 0 : throw new ArgumentOutOfRangeException(nameof(size))) with
        {
            Widths = size == 0 ? [32, 64, 160, 256] : [64, 128, 320, 512],
            Depths = size switch { 0 or 1 => [2, 2, 2, 2], 2 => [3, 4, 6, 3], 3 => [3, 4, 18, 3], _ => [3, 8, 27, 3] },
            HiddenRatios = [8, 8, 4, 4],
        };
}

/// <summary>
/// Four stages of transformer blocks over overlapping patches, with attention to reduced keys: PVTv2 and SegFormer's Mix
/// Transformer, which differ in their numbers alone. Keys are those of both authors.
/// </summary>
internal sealed class PyramidTransformer : nn.Module<Tensor, IReadOnlyList<Tensor>>
{
    private readonly PatchEmbedding patch_embed1, patch_embed2, patch_embed3, patch_embed4;
    private readonly ModuleList<PyramidBlock> block1, block2, block3, block4;
    private readonly LayerNorm norm1, norm2, norm3, norm4;

    public PyramidTransformer(PyramidTransformerConfig config, LayerNoise noise) : base(nameof(PyramidTransformer))
    {
        Config = config;
        var w = config.Widths;
        patch_embed1 = new(3, w[0], 7, 4);
        patch_embed2 = new(w[0], w[1], 3, 2);
        patch_embed3 = new(w[1], w[2], 3, 2);
        patch_embed4 = new(w[2], w[3], 3, 2);
        block1 = Blocks(config, 0, noise);
        block2 = Blocks(config, 1, noise);
        block3 = Blocks(config, 2, noise);
        block4 = Blocks(config, 3, noise);
        (norm1, norm2, norm3, norm4) = (Norm(w[0]), Norm(w[1]), Norm(w[2]), Norm(w[3]));
        RegisterComponents();
    }

    public PyramidTransformerConfig Config { get; }

    /// <summary>Feature maps at a 4th, 8th, 16th and 32nd of the image's size, [B, Widths[i], h, w].</summary>
    public override IReadOnlyList<Tensor> forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var maps = new List<Tensor>(4);
        foreach (var (embed, blocks, norm) in new[]
            { (patch_embed1, block1, norm1), (patch_embed2, block2, norm2), (patch_embed3, block3, norm3),
            (patch_embed4, block4, norm4) })
        {
            var (x, height, width) = embed.Tokens(maps.Count == 0 ? input : maps[^1]);
            foreach (var block in blocks) x = block.Apply(x, height, width);
            maps.Add(Grid(Run(norm, x), height, width));
        }
        foreach (var map in maps) map.MoveToOuterDisposeScope();
        return maps;
    }

    // What the golden numbers look at: the first patches and what the first block makes of them.
    internal (Tensor Tokens, Tensor Attended, Tensor Block) Inside(Tensor input)
    {
        var (tokens, height, width) = patch_embed1.Tokens(input);
        return (tokens, block1[0].Attended(tokens, height, width), block1[0].Apply(tokens, height, width));
    }

    /// <summary>[B,N,C] → [B,C,h,w].</summary>
    internal static Tensor Grid(Tensor tokens, long height, long width) =>
        Reshape(Permute(tokens, 0, 2, 1), tokens.shape[2], height, width);

    /// <summary>[B,C,h,w] → [B,N,C].</summary>
    internal static Tensor TokensOf(Tensor map) => Permute(Reshape(map, map.shape[1], -1), 0, 2, 1);

    internal static LayerNorm Norm(int width, double epsilon = 1e-6) => nn.LayerNorm(width, epsilon);

    private static ModuleList<PyramidBlock> Blocks(PyramidTransformerConfig config, int stage, LayerNoise noise)
    {
        var (before, all) = (config.Depths.Take(stage).Sum(), config.Depths.Sum());
        double Drop(int i) => all > 1 ? config.DropPath * (before + i) / (all - 1) : 0;
        return new([.. Enumerable.Range(0, config.Depths[stage]).Select(i => new PyramidBlock(config, stage, Drop(i), noise))]);
    }
}

/// <summary>Overlapping patches as tokens: a strided convolution, then a norm.</summary>
internal sealed class PatchEmbedding : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d proj;
    private readonly LayerNorm norm;

    public PatchEmbedding(int channels, int width, int kernel, int stride) : base(nameof(PatchEmbedding))
    {
        proj = nn.Conv2d(channels, width, kernel, stride, kernel / 2);
        norm = PyramidTransformer.Norm(width, 1e-5);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input) => Tokens(input).Tokens;

    public (Tensor Tokens, long Height, long Width) Tokens(Tensor input)
    {
        using var scope = NewDisposeScope();
        var map = Run(proj, input);
        return (Run(norm, PyramidTransformer.TokensOf(map)).MoveToOuterDisposeScope(), map.shape[2], map.shape[3]);
    }
}

/// <summary>Attention and a hidden layer, each added to what it sees, normalised before.</summary>
internal sealed class PyramidBlock : nn.Module<Tensor, Tensor>
{
    private readonly LayerNorm norm1;
    private readonly ReducedAttention attn;
    private readonly LayerNorm norm2;
    private readonly MixHidden mlp;
    private readonly double _drop;
    private readonly LayerNoise _noise;

    public PyramidBlock(PyramidTransformerConfig config, int stage, double drop, LayerNoise noise) : base(nameof(PyramidBlock))
    {
        var width = config.Widths[stage];
        (_drop, _noise) = (drop, noise);
        norm1 = PyramidTransformer.Norm(width);
        attn = new(width, config.Heads[stage], config.Reductions[stage]);
        norm2 = PyramidTransformer.Norm(width);
        mlp = new(width, width * config.HiddenRatios[stage]);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input) => throw new NotSupportedException("A block needs the token grid's size.");

    public Tensor Attended(Tensor x, long height, long width)
    {
        using var scope = NewDisposeScope();
        return attn.Attend(Run(norm1, x), height, width).MoveToOuterDisposeScope();
    }

    public Tensor Apply(Tensor x, long height, long width)
    {
        using var scope = NewDisposeScope();
        x = Add(x, _noise.DropPath(Attended(x, height, width), _drop, training));
        return Add(x, _noise.DropPath(mlp.Apply(Run(norm2, x), height, width), _drop, training)).MoveToOuterDisposeScope();
    }
}

/// <summary>Multi-head attention to keys and values of a coarser grid.</summary>
internal sealed class ReducedAttention : nn.Module<Tensor, Tensor>
{
    private readonly Linear q, kv, proj;
    private readonly Conv2d? sr;
    private readonly LayerNorm? norm;
    private readonly int _heads;

    public ReducedAttention(int width, int heads, int reduction) : base(nameof(ReducedAttention))
    {
        _heads = heads;
        q = nn.Linear(width, width);
        kv = nn.Linear(width, 2 * width);
        proj = nn.Linear(width, width);
        if (reduction > 1)
        {
            sr = nn.Conv2d(width, width, reduction, reduction);
            norm = PyramidTransformer.Norm(width, 1e-5);
        }
        RegisterComponents();
    }

    public override Tensor forward(Tensor input) => throw new NotSupportedException("Attention needs the token grid's size.");

    public Tensor Attend(Tensor x, long height, long width)
    {
        using var scope = NewDisposeScope();
        var channels = x.shape[2];
        var coarse = sr is null ? x : Run(norm!, PyramidTransformer.TokensOf(Run(sr, PyramidTransformer.Grid(x, height, width))));
        var both = Run(kv, coarse);
        var result = Operators.Attend(Split(Run(q, x)), Split(Narrow(both, 2, 0, channels)),
            Split(Narrow(both, 2, channels, channels)));
        return Run(proj, Reshape(Permute(result, 0, 2, 1, 3), -1, channels)).MoveToOuterDisposeScope();
    }

    // [B,N,C] → [B,heads,N,C/heads].
    private Tensor Split(Tensor x) => Permute(Reshape(x, x.shape[1], _heads, x.shape[2] / _heads), 0, 2, 1, 3);
}

/// <summary>The hidden layer with a depthwise convolution over the token grid, which also tells tokens where they are.</summary>
internal sealed class MixHidden : nn.Module<Tensor, Tensor>
{
    private readonly Linear fc1;
    private readonly DepthwiseGrid dwconv;
    private readonly Linear fc2;

    public MixHidden(int width, int hidden) : base(nameof(MixHidden))
    {
        fc1 = nn.Linear(width, hidden);
        dwconv = new(hidden);
        fc2 = nn.Linear(hidden, width);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input) => throw new NotSupportedException("The layer needs the token grid's size.");

    public Tensor Apply(Tensor x, long height, long width)
    {
        using var scope = NewDisposeScope();
        var map = dwconv.forward(PyramidTransformer.Grid(Run(fc1, x), height, width));
        return Run(fc2, Gelu(PyramidTransformer.TokensOf(map))).MoveToOuterDisposeScope();
    }
}

/// <summary>A 3×3 convolution of each channel by itself.</summary>
internal sealed class DepthwiseGrid : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d dwconv;

    public DepthwiseGrid(int width) : base(nameof(DepthwiseGrid))
    {
        dwconv = nn.Conv2d(width, width, 3, 1, 1, groups: width);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input) => Run(dwconv, input);
}
