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
    private readonly Level[] _levels; // a merge takes the SiLU of the level before while it reads

    /// <summary>Builds the extractor.</summary>
    /// <param name="hintChannels">Channels of the hint.</param>
    /// <param name="width">Channels after the first convolution (16 in the reference).</param>
    /// <param name="merges">Number of halvings (3 in the reference).</param>
    public DenseHintInput(int hintChannels, int width, int merges) : base(nameof(DenseHintInput))
    {
        _levels =
        [
            Full("initial_conv", 1, hintChannels, width), Full("conv_before_res2", 2, width, 2 * width),
            .. Enumerable.Range(1, merges).Select(i => Merged(i, width << i)),
        ];
        OutChannels = width << (merges + 1);
    }

    /// <summary>Channels of the features.</summary>
    public int OutChannels { get; }

    /// <param name="hint">[B,3,H,W] in [0,1]; H and W divisible by 2^merges.</param>
    /// <returns>[B,<see cref="OutChannels"/>,H/2^merges,W/2^merges].</returns>
    public override Tensor forward(Tensor hint)
    {
        using var scope = NewDisposeScope();
        return Forward(hint, recompute: false).ToTensor().MoveToOuterDisposeScope();
    }

    /// <summary>The same; if asked, what happens within a width is computed again in the backward pass instead of kept.</summary>
    internal Activated Forward(Tensor hint, bool recompute)
    {
        var h = new Activated(hint);
        for (var i = 0; i < _levels.Length; i++)
        {
            var activate = i + 1 == _levels.Length || _levels[i + 1].Merge is null;
            var next = recompute ? new Activated(_levels[i].Recomputed(h.Value)) : _levels[i].Forward(h, activate);
            if (i > 0) h.Dispose(); // the hint is the caller's
            h = next;
        }
        return h;
    }

    // A width: halved first, except at full size; then a convolution and a residual unit.
    private sealed record Level(PatchMerge? Merge, Conv2d Convolution, HintResidual Residual)
    {
        public Activated Forward(Activated x, bool activate)
        {
            using var scope = NewDisposeScope();
            return Residual.Forward(Merge is null ? FastConvolution.Forward(Convolution, x)
                : FastConvolution.Forward(Convolution, Merge.Forward(x)), activate).MoveToOuterDisposeScope();
        }

        public Tensor Recomputed(Tensor x) => Recomputation.Run(true,
            () => new Module?[] { Merge, Convolution, Residual }.OfType<Module>().SelectMany(m => m.parameters()),
            t => Tracked(t[0]), x);

        private Tensor Tracked(Tensor x)
        {
            using var scope = NewDisposeScope();
            return Forward(new(x), activate: true).ToTensor().MoveToOuterDisposeScope();
        }
    }

    private Level Full(string convolutionName, int layer, int inChannels, int outChannels) => new(null,
        Add(convolutionName, NewLayer.Conv2d(inChannels, outChannels, 3, padding: 1)),
        Add(Name("layer", layer), new HintResidual(outChannels)));

    private Level Merged(int index, int channels) => new(
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

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return Forward(x, activate: true).ToTensor().MoveToOuterDisposeScope();
    }

    internal Activated Forward(Tensor x, bool activate) => FastResidual.Forward(conv1, conv2, x, activate);
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

    public override Tensor forward(Tensor x) => Forward(new Activated(x));

    internal Tensor Forward(Activated x) => FastPatchMerge.Forward(norm, reduction, x);
}
