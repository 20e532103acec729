using Siamorph.Acceleration;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Siamorph.Models;

/// <summary>Pixels as tokens: 1×1 convolution in, one transformer block, 1×1 convolution out, plus the input.</summary>
internal sealed class SpatialTransformer : Module, IConditionedLayer
{
    private const double NormEpsilon = 1e-6;
    private readonly GroupNorm norm;
    private readonly Conv2d proj_in;
    private readonly ModuleList<TransformerBlock> transformer_blocks;
    private readonly Conv2d proj_out;

    public SpatialTransformer(int channels, int heads, int contextWidth) : base(nameof(SpatialTransformer))
    {
        norm = NewLayer.GroupNorm(ResidualBlock.Groups, channels, NormEpsilon);
        proj_in = NewLayer.Conv2d(channels, channels, 1);
        transformer_blocks = new ModuleList<TransformerBlock>(new TransformerBlock(channels, heads, contextWidth));
        proj_out = NewLayer.Conv2d(channels, channels, 1);
        RegisterComponents();
    }

    internal GroupNorm Norm => norm;
    internal Conv2d ProjectIn => proj_in;
    internal TransformerBlock Block => transformer_blocks[0];
    internal Conv2d ProjectOut => proj_out;

    /// <inheritdoc/>
    public Tensor Forward(Tensor x, Tensor embedding, Tensor context)
    {
        using var scope = NewDisposeScope();
        var (batch, channels, height, width) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3]);
        var tokens = FastConvolution.Forward(proj_in, FastGroupNorm.Forward(norm, x, silu: false)).view(batch, channels,
            height * width).transpose(1, 2).contiguous();
        foreach (var block in transformer_blocks) tokens = block.Forward(tokens, context);
        var h = tokens.transpose(1, 2).view(-1, channels, height, width);
        return FastConvolution.Forward(proj_out, h, addend: Samples.Repeat(x, h.shape[0])).MoveToOuterDisposeScope();
    }
}

/// <summary>
/// Self-attention, cross-attention to the context, gated feed-forward, each on a LayerNorm and added to its input.
/// </summary>
internal sealed class TransformerBlock : Module
{
    private readonly CrossAttention attn1;
    private readonly FeedForward ff;
    private readonly CrossAttention attn2;
    private readonly LayerNorm norm1;
    private readonly LayerNorm norm2;
    private readonly LayerNorm norm3;

    public TransformerBlock(int channels, int heads, int contextWidth) : base(nameof(TransformerBlock))
    {
        attn1 = new CrossAttention(channels, channels, heads);
        ff = new FeedForward(channels);
        attn2 = new CrossAttention(channels, contextWidth, heads);
        (norm1, norm2, norm3) = (NewLayer.LayerNorm(channels), NewLayer.LayerNorm(channels), NewLayer.LayerNorm(channels));
        RegisterComponents();
    }

    private TransformerLayers Layers => new(norm1, attn1.Layers, norm2, attn2.Layers, norm3, ff.Gated, ff.Out);

    /// <param name="x">[B,N,C].</param>
    /// <param name="context">[B,L,D], or a multiple of as many samples; see <see cref="Samples"/>.</param>
    public Tensor Forward(Tensor x, Tensor context)
    {
        if (!attn1.HasLowRanks && !attn2.HasLowRanks && FastTransformer.TryForward(x, context, Layers) is { } fast) return fast;
        using var scope = NewDisposeScope();
        var normed = norm1.call(x);
        var h = Samples.Repeat(attn1.Forward(normed, normed) + x, context.shape[0]);
        h = attn2.Forward(norm2.call(h), context) + h;
        return (ff.Forward(norm3.call(h)) + h).MoveToOuterDisposeScope();
    }
}

/// <summary>
/// Multi-head attention; queries from x, keys and values from the context; only the output projection has a bias.
/// </summary>
internal sealed class CrossAttention : Module
{
    private readonly Linear to_q;
    private readonly Linear to_k;
    private readonly Linear to_v;
    private readonly Sequential to_out;
    private readonly int _heads;

    public CrossAttention(int channels, int contextWidth, int heads) : base(nameof(CrossAttention))
    {
        _heads = heads;
        to_q = NewLayer.Linear(channels, channels, hasBias: false);
        to_k = NewLayer.Linear(contextWidth, channels, hasBias: false);
        to_v = NewLayer.Linear(contextWidth, channels, hasBias: false);
        to_out = Sequential(("0", NewLayer.Linear(channels, channels)));
        RegisterComponents();
    }

    internal AttentionLayers Layers => new(to_q, to_k, to_v, Output, _heads);

    /// <summary>Additions to queries, keys, values and output; null where there is none.</summary>
    internal LowRank?[] LowRanks { get; } = new LowRank?[4];

    internal bool HasLowRanks => LowRanks.Any(l => l is not null);

    /// <summary>The layer that an addition belongs to.</summary>
    internal Linear Projection(int index) => index switch { 0 => to_q, 1 => to_k, 2 => to_v, _ => Output };

    private Linear Output => (Linear)to_out[0];

    /// <param name="x">[B,N,C].</param>
    /// <param name="context">[B,L,D].</param>
    public Tensor Forward(Tensor x, Tensor context)
    {
        using var scope = NewDisposeScope();
        var merged = FastAttention.Forward(Project(0, x), Project(1, context), Project(2, context), _heads);
        return Project(3, merged).MoveToOuterDisposeScope();
    }

    private Tensor Project(int index, Tensor x)
    {
        var y = Projection(index).call(x);
        return LowRanks[index] is { } added ? y + added.Forward(x) : y;
    }
}

/// <summary>GEGLU: one linear gives values and gates, value · GELU(gate), one linear back.</summary>
internal sealed class FeedForward : Module
{
    private readonly Sequential net;

    public FeedForward(int channels) : base(nameof(FeedForward))
    {
        net = Sequential(("0", new GatedProjection(channels, 4 * channels)), ("2", NewLayer.Linear(4 * channels, channels)));
        RegisterComponents();
    }

    internal Linear Gated => ((GatedProjection)net[0]).Projection;
    internal Linear Out => (Linear)net[1];

    /// <param name="x">[B,N,C].</param>
    public Tensor Forward(Tensor x) => net.call(x);

    private sealed class GatedProjection : Module<Tensor, Tensor>
    {
        private readonly Linear proj;

        public GatedProjection(int channels, int width) : base(nameof(GatedProjection))
        {
            proj = NewLayer.Linear(channels, 2 * width);
            RegisterComponents();
        }

        public Linear Projection => proj;

        public override Tensor forward(Tensor x)
        {
            using var rows = proj.call(x);
            return FastGatedUnit.Forward(rows);
        }
    }
}
