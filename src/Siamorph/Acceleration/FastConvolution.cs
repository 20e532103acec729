using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Siamorph.Acceleration;

/// <summary>
/// Convolution 3×3 with padding 1 for the CPU, about twice to three times as fast as libtorch's in forward and backward;
/// the ordinary one where the fast kernels do not apply (other devices, types, strides, channel counts).
/// Results come channels-last; feed them on as they are.
/// </summary>
internal static class FastConvolution
{
    private const int LeastTiles = 24;         // below, transforming the weights costs more than is gained;
    private const int LeastTilesOfASample = 4; // when that is done once for all, it does not matter
    [ThreadStatic] private static bool t_constantWeights;

    /// <summary>
    /// Until disposed, backward passes on this thread give no gradient to weights and biases: for gradients asked with respect to
    /// an input alone, where libtorch's own operations skip them by themselves.
    /// </summary>
    public static IDisposable ConstantWeights() => new ConstantWeightsScope();

    internal static bool WeightsAreConstant => t_constantWeights;

    /// <summary>
    /// The convolution of <paramref name="x"/> [B, C, H, W] with <paramref name="weight"/> [K, C, 3, 3], plus bias [K] if any.
    /// </summary>
    /// <param name="x">Input, any memory order.</param>
    /// <param name="weight">Filters.</param>
    /// <param name="bias">A value for each output channel, or null.</param>
    /// <returns>[B, K, H, W].</returns>
    public static Tensor Forward(Tensor x, Tensor weight, Tensor? bias)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(weight);
        if (IsPicture(x, weight)) return OfPicture(x, weight, bias);
        if (!Applies(x, weight) || !KernelUse.FitsRow(bias, weight.shape[0]))
            return nn.functional.conv2d(x, weight, bias, padding: [1, 1]);
        if (is_grad_enabled()) return Function.apply(x, weight, bias!, null!);
        using var scope = NewDisposeScope();
        return Pixels.Named(Convolve(Pixels.Rows(x), weight, bias, backward: false)).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// What <paramref name="convolution"/> computes, whatever kind of layer it is, plus a value for each sample and
    /// channel, plus another image. With frozen weights and no gradients all of it is one operation.
    /// </summary>
    /// <param name="convolution">The layer.</param>
    /// <param name="x">[B, C, H, W].</param>
    /// <param name="shift">[B, K], or null.</param>
    /// <param name="addend">[B, K, H', W'], or null.</param>
    /// <returns>[B, K, H', W'].</returns>
    public static Tensor Forward(Conv2d convolution, Tensor x, Tensor? shift = null, Tensor? addend = null)
    {
        ArgumentNullException.ThrowIfNull(convolution);
        ArgumentNullException.ThrowIfNull(x);
        using var scope = NewDisposeScope();
        Tensor y;
        var layer = ConvolutionLayer.Of(convolution);
        if (layer is { IsThreeByThree: true } && Applies(x, convolution.weight!)
            && KernelUse.FitsRow(convolution.bias, convolution.weight!.shape[0]))
        {
            long[] result = [x.shape[0], convolution.weight!.shape[0], x.shape[2], x.shape[3]];
            if (!is_grad_enabled() && (addend is null || KernelUse.Fits(addend, result))
                && (shift is null || KernelUse.Fits(shift, result[0], result[1])))
            {
                var sum = Convolve(Pixels.Rows(x), convolution.weight!, convolution.bias, backward: false,
                    addend is null ? null : Pixels.Rows(addend), null, shift?.contiguous());
                return Pixels.Named(sum).MoveToOuterDisposeScope();
            }
            y = Forward(x, convolution.weight!, convolution.bias);
        }
        else if (layer is { IsPointwise: true } && is_grad_enabled() && KernelUse.Fits(x) && x.dim() == 4)
            y = Pixels.Named(nn.functional.linear(Pixels.Rows(x), convolution.weight!.flatten(1), convolution.bias));
        // Channels-last as all else, or what follows is turned from one order into the other.
        else y = convolution.call(KernelUse.Fits(x) && x.dim() == 4 ? Pixels.Named(Pixels.Rows(x)) : x);
        if (shift is not null) y += shift.unsqueeze(2).unsqueeze(3);
        if (addend is not null) y = addend + y;
        return y.MoveToOuterDisposeScope();
    }

