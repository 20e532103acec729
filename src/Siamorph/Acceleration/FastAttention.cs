using static TorchSharp.torch;

namespace Siamorph.Acceleration;

/// <summary>
/// Multi-head softmax attention on tokens, several times as fast as libtorch's for narrow heads on the CPU; libtorch's own
/// where the kernel does not apply.
/// </summary>
internal static class FastAttention
{
    private const int WidestHead = 64;              // beyond, libtorch's kernel is at home
    private const long LargestExactMap = 256 * 256; // queries × keys

    /// <summary>softmax(q·kᵀ / √(C / heads))·v in each head.</summary>
    /// <param name="q">Queries [B, N, C], the heads side by side.</param>
    /// <param name="k">Keys [B, M, C].</param>
    /// <param name="v">Values [B, M, C].</param>
    /// <param name="heads">Number of heads; divides C.</param>
    /// <returns>[B, N, C].</returns>
    /// <exception cref="ArgumentException">The shapes don't go together.</exception>
    public static Tensor Forward(Tensor q, Tensor k, Tensor v, int heads)
    {
        ArgumentNullException.ThrowIfNull(q);
        ArgumentNullException.ThrowIfNull(k);
        ArgumentNullException.ThrowIfNull(v);
        // libtorch's own answer to such shapes would end the process: the product is not guarded by the bindings.
        if (q.dim() != 3 || k.dim() != 3 || k.shape[0] != q.shape[0] || k.shape[2] != q.shape[2]
            || !v.shape.SequenceEqual(k.shape) || heads < 1 || q.shape[2] % heads != 0)
            throw new ArgumentException($"Queries [{string.Join(',', q.shape)}], keys [{string.Join(',', k.shape)}], values ["
            + $"{string.Join(',', v.shape)}] and {heads} heads don't go together.");
        var width = q.shape[2] / heads;
        if (width % 8 == 0 && width <= WidestHead && heads * width == q.shape[2] && KernelUse.Fits(q)
            && KernelUse.Fits(k, q.shape[0], k.shape[1], q.shape[2]) && KernelUse.Fits(v, k.shape))
            return is_grad_enabled() ? Function.apply(q, k, v, heads) : Run(q, k, v, heads, null);
        Tensor Split(Tensor t) => t.view(t.shape[0], t.shape[1], heads, -1).transpose(1, 2);
        return Ordinary(Split(q), Split(k), Split(v)).transpose(1, 2).reshape(q.shape);
    }

    // libtorch's fused kernel saves the score matrix but rounds its exponentials to about 20 bits: it is for large maps.
    private static Tensor Ordinary(Tensor q, Tensor k, Tensor v)
    {
        if (q.shape[2] * k.shape[2] > LargestExactMap) return nn.functional.scaled_dot_product_attention(q, k, v);
        var scale = (float)(1 / Math.Sqrt(q.shape[3]));
        return nn.functional.softmax(matmul(q * scale, k.transpose(2, 3)), dim: -1).matmul(v);
    }

    private sealed class Function : Differentiable<Function>
    {
        public override string Name => nameof(FastAttention);

        public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
        {
            using var scope = NewDisposeScope();
            Tensor q = ((Tensor)vars[0]).contiguous(), k = ((Tensor)vars[1]).contiguous(), v = ((Tensor)vars[2]).contiguous();
            var heads = (int)vars[3];
            var logSums = empty(q.shape[0], heads, q.shape[1]);
            var result = Run(q, k, v, heads, logSums);
            ctx.save_for_backward([.. new[] { q, k, v, result, logSums }.Select(t => t.alias().MoveToOuterDisposeScope())]);
            ctx.save_data("heads", heads);
            return result.MoveToOuterDisposeScope();
        }

        protected override unsafe IEnumerable<Tensor?> Gradients(autograd.AutogradContext ctx, Tensor gradient)
        {
            var heads = (int)ctx.get_data("heads");
            var saved = ctx.get_saved_variables();
            using var noted = StepProfile.Of("attention, backward", 4 * (saved[0].numel() + saved[1].numel()));
            var (q, k, v, dy) = (saved[0], saved[1], saved[2], gradient.contiguous());
            var (dq, dk, dv) = (MapPool.EmptyLike(q), MapPool.EmptyLike(k), MapPool.EmptyLike(v));
            var shape = ShapeOf(q, k, heads);
            float* queries = Pixels.Pointer(q), keys = Pixels.Pointer(k), values = Pixels.Pointer(v),
                result = Pixels.Pointer(saved[3]);
            float* sums = Pixels.Pointer(saved[4]), incoming = Pixels.Pointer(dy);
            float* toQ = Pixels.Pointer(dq), toK = Pixels.Pointer(dk), toV = Pixels.Pointer(dv);
            Workers.For((int)q.shape[0] * heads, task =>
            {
                var (at, over) = Offsets(shape, heads, task);
                AttentionKernel.Backward(shape, queries + at, keys + over, values + over, result + at, sums
                    + (nint)task * shape.Queries,
                    incoming + at, toQ + at, toK + over, toV + over);
            });
            return [dq, dk, dv, null];
        }
    }

    private static unsafe Tensor Run(Tensor query, Tensor key, Tensor value, int heads, Tensor? logSums)
    {
        using var noted = StepProfile.Of("attention, forward", 2 * (query.numel() + key.numel()));
        using var scope = NewDisposeScope();
        var (q, k, v) = (query.contiguous(), key.contiguous(), value.contiguous());
        var result = MapPool.EmptyLike(q);
        var shape = ShapeOf(q, k, heads);
        float* queries = Pixels.Pointer(q), keys = Pixels.Pointer(k), values = Pixels.Pointer(v), target = Pixels.Pointer(result);
        var sums = logSums is null ? null : Pixels.Pointer(logSums);
        Workers.For((int)q.shape[0] * heads, task =>
        {
            var (at, over) = Offsets(shape, heads, task);
            AttentionKernel.Forward(shape, queries + at, keys + over, values + over, target + at, sums == null ? null
                : sums + (nint)task * shape.Queries);
        });
        return result.MoveToOuterDisposeScope();
    }

    private static AttentionShape ShapeOf(Tensor q, Tensor k, int heads) =>
        new((int)q.shape[1], (int)k.shape[1], (int)q.shape[2] / heads, (nint)q.shape[2], (nint)k.shape[2]);

    private static (nint Query, nint Key) Offsets(in AttentionShape s, int heads, int task)
    {
        var (sample, head) = Math.DivRem(task, heads);
        return (sample * s.Queries * s.QueryStride + head * s.Width, sample * s.Keys * s.KeyStride + head * s.Width);
    }
}
