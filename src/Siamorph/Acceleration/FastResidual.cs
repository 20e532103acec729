using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Siamorph.Acceleration;

/// <summary>
/// SiLU(conv₂(SiLU(conv₁(x))) + x) with 3×3 convolutions that keep the width, as one operation: sums and activations ride on the
/// convolutions' last pass, and the backward pass recomputes an activation instead of keeping it. At full image size these
/// passes over memory, not the products, are what costs.
/// </summary>
internal static class FastResidual
{
    /// <summary>The residual unit's result for <paramref name="x"/> [B, C, H, W].</summary>
    /// <returns>[B, C, H, W].</returns>
    public static Tensor Forward(Conv2d first, Conv2d second, Tensor x)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        ArgumentNullException.ThrowIfNull(x);
        using var scope = NewDisposeScope();
        if (x.dim() == 4 && Keeps(first, x) && Keeps(second, x) && first.bias is { } bias && second.bias is { } bias2)
        {
            return (is_grad_enabled() ? Function.apply(x, first.weight!, bias, second.weight!, bias2)
                : Pixels.Named(Run(Pixels.Rows(x), first.weight!, bias, second.weight!, bias2).Result)).MoveToOuterDisposeScope();
        }
        var h = FastConvolution.Forward(second, nn.functional.silu(FastConvolution.Forward(first, x)));
        return nn.functional.silu(h + x).MoveToOuterDisposeScope();
    }

    // 3×3, as many channels out as in.
    private static bool Keeps(Conv2d layer, Tensor x) => ConvolutionLayer.Of(layer) is { IsThreeByThree: true } kind
        && kind.Outputs == x.shape[1]
        && FastConvolution.Applies(x, layer.weight!) && KernelUse.FitsRow(layer.bias, kind.Outputs);

    private static (Tensor Inner, Tensor Sum, Tensor Result) Run(
        Tensor rows, Tensor weight, Tensor bias, Tensor weight2, Tensor bias2)
    {
        using var activated = empty_like(rows);
        var inner = FastConvolution.Convolve(rows, weight, bias, backward: false, activated: activated);
        var result = empty_like(rows);
        var sum = FastConvolution.Convolve(activated, weight2, bias2, backward: false, addend: rows, activated: result);
        return (inner, sum, result);
    }

    private sealed class Function : autograd.SingleTensorFunction<Function>
    {
        public override string Name => nameof(FastResidual);

        public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
        {
            using var scope = NewDisposeScope();
            var t = vars.Cast<Tensor>().ToArray();
            var rows = Pixels.Rows(t[0]);
            var (inner, sum, result) = Run(rows, t[1], t[2], t[3], t[4]);
            ctx.save_for_backward([rows.alias().MoveToOuterDisposeScope(), inner.MoveToOuterDisposeScope(),
                sum.MoveToOuterDisposeScope(), t[1], t[3]]);
            ctx.save_data("needs", t.Select(v => v.requires_grad).ToArray());
            return Pixels.Named(result).MoveToOuterDisposeScope();
        }

        public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
        {
            using var grad = no_grad();
            using var scope = NewDisposeScope();
            var needs = (bool[])ctx.get_data("needs");
            var saved = ctx.get_saved_variables();
            var (x, inner, sum, weight, weight2) = (saved[0], saved[1], saved[2], saved[3], saved[4]);
            var outer = Gradient(sum, Pixels.Rows(grad_output));
            Tensor dWeight2;
            using (var activated = nn.functional.silu(inner)) dWeight2 = FastConvolution.WeightGradient(activated, outer);
            Tensor within;
            using (var incoming = FastConvolution.Convolve(outer, weight2, null, backward: true))
                within = Gradient(inner, incoming);
            var dx = needs[0] ? Pixels.Named(
                FastConvolution.Convolve(within, weight, null, backward: true, addend: outer)) : null;
            Tensor?[] gradients =
                [dx, needs[1] ? FastConvolution.WeightGradient(x, within)
                : null, within.sum([0, 1, 2]), dWeight2, outer.sum([0, 1, 2])];
            return [.. gradients.Select((g, i) => g is null || !needs[i] ? null! : g.MoveToOuterDisposeScope())];
        }

        // dy·SiLU'(z).
        private static unsafe Tensor Gradient(Tensor z, Tensor dy)
        {
            const long Together = 1 << 14;
            using var noted = StepProfile.Of("SiLU of the hint's blocks, backward", 3 * z.numel());
            var dz = empty_like(z);
            float* from = Pixels.Pointer(z), incoming = Pixels.Pointer(dy), to = Pixels.Pointer(dz);
            var count = z.NumberOfElements; // a multiple of 8, as the channels are
            Workers.For((int)((count + Together - 1) / Together), task =>
            {
                var first = task * Together;
                Gradient(from + first, incoming + first, to + first, (int)Math.Min(Together, count - first));
            });
            return dz;
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static unsafe void Gradient(float* z, float* dy, float* dz, int count)
        {
            for (var i = 0; i < count; i += 8)
            {
                var v = Vector256.Load(z + i);
                var s = VectorMath.Sigmoid(v);
                (Vector256.Load(dy + i) * s * Fma.MultiplyAdd(v, Vector256<float>.One - s, Vector256<float>.One)).Store(dz + i);
            }
        }
    }
}
