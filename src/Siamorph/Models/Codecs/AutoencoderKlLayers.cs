using Siamorph.Acceleration;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Siamorph.Models.Codecs;

/// <summary>
/// GroupNorm, SiLU, 3×3 convolution, twice; plus the input (through a 1×1 convolution where the width changes).
/// </summary>
internal sealed class KlResidual : Module<Tensor, Tensor>
{
    internal const int Groups = 32;
    internal const double NormEpsilon = 1e-6;
    private readonly GroupNorm norm1;
    private readonly Conv2d conv1;
    private readonly GroupNorm norm2;
    private readonly Conv2d conv2;
    private readonly Conv2d? nin_shortcut;

    public KlResidual(int channels, int outChannels) : base(nameof(KlResidual))
    {
        (norm1, conv1) = (NewLayer.GroupNorm(Groups, channels, NormEpsilon),
            NewLayer.Conv2d(channels, outChannels, 3, padding: 1));
        (norm2, conv2) = (NewLayer.GroupNorm(Groups, outChannels, NormEpsilon),
            NewLayer.Conv2d(outChannels, outChannels, 3, padding: 1));
        if (channels != outChannels) nin_shortcut = NewLayer.Conv2d(channels, outChannels, 1);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var h = FastConvolution.Forward(conv1, FastGroupNorm.Forward(norm1, x, silu: true));
        var skip = nin_shortcut is null ? x : FastConvolution.Forward(nin_shortcut, x);
        return FastConvolution.Forward(conv2, FastGroupNorm.Forward(norm2, h, silu: true), addend: skip)
            .MoveToOuterDisposeScope();
    }
}

/// <summary>Attention of every pixel to every other, one head, all projections 1×1 convolutions; plus the input.</summary>
internal sealed class KlAttention : Module<Tensor, Tensor>
{
    private readonly GroupNorm norm;
    private readonly Conv2d q;
    private readonly Conv2d k;
    private readonly Conv2d v;
    private readonly Conv2d proj_out;

    public KlAttention(int channels) : base(nameof(KlAttention))
    {
        norm = NewLayer.GroupNorm(KlResidual.Groups, channels, KlResidual.NormEpsilon);
        (q, k, v, proj_out) = (NewLayer.Conv2d(channels, channels, 1), NewLayer.Conv2d(channels, channels, 1),
            NewLayer.Conv2d(channels, channels, 1), NewLayer.Conv2d(channels, channels, 1));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var normed = FastGroupNorm.Forward(norm, x, silu: false);
        // [B,N,C]
        Tensor Tokens(Conv2d projection) => FastConvolution.Forward(projection, normed).flatten(2).transpose(1, 2).contiguous();
        var attended = FastAttention.Forward(Tokens(q), Tokens(k), Tokens(v), heads: 1).transpose(1, 2).reshape(x.shape);
        return FastConvolution.Forward(proj_out, attended, addend: x).MoveToOuterDisposeScope();
    }
}

/// <summary>Residual block, attention, residual block at the lowest level.</summary>
internal sealed class KlMiddle : Module<Tensor, Tensor>
{
    private readonly KlResidual block_1;
    private readonly KlAttention attn_1;
    private readonly KlResidual block_2;

    public KlMiddle(int channels) : base(nameof(KlMiddle))
    {
        (block_1, attn_1, block_2) = (new(channels, channels), new(channels), new(channels, channels));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var first = block_1.call(x);
        using var second = attn_1.call(first);
        return block_2.call(second);
    }
}

/// <summary>Residual blocks of one level, and halving or doubling behind them where there is another level.</summary>
internal sealed class KlLevel : Module<Tensor, Tensor>
{
    private readonly ModuleList<KlResidual> block;
    private readonly KlDownsample? downsample;
    private readonly Upsample? upsample;

    public KlLevel(int channels, int outChannels, int blocks, KlDownsample? down = null, Upsample? up = null)
        : base(nameof(KlLevel))
    {
        block = new([.. Enumerable.Range(0, blocks).Select(i => new KlResidual(i == 0 ? channels : outChannels, outChannels))]);
        (downsample, upsample) = (down, up);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var h = x.alias();
        foreach (var residual in block) h = residual.call(h);
        if (downsample is not null) h = downsample.call(h);
        if (upsample is not null) h = upsample.call(h);
        return h.MoveToOuterDisposeScope();
    }
}

/// <summary>Halves height and width: zeros at the right and the bottom, then a 3×3 convolution with stride 2.</summary>
internal sealed class KlDownsample : Module<Tensor, Tensor>
{
    private readonly Conv2d conv;

    public KlDownsample(int channels) : base(nameof(KlDownsample))
    {
        conv = NewLayer.Conv2d(channels, channels, 3, stride: 2);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var padded = functional.pad(x, [0, 1, 0, 1]);
        return conv.call(padded);
    }
}
