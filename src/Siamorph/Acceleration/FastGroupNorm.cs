using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Siamorph.Acceleration;

/// <summary>
/// Group normalisation with or without SiLU behind it, in one pass over channels-last data, where libtorch's backward is
/// many times slower; the ordinary operations where the kernel does not apply. Results come channels-last.
/// </summary>
internal static class FastGroupNorm
{
    /// <summary>
    /// Normalises <paramref name="x"/> [B, C, H, W] as <paramref name="norm"/> does, then applies SiLU if asked.
    /// </summary>
    /// <returns>[B, C, H, W].</returns>
    public static Tensor Forward(GroupNorm norm, Tensor x, bool silu)
    {
        ArgumentNullException.ThrowIfNull(norm);
        ArgumentNullException.ThrowIfNull(x);
        if (KernelUse.Fits(x) && x.dim() == 4 && x.shape[1] % 8 == 0 && x.shape[1] % norm.num_groups == 0
            && norm.weight is { } weight && norm.bias is { } bias && KernelUse.FitsRow(weight, x.shape[1])
            && KernelUse.FitsRow(bias, x.shape[1]))
            return Function.apply(x, weight, bias, (int)norm.num_groups, norm.eps, silu);
        var y = norm.call(x);
        return silu ? nn.functional.silu(y) : y;
    }

    private sealed class Function : Differentiable<Function>
    {
        public override string Name => nameof(FastGroupNorm);

        public override unsafe Tensor forward(autograd.AutogradContext ctx, params object[] vars)
        {
            Tensor x = (Tensor)vars[0], weight = (Tensor)vars[1], bias = (Tensor)vars[2];
            var (groups, epsilon, silu) = ((int)vars[3], (double)vars[4], (bool)vars[5]);
            using var noted = StepProfile.Of("group norm and SiLU, forward", 2 * x.numel());
            using var scope = NewDisposeScope();
            var rows = Pixels.Rows(x);
            var (y, statistics) = (MapPool.EmptyLike(rows), empty(rows.shape[0], 2, rows.shape[3]));
            var (samples, pixels, channels) = ((int)rows.shape[0], (int)(rows.shape[1] * rows.shape[2]), (int)rows.shape[3]);
            float* from = Pixels.Pointer(rows), to = Pixels.Pointer(y), moments = Pixels.Pointer(statistics);
            float* w = Pixels.Pointer(weight), b = Pixels.Pointer(bias);
            Workers.For(samples, n =>
            {
                float* mean = moments + (nint)n * 2 * channels, reciprocal = mean + channels;
                var offset = (nint)n * pixels * channels;
                GroupNormKernel.Statistics(from + offset, pixels, channels, groups, epsilon, mean, reciprocal);
                GroupNormKernel.Apply(from + offset, pixels, channels, mean, reciprocal, w, b, silu, to + offset);
            });
            ctx.save_for_backward([Pixels.Named(rows).MoveToOuterDisposeScope(), weight, bias,
                statistics.MoveToOuterDisposeScope()]);
            ctx.save_data("options", (groups, silu, x.requires_grad, weight.requires_grad));
            return Pixels.Named(y).MoveToOuterDisposeScope();
        }

        protected override unsafe IEnumerable<Tensor?> Gradients(autograd.AutogradContext ctx, Tensor gradient)
        {
            var (groups, silu, needsInput, needsWeights) = ((int, bool, bool, bool))ctx.get_data("options");
            var saved = ctx.get_saved_variables();
            using var noted = StepProfile.Of("group norm and SiLU, backward", 3 * saved[0].numel());
            var (rows, dy) = (Pixels.Rows(saved[0]), Pixels.Rows(gradient));
            var (samples, pixels, channels) = ((int)rows.shape[0], (int)(rows.shape[1] * rows.shape[2]), (int)rows.shape[3]);
            var (dx, sums) = (MapPool.EmptyLike(rows), empty(samples, 2, channels));
            float* from = Pixels.Pointer(rows), incoming = Pixels.Pointer(dy), moments = Pixels.Pointer(saved[3]);
            float* w = Pixels.Pointer(saved[1]), b = Pixels.Pointer(saved[2]), to = Pixels.Pointer(dx),
                parts = Pixels.Pointer(sums);
            Workers.For(samples, n =>
            {
                float* mean = moments + (nint)n * 2 * channels, part = parts + (nint)n * 2 * channels;
                var offset = (nint)n * pixels * channels;
                GroupNormKernel.Backward(from + offset, incoming + offset, pixels, channels, groups, mean, mean
                    + channels, w, b, silu,
                    to + offset, part, part + channels);
            });
            var total = sums.sum([0]);
            return
            [
                needsInput ? Pixels.Named(dx) : null,
                needsWeights ? total[0].contiguous() : null,
                needsWeights ? total[1].contiguous() : null,
                null, null, null,
            ];
        }
    }
}