    /// <summary>The convolution of an activation.</summary>
    /// <returns>[B, K, H', W'].</returns>
    public static Tensor Forward(Conv2d convolution, Activated x)
    {
        ArgumentNullException.ThrowIfNull(convolution);
        ArgumentNullException.ThrowIfNull(x);
        var weight = convolution.weight!;
        if (x.Before is not null && is_grad_enabled() && ConvolutionLayer.Of(convolution) is { IsThreeByThree: true }
            && Applies(x.Before, weight) && KernelUse.FitsRow(convolution.bias, weight.shape[0]))
            return Function.apply(x.Before, weight, convolution.bias!, x);
        using var scope = NewDisposeScope();
        return Forward(convolution, x.ToTensor()).MoveToOuterDisposeScope();
    }

    internal static bool Applies(Tensor x, Tensor weight) =>
        KernelUse.Fits(x) && KernelUse.Fits(weight) && x.dim() == 4 && weight.shape is [var k, var c, 3, 3] && x.shape[1] == c
        && Winograd.Fits((int)c, (int)k)
        && EnoughTiles(weight, x.shape[0], Winograd.TilesOf((int)x.shape[2]) * Winograd.TilesOf((int)x.shape[3]))
        && x.shape[0] * x.shape[2] * x.shape[3] * k < int.MaxValue / sizeof(float);

    // With frozen weights the choice must not depend on the batch, or a sample's result would. Large networks have more weights
    // than are kept transformed.
    private static bool EnoughTiles(Tensor weight, long samples, int tiles) =>
        FrozenWeights.Current is null || is_grad_enabled()
            ? samples * tiles >= LeastTiles
            : tiles >= LeastTiles || tiles >= LeastTilesOfASample
            && FrozenWeights.CanKeep(weight, Winograd.WeightsLength((int)weight.shape[1], (int)weight.shape[0]));

    // An image of three channels, as it comes from the data: it gets no gradient.
    private static bool IsPicture(Tensor x, Tensor weight) =>
        KernelUse.Fits(x) && x.dim() == 4 && x.shape[1] is > 1 and < 8 && !x.requires_grad && weight.shape[0] % 8 == 0;

    // Filled up with channels of zeros to a whole vector.
    private static Tensor OfPicture(Tensor x, Tensor weight, Tensor? bias)
    {
        using var scope = NewDisposeScope();
        var missing = 8 - x.shape[1];
        var rows = nn.functional.pad(x.permute(0, 2, 3, 1), [0, missing]);
        return Forward(Pixels.Named(rows), nn.functional.pad(weight, [0, 0, 0, 0, 0, missing]), bias).MoveToOuterDisposeScope();
    }

    private sealed class ConstantWeightsScope : IDisposable
    {
        private readonly bool _outer = t_constantWeights;
        public ConstantWeightsScope() => t_constantWeights = true;
        public void Dispose() => t_constantWeights = _outer;
    }

    // The convolution of an image, or of an activation, of which what SiLU was taken of is kept.
    private sealed class Function : Differentiable<Function>
    {
        public override string Name => nameof(FastConvolution);

        public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
        {
            Tensor x = (Tensor)vars[0], weight = (Tensor)vars[1];
            var bias = (Tensor?)vars[2];
            var activated = (Activated?)vars[3];
            using var scope = NewDisposeScope();
            var kept = Pixels.Rows(x);
            ctx.save_for_backward([Pixels.Named(kept).MoveToOuterDisposeScope(), weight]);
            ctx.save_data("needs",
                (x.requires_grad, weight.requires_grad, bias is { requires_grad: true }, activated is not null));
            var pixels = activated is null ? kept : Pixels.Rows(activated.Value);
            return Pixels.Named(Convolve(pixels, weight, bias, backward: false)).MoveToOuterDisposeScope();
        }

