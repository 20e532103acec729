using static TorchSharp.torch;

namespace Siamorph.Segmentation.Networks;

/// <summary>
/// What random layers draw from. Before each training step it is set to that step's seed, so a resumed run draws the same;
/// without a seed, and in evaluation, nothing is dropped.
/// </summary>
internal sealed class LayerNoise
{
    private Seed? _seed;
    private long _draws;

    /// <summary>The draws to come are a function of this seed and of their number.</summary>
    public void Begin(Seed? seed) => (_seed, _draws) = (seed, 0);

    /// <summary>
    /// Drops the whole of a sample's <paramref name="x"/> with a probability, and raises the others to keep the mean.
    /// </summary>
    public Tensor DropPath(Tensor x, double probability, bool training) => Drop(x, probability, training, 1);

    /// <summary>Drops single channels of a sample, and raises the others to keep the mean.</summary>
    public Tensor DropChannels(Tensor x, double probability, bool training) => Drop(x, probability, training, 2);

    private Tensor Drop(Tensor x, double probability, bool training, int dimensions)
    {
        if (!training || probability <= 0 || _seed is not { } seed) return x;
        using var scope = NewDisposeScope();
        var shape = x.shape.Select((n, i) => i < dimensions ? n : 1).ToArray();
        using var generator = seed.Derive(_draws++).Generator();
        var kept = (rand(shape, generator: generator) >= probability).to(x.dtype, x.device).div_(1 - probability);
        return (x * kept).MoveToOuterDisposeScope();
    }
}
