using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Siamorph.Acceleration;

/// <summary>
/// SiLU(conv₂(SiLU(conv₁(x))) + x) with 3×3 convolutions that keep the width, as one operation: sums and activations ride on the
/// convolutions' last pass, and the backward pass takes activations again instead of keeping them. At full image size these
/// passes over memory, not the products, are what costs.
/// </summary>
internal static class FastResidual
{
    /// <summary>The residual unit's result for <paramref name="x"/> [B, C, H, W].</summary>
    /// <param name="first">The convolution under the inner SiLU.</param>
    /// <param name="second">That under the outer one.</param>
    /// <param name="x">What they read.</param>
    /// <param name="activate">False where the operation that reads the result takes the outer SiLU itself.</param>
    /// <returns>[B, C, H, W].</returns>
    public static Activated Forward(Conv2d first, Conv2d second, Tensor x, bool activate = true)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        ArgumentNullException.ThrowIfNull(x);
        using var scope = NewDisposeScope();
        if (x.dim() != 4 || !Keeps(first, x) || !Keeps(second, x) || first.bias is not { } bias || second.bias is not { } bias2)
        {
            var h = FastConvolution.Forward(second, nn.functional.silu(FastConvolution.Forward(first, x)));
            return new Activated(nn.functional.silu(h + x)).MoveToOuterDisposeScope();
        }
        if (!is_grad_enabled())
        {
            var (_, before, after) = Run(Pixels.Rows(x), first.weight!, bias, second.weight!, bias2, activate);
            return (activate ? new Activated(Pixels.Named(after!)) : new Activated(null, Pixels.Named(before)))
                .MoveToOuterDisposeScope();
        }
        var result = activate ? new Aside() : null;
        var sum = Function.apply(x, first.weight!, bias, second.weight!, bias2, result!);
        return new Activated(result?.Value, sum).MoveToOuterDisposeScope();
    }

    // 3×3, as many channels out as in.
    private static bool Keeps(Conv2d layer, Tensor x) => ConvolutionLayer.Of(layer) is { IsThreeByThree: true } kind
        && kind.Outputs == x.shape[1]
        && FastConvolution.Applies(x, layer.weight!) && KernelUse.FitsRow(layer.bias, kind.Outputs);

    private static (Tensor Inner, Tensor Sum, Tensor? Result) Run(
        Tensor rows, Tensor weight, Tensor bias, Tensor weight2, Tensor bias2, bool activate)
    {
        using var activated = MapPool.EmptyLike(rows);
        var inner = FastConvolution.Convolve(rows, weight, bias, backward: false, activated: activated);
        var result = activate ? MapPool.EmptyLike(rows) : null;
        var sum = FastConvolution.Convolve(activated, weight2, bias2, backward: false, addend: rows, activated: result);
        return (inner, sum, result);
    }

    // The result is the sum under the last SiLU, whose derivative the operation takes that reads it; SiLU of it is left aside.
    private sealed class Function : Differentiable<Function>
    {
        public override string Name => nameof(FastResidual);

        public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
        {
            using var scope = NewDisposeScope();
            var t = vars.Take(5).Cast<Tensor>().ToArray();
            var rows = Pixels.Rows(t[0]);
            var aside = (Aside?)vars[5];
            var (inner, sum, result) = Run(rows, t[1], t[2], t[3], t[4], aside is not null);
            ctx.save_for_backward([rows.alias().MoveToOuterDisposeScope(), inner.MoveToOuterDisposeScope(), t[1], t[3]]);
            ctx.save_data("needs", t.Select(v => v.requires_grad).ToArray());
            if (aside is not null) aside.Value = Pixels.Named(result!).MoveToOuterDisposeScope();
            return Pixels.Named(sum).MoveToOuterDisposeScope();
        }

        // Of the two maps that are needed beside those kept one is made, and one is what was kept of the inner convolution.
        protected override IEnumerable<Tensor?> Gradients(autograd.AutogradContext ctx, Tensor gradient)
        {
            var needs = (bool[])ctx.get_data("needs");
            var saved = ctx.get_saved_variables();
            var (x, inner, weight, weight2) = (saved[0], saved[1], saved[2], saved[3]);
            var outer = Pixels.Rows(gradient);
            var map = SiluKernel.Apply(inner);
            var dWeight2 = needs[3] ? FastConvolution.WeightGradient(map, outer) : null;
            FastConvolution.Convolve(outer, weight2, null, backward: true, into: map);
            var within = inner;
            SiluKernel.Gradient(inner, map, within);
            var dWeight = needs[1] ? FastConvolution.WeightGradient(x, within) : null;
            var dx = needs[0]
                ? Pixels.Named(FastConvolution.Convolve(within, weight, null, backward: true, addend: outer, into: map)) : null;
            return [dx, dWeight, needs[2] ? within.sum([0, 1, 2]) : null, dWeight2, needs[4] ? outer.sum([0, 1, 2]) : null, null];
        }
    }
}