        protected override IEnumerable<Tensor?> Gradients(autograd.AutogradContext ctx, Tensor gradient)
        {
            var (needsInput, needsWeight, needsBias, activated) = ((bool, bool, bool, bool))ctx.get_data("needs");
            var saved = ctx.get_saved_variables();
            var (kept, dy) = (Pixels.Rows(saved[0]), Pixels.Rows(gradient));
            needsWeight &= !t_constantWeights;
            var map = activated && needsWeight ? SiluKernel.Apply(kept) : null;
            var dw = needsWeight ? WeightGradient(map ?? kept, dy) : null;
            var dx = needsInput ? Convolve(dy, saved[1], null, backward: true, into: map) : null;
            if (activated && dx is not null) SiluKernel.Gradient(kept, dx, dx);
            return
            [
                dx is null ? null : Pixels.Named(dx), dw, needsBias && !t_constantWeights ? dy.sum([0, 1, 2]) : null, null,
            ];
        }
    }

    // x, addend and activated [B, H, W, C]; shift [B, K]; filters [K, C, 3, 3], or [C, K, 3, 3] to be turned, for the gradient of
    // the input.
    internal static unsafe Tensor Convolve(
        Tensor x, Tensor filters, Tensor? bias, bool backward, Tensor? addend = null, Tensor? activated = null,
        Tensor? shift = null, Tensor? into = null)
    {
        var shape = ShapeOf(x, filters.shape[backward ? 1 : 0]);
        using var noted = StepProfile.Of(backward ? "3×3 convolution, by data"
            : "3×3 convolution, forward", shape.Pixels * (shape.InChannels + shape.OutChannels));
        var y = into ?? MapPool.Empty(x.shape[0], x.shape[1], x.shape[2], shape.OutChannels);
        KernelUse.MustHold(bias, shape.OutChannels);
        KernelUse.MustHold(shift, (long)shape.Samples * shape.OutChannels);
        foreach (var whole in new[] { addend, activated, y }) KernelUse.MustHold(whole, shape.Pixels * shape.OutChannels);
        var length = Winograd.WeightsLength(shape.InChannels, shape.OutChannels);
        var kept = backward ? null : FrozenWeights.TryGet(filters, length, Transform);
        using var temporary = kept is null ? new NativeBuffer(length) : null;
        if (temporary is not null) Transform(temporary);
        Winograd.Run(shape, Pixels.Pointer(x), (kept ?? temporary!).Data, Pixels.Pointer(y), Optional(bias), Optional(addend),
            Optional(activated), Optional(shift));
        return y;

        static float* Optional(Tensor? t) => t is null ? null : Pixels.Pointer(t);

        void Transform(NativeBuffer buffer)
        {
            using var taps = filters.contiguous();
            var (outer, inner) = ((nint)filters.shape[1] * 9, (nint)9);
            if (backward) (outer, inner) = (inner, outer);
            Winograd.TransformWeights(Pixels.Pointer(taps), shape.InChannels, shape.OutChannels, outer, inner, backward,
                buffer.Data);
        }
    }

    internal static unsafe Tensor WeightGradient(Tensor x, Tensor dy)
    {
        var shape = ShapeOf(x, dy.shape[3]);
        using var noted = StepProfile.Of("3×3 convolution, by weights", shape.Pixels * (shape.InChannels + shape.OutChannels));
        var dw = empty(shape.OutChannels, shape.InChannels, 3, 3);
        KernelUse.MustHold(dy, shape.Pixels * shape.OutChannels);
        Winograd.WeightGradient(shape, Pixels.Pointer(x), Pixels.Pointer(dy), Pixels.Pointer(dw));
        return dw;
    }

    private static ConvShape ShapeOf(Tensor x, long outChannels) =>
        new((int)x.shape[0], (int)x.shape[1], (int)x.shape[2], (int)x.shape[3], (int)outChannels);
}
