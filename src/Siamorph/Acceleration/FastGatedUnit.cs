using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using static TorchSharp.torch;

namespace Siamorph.Acceleration;

/// <summary>value · GELU(gate) of rows that hold values, then gates (GEGLU, arXiv 2002.05202), in one pass.</summary>
internal static class FastGatedUnit
{
    /// <summary>The product of the first half of each row with GELU of the second, by the error function.</summary>
    /// <param name="rows">[…, 2W].</param>
    /// <returns>[…, W].</returns>
    public static Tensor Forward(Tensor rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        if (KernelUse.Fits(rows) && rows.shape[^1] % 16 == 0)
            return is_grad_enabled() ? Function.apply(rows) : Run(rows);
        using var scope = NewDisposeScope();
        var halves = rows.chunk(2, dim: -1);
        return (halves[0] * nn.functional.gelu(halves[1])).MoveToOuterDisposeScope();
    }

    private static unsafe Tensor Run(Tensor rows)
    {
        using var noted = StepProfile.Of("gates, forward", rows.numel() * 3 / 2);
        using var scope = NewDisposeScope();
        var x = rows.contiguous();
        var width = (int)(x.shape[^1] / 2);
        var y = MapPool.Empty([.. x.shape[..^1], width]);
        float* from = Pixels.Pointer(x), to = Pixels.Pointer(y);
        ForRows(x.NumberOfElements / (2 * width), (first, end) => Multiply(from, to, width, first, end));
        return y.MoveToOuterDisposeScope();
    }

    private static void ForRows(long rows, Action<long, long> body)
    {
        const long Together = 64;
        Workers.For((int)((rows + Together - 1) / Together),
            task => body(task * Together, Math.Min(rows, (task + 1) * Together)));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static unsafe void Multiply(float* x, float* y, int width, long first, long end)
    {
        for (var r = first; r < end; r++)
        {
            float* value = x + r * 2 * width, gate = value + width, to = y + r * width;
            for (var c = 0; c < width; c += 8)
                (Vector256.Load(value + c) * VectorMath.Gelu(Vector256.Load(gate + c))).Store(to + c);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static unsafe void Backward(float* x, float* dy, float* dx, int width, long first, long end)
    {
        for (var r = first; r < end; r++)
        {
            float* value = x + r * 2 * width, gate = value + width, incoming = dy + r * width, to = dx + r * 2 * width;
            for (var c = 0; c < width; c += 8)
            {
                var (g, d) = (Vector256.Load(gate + c), Vector256.Load(incoming + c));
                var normal = VectorMath.NormalIntegral(g);
                (d * g * normal).Store(to + c);
                var density = VectorMath.Exp(g * g * -0.5f) * 0.39894228f;
                (d * Vector256.Load(value + c) * Fma.MultiplyAdd(g, density, normal)).Store(to + width + c);
            }
        }
    }

    private sealed class Function : Differentiable<Function>
    {
        public override string Name => nameof(FastGatedUnit);

        public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
        {
            var rows = (Tensor)vars[0];
            ctx.save_for_backward([rows]);
            return Run(rows);
        }

        protected override unsafe IEnumerable<Tensor?> Gradients(autograd.AutogradContext ctx, Tensor gradient)
        {
            var (x, dy) = (ctx.get_saved_variables()[0].contiguous(), gradient.contiguous());
            using var noted = StepProfile.Of("gates, backward", x.numel() * 5 / 2);
            var dx = MapPool.EmptyLike(x);
            var width = (int)(x.shape[^1] / 2);
            float* from = Pixels.Pointer(x), incoming = Pixels.Pointer(dy), to = Pixels.Pointer(dx);
            ForRows(x.NumberOfElements / (2 * width), (first, end) => Backward(from, incoming, to, width, first, end));
            return [dx];
        }
    }
}
