using Siamorph.Acceleration;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Siamorph.Models;

/// <summary>
/// GroupNorm, SiLU, 3×3 convolution; plus the projected timestep embedding; GroupNorm, SiLU, 3×3 convolution; plus the
/// input (through a 1×1 convolution where the width changes).
/// </summary>
internal sealed class ResidualBlock : Module, IConditionedLayer
{
    internal const int Groups = 32;
    private readonly Sequential in_layers;
    private readonly Sequential emb_layers;
    private readonly Sequential out_layers;
    private readonly Conv2d? skip_connection;

    public ResidualBlock(int channels, int embeddingWidth, int outChannels) : base(nameof(ResidualBlock))
    {
        in_layers = Sequential(("0", NewLayer.GroupNorm(Groups, channels)),
            ("2", NewLayer.Conv2d(channels, outChannels, 3, padding: 1)));
        emb_layers = Sequential(("1", NewLayer.Linear(embeddingWidth, outChannels)));
        out_layers = Sequential(("0", NewLayer.GroupNorm(Groups, outChannels)),
            ("3", NewLayer.Conv2d(outChannels, outChannels, 3, padding: 1)));
        if (channels != outChannels) skip_connection = NewLayer.Conv2d(channels, outChannels, 1);
        RegisterComponents();
    }

    internal GroupNorm InNorm => (GroupNorm)in_layers[0];
    internal Conv2d InConv => (Conv2d)in_layers[1];
    internal Linear Embedding => (Linear)emb_layers[0];
    internal GroupNorm OutNorm => (GroupNorm)out_layers[0];
    internal Conv2d OutConv => (Conv2d)out_layers[1];
    internal Conv2d? Skip => skip_connection;

    /// <inheritdoc/>
    public Tensor Forward(Tensor x, Tensor embedding, Tensor context)
    {
        using var scope = NewDisposeScope();
        var shift = Samples.Repeat(Embedding.call(functional.silu(embedding)), x.shape[0]);
        var h = FastConvolution.Forward(InConv, FastGroupNorm.Forward(InNorm, x, silu: true), shift);
        var skip = skip_connection is null ? x : FastConvolution.Forward(skip_connection, x);
        return FastConvolution.Forward(OutConv, FastGroupNorm.Forward(OutNorm, h, silu: true), addend: skip)
            .MoveToOuterDisposeScope();
    }
}
