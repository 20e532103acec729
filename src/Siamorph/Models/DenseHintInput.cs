using System.Globalization;
using Siamorph.Acceleration;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Siamorph.Models;

/// <summary>
/// Dense Hint Input (arXiv 2505.06068): reads a hint with residual blocks and halves it by patch merging, so that fine
/// outlines survive. Widths w, 2w at full size, then doubling with every merge.
/// </summary>
internal sealed class DenseHintInput : Module<Tensor, Tensor>
{
    private readonly (Conv2d Convolution, HintResidual Residual)[] _full;
    private readonly (PatchMerge Merge, Conv2d Convolution, HintResidual Residual)[] _merged;

    /// <summary>Builds the extractor.</summary>
    /// <param name="hintChannels">Channels of the hint.</param>
    /// <param name="width">Channels after the first convolution (16 in the reference).</param>
    /// <param name="merges">Number of halvings (3 in the reference).</param>
    public DenseHintInput(int hintChannels, int width, int merges) : base(nameof(DenseHintInput))
    {
        _full = [Full("initial_conv", 1, hintChannels, width), Full("conv_before_res2", 2, width, 2 * width)];
        _merged = [.. Enumerable.Range(1, merges).Select(i => Merged(i, width << i))];
        OutChannels = width << (merges + 1);
    }

    /// <summary>Channels of the features.</summary>
    public int OutChannels { get; }

    /// <param name="hint">[B,3,H,W] in [0,1]; H and W divisible by 2^merges.</param>
    /// <returns>[B,<see cref="OutChannels"/>,H/2^merges,W/2^merges].</returns>
    public override Tensor forward(Tensor hint) => Forward(hint, recompute: false);

    /// <summary>The same; if asked, what happens within a width is computed again in the backward pass instead of kept.</summary>
    internal Tensor Forward(Tensor hint, bool recompute)
    {
        using var scope = NewDisposeScope();
        var h = hint;
        foreach (var (convolution, residual) in _full)
            h = Run([convolution, residual], t => residual.call(FastConvolution.Forward(convolution, t[0])), h);
        foreach (var (merge, convolution, residual) in _merged)
            h = Run([merge, convolution, residual],
                t => residual.call(FastConvolution.Forward(convolution, merge.call(t[0]))), h);
        return h.MoveToOuterDisposeScope();

        Tensor Run(Module[] parts, Func<IReadOnlyList<Tensor>, Tensor> forward, Tensor x) =>
            Recomputation.Run(recompute, () => parts.SelectMany(p => p.parameters()), forward, x);
    }

    private (Conv2d, HintResidual) Full(string convolutionName, int layer, int inChannels, int outChannels) =>
        (Add(convolutionName, NewLayer.Conv2d(inChannels, outChannels, 3, padding: 1)),
        Add(Name("layer", layer), new HintResidual(outChannels)));

    private (PatchMerge, Conv2d, HintResidual) Merged(int index, int channels) => (
        Add(Name("patch_merge", index), new PatchMerge(channels)),
        Add(Name("conv_before_res", index + 2), NewLayer.Conv2d(2 * channels, 2 * channels, 3, padding: 1)),
        Add(Name("layer", index + 2), new HintResidual(2 * channels)));

    private T Add<T>(string name, T module) where T : Module
    {
        register_module(name, module);
        return module;
    }

    private static string Name(string stem, int index) => stem + index.ToString(CultureInfo.InvariantCulture);
}

/// <summary>3×3 convolution, SiLU, 3×3 convolution, plus the input, SiLU.</summary>
internal sealed class HintResidual : Module<Tensor, Tensor>
{
    private readonly Conv2d conv1;
    private readonly Conv2d conv2;

    public HintResidual(int channels) : base(nameof(HintResidual))
    {
        conv1 = NewLayer.Conv2d(channels, channels, 3, padding: 1);
        conv2 = NewLayer.Conv2d(channels, channels, 3, padding: 1);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => FastResidual.Forward(conv1, conv2, x);
}

/// <summary>
/// Halves height and width: the four 2×2 phases side by side as channels (rows vary first), LayerNorm, Linear 4C → 2C.
/// </summary>
internal sealed class PatchMerge : Module<Tensor, Tensor>
{
    private readonly LayerNorm norm;
    private readonly Linear reduction;

    public PatchMerge(int channels) : base(nameof(PatchMerge))
    {
        norm = NewLayer.LayerNorm(4 * channels);
        reduction = NewLayer.Linear(4 * channels, 2 * channels);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var (batch, channels, height, width) = (x.shape[0], x.shape[1], x.shape[2] / 2, x.shape[3] / 2);
        // [B,C,h,row,w,column] → [B,h,w,column,row,C]: phases in the order (0,0), (1,0), (0,1), (1,1).
        var phases = x.view(batch, channels, height, 2, width, 2).permute(0, 2, 4, 5, 3, 1).reshape(batch, height, width,
            4 * channels);
        return reduction.call(norm.call(phases)).permute(0, 3, 1, 2).MoveToOuterDisposeScope();
    }
}
