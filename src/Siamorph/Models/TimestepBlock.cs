using Siamorph.Acceleration;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Siamorph.Models;

/// <summary>A layer that reads the timestep embedding and the context beside its input.</summary>
internal interface IConditionedLayer
{
    /// <param name="x">[B,C,H,W].</param>
    /// <param name="embedding">Timestep embedding [B,4M].</param>
    /// <param name="context">Prompt tokens [B,L,D].</param>
    Tensor Forward(Tensor x, Tensor embedding, Tensor context);
}

/// <summary>
/// Layers one after another under the keys "0", "1", …: convolutions, residual blocks, transformers, resampling.
/// </summary>
internal sealed class TimestepBlock : Module
{
    private readonly Module[] _layers;

    public TimestepBlock(params Module[] layers) : base(nameof(TimestepBlock))
    {
        _layers = layers;
        for (var i = 0; i < layers.Length; i++)
            register_module(i.ToString(System.Globalization.CultureInfo.InvariantCulture), layers[i]);
    }

    public IReadOnlyList<Module> Layers => _layers;

    /// <summary>All that may be trained in it: its parameters and what was added to its attention.</summary>
    public IEnumerable<TorchSharp.Modules.Parameter> Trainable() =>
        [.. parameters(), .. modules().OfType<CrossAttention>().SelectMany(a => a.LowRanks).OfType<LowRank>()
        .SelectMany(l => new[] { l.Down, l.Up })];

    /// <summary>Embedding and context, cut off from gradients where no layer here reads them.</summary>
    public (Tensor Embedding, Tensor Context) Read(Tensor embedding, Tensor context) => (
        _layers.Any(l => l is ResidualBlock) ? embedding : embedding.detach(),
        _layers.Any(l => l is SpatialTransformer) ? context : context.detach());

    /// <returns>[B,C',H',W'].</returns>
    public Tensor Forward(Tensor x, Tensor embedding, Tensor context)
    {
        using var scope = NewDisposeScope();
        var h = x.alias();
        foreach (var layer in _layers)
            h = layer switch
            {
                IConditionedLayer conditioned => conditioned.Forward(h, embedding, context),
                TorchSharp.Modules.Conv2d convolution => FastConvolution.Forward(convolution, h),
                _ => ((Module<Tensor, Tensor>)layer).call(h),
            };
        return h.MoveToOuterDisposeScope();
    }
}
