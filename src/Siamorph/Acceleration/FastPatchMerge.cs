using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Siamorph.Acceleration;

/// <summary>
/// Halves height and width: the four places of each 2×2 square side by side as channels, rows first, LayerNorm, a linear layer.
/// Gathering and norm are one pass, forward and backward, and the backward pass does them again, sample by sample, in place of
/// keeping two maps of full size.
/// </summary>
internal static class FastPatchMerge
{
    private const int SquaresATask = 256;

    /// <summary>The linear layer's result for the merged squares of <paramref name="x"/> [B, C, H, W].</summary>
    /// <returns>[B, K, H/2, W/2].</returns>
    public static Tensor Forward(LayerNorm norm, Linear reduction, Activated x)
    {
        ArgumentNullException.ThrowIfNull(norm);
        ArgumentNullException.ThrowIfNull(reduction);
        ArgumentNullException.ThrowIfNull(x);
        using var scope = NewDisposeScope();
        if (!Applies(norm, reduction, x.Before ?? x.Value))
            return Ordinary(norm, reduction, x.ToTensor()).MoveToOuterDisposeScope();
        var options = new Options(x, norm.eps);
        var (weight, bias) = (reduction.weight!, reduction.bias);
        return (is_grad_enabled() ? Function.apply(x.Before ?? x.Value, norm.weight!, norm.bias!, weight, bias!, options)
            : Run(x, norm.weight!, norm.bias!, weight, bias, norm.eps)).MoveToOuterDisposeScope();
    }

    // By libtorch's operations, which keep each step.
    private static Tensor Ordinary(LayerNorm norm, Linear reduction, Tensor x)
    {
        var (batch, channels, height, width) = (x.shape[0], x.shape[1], x.shape[2] / 2, x.shape[3] / 2);
        // [B,C,h,row,w,column] → [B,h,w,column,row,C]: the places in the order (0,0), (1,0), (0,1), (1,1).
        var squares = x.view(batch, channels, height, 2, width, 2).permute(0, 2, 4, 5, 3, 1).reshape(batch, height, width,
            4 * channels);
        return reduction.call(norm.call(squares)).permute(0, 3, 1, 2);
    }

    private static bool Applies(LayerNorm norm, Linear reduction, Tensor x) =>
        KernelUse.Fits(x) && x.dim() == 4 && x.shape[1] % 8 == 0 && x.shape[2] % 2 == 0 && x.shape[3] % 2 == 0
        && KernelUse.Fits(norm, 4 * x.shape[1]) && reduction.weight is { } weight
        && KernelUse.Fits(reduction, 4 * x.shape[1], weight.shape[0]);

    private sealed record Options(Activated Input, double Epsilon);

    private static Squares SquaresOf(Tensor rows) => new((int)rows.shape[1] / 2, (int)rows.shape[2] / 2, (int)rows.shape[3]);

    private static Tensor Run(Activated x, Tensor scale, Tensor shift, Tensor weight, Tensor? bias, double epsilon)
    {
        var rows = Pixels.Rows(x.HasValue ? x.Value : x.Before!);
        var squares = SquaresOf(rows);
        var result = MapPool.Empty(rows.shape[0], squares.Height, squares.Width, weight.shape[0]);
        using var merged = MapPool.Empty(squares.Count, 4 * squares.Channels);
        using var transposed = weight.t();
        for (var sample = 0L; sample < rows.shape[0]; sample++)
        {
            using var scope = NewDisposeScope();
            Merge(squares, rows.select(0, sample), !x.HasValue, scale, shift, epsilon, merged);
            var target = result.select(0, sample).view(squares.Count, -1);
            if (bias is null) target.copy_(mm(merged, transposed));
            else target.copy_(addmm(bias, merged, transposed, 1, 1));
        }
        return Pixels.Named(result);
    }

    private static unsafe void Merge(
        Squares squares, Tensor sample, bool silu, Tensor scale, Tensor shift, double epsilon, Tensor merged)
    {
        using var noted = StepProfile.Of("patches merged", 2 * sample.numel());
        float* from = Pixels.Pointer(sample), to = Pixels.Pointer(merged), w = Pixels.Pointer(scale), b = Pixels.Pointer(shift);
        ForSquares(squares, (first, end) => squares.Merge(from, silu, w, b, (float)epsilon, to, first, end));
    }

    private static void ForSquares(Squares squares, Action<int, int> body) =>
        Workers.For((squares.Count + SquaresATask - 1) / SquaresATask,
            task => body(task * SquaresATask, Math.Min(squares.Count, (task + 1) * SquaresATask)));

    private sealed class Function : Differentiable<Function>
    {
        public override string Name => nameof(FastPatchMerge);

        public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
        {
            using var scope = NewDisposeScope();
            Tensor x = (Tensor)vars[0], scale = (Tensor)vars[1], shift = (Tensor)vars[2], weight = (Tensor)vars[3];
            var bias = (Tensor?)vars[4];
            var options = (Options)vars[5];
            ctx.save_for_backward([Pixels.Rows(x).alias().MoveToOuterDisposeScope(), scale, shift, weight]);
            ctx.save_data("options", (options.Input.Before is not null, options.Epsilon));
            ctx.save_data("needs", new[] { x, scale, shift, weight, bias }.Select(t => t is { requires_grad: true }).ToArray());
            return Run(options.Input, scale, shift, weight, bias, options.Epsilon).MoveToOuterDisposeScope();
        }

        protected override IEnumerable<Tensor?> Gradients(autograd.AutogradContext ctx, Tensor gradient)
        {
            var (silu, epsilon) = ((bool, double))ctx.get_data("options");
            var needs = (bool[])ctx.get_data("needs");
            var saved = ctx.get_saved_variables();
            var (rows, scale, shift, weight, dy) = (saved[0], saved[1], saved[2], saved[3], Pixels.Rows(gradient));
            var squares = SquaresOf(rows);
            var (dx, dWeight) = (MapPool.EmptyLike(rows), needs[3] ? zeros_like(weight) : null);
            using var merged = MapPool.Empty(squares.Count, 4 * squares.Channels);
            using var sums = zeros((squares.Count + SquaresATask - 1) / SquaresATask, 2, 4 * squares.Channels);
            for (var sample = 0L; sample < rows.shape[0]; sample++)
            {
                using var scope = NewDisposeScope();
                var incoming = dy.select(0, sample).view(squares.Count, -1);
                if (dWeight is not null)
                {
                    Merge(squares, rows.select(0, sample), silu, scale, shift, epsilon, merged);
                    dWeight.addmm_(incoming.t(), merged, 1, 1);
                }
                Backward(squares, rows.select(0, sample), silu, scale, epsilon, mm(incoming, weight), dx.select(0, sample), sums);
            }
            var total = sums.sum([0]);
            return
            [
                needs[0] ? Pixels.Named(dx) : null, needs[1] ? total[0].clone() : null, needs[2] ? total[1].clone() : null,
                dWeight, needs[4] ? dy.sum([0, 1, 2]) : null, null,
            ];
        }

        private static unsafe void Backward(
            Squares squares, Tensor sample, bool silu, Tensor scale, double epsilon, Tensor dMerged, Tensor dx, Tensor sums)
        {
            using var noted = StepProfile.Of("patches merged, backward", 3 * sample.numel());
            float* from = Pixels.Pointer(sample), incoming = Pixels.Pointer(dMerged), w = Pixels.Pointer(scale),
                to = Pixels.Pointer(dx), parts = Pixels.Pointer(sums);
            ForSquares(squares, (first, end) => squares.Backward(from, silu, w, (float)epsilon, incoming, to,
                parts + (nint)(first / SquaresATask) * 8 * squares.Channels, first, end));
        }
    }

    // The 2×2 squares of one image [2·Height, 2·Width, Channels]; a task takes some of them, in order.
    private readonly unsafe struct Squares(int height, int width, int channels)
    {
        public int Height => height;

        public int Width => width;

        public int Channels => channels;

        public int Count => height * width;

        // Where the four places of a square begin, rows first.
        private void Places(int square, nint* places)
        {
            int row = square / width, column = square % width;
            var first = ((nint)row * 2 * width * 2 + column * 2) * channels;
            nint down = (nint)width * 2 * channels, right = channels;
            (places[0], places[1], places[2], places[3]) = (first, first + down, first + right, first + down + right);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Merge(float* x, bool silu, float* scale, float* shift, float epsilon, float* merged, int first, int end)
        {
            var places = stackalloc nint[4];
            for (var s = first; s < end; s++)
            {
                var to = merged + (nint)s * 4 * channels;
                Places(s, places);
                var (mean, reciprocal) = Gather(x, places, silu, epsilon, to);
                var (m, r) = (Vector256.Create(mean), Vector256.Create(reciprocal));
                for (nint c = 0; c < 4 * channels; c += 8)
                {
                    Fma.MultiplyAdd((Vector256.Load(to + c) - m) * r, Vector256.Load(scale + c), Vector256.Load(shift + c))
                        .Store(to + c);
                }
            }
        }

        /// <summary>dx of the squares, and to <paramref name="sums"/> what scale and shift of the norm get.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Backward(float* x, bool silu, float* scale, float epsilon, float* incoming, float* dx, float* sums, int first,
            int end)
        {
            var places = stackalloc nint[4];
            var values = Scratch.Get(0, 4 * channels);
            var width = 4 * channels;
            for (var s = first; s < end; s++)
            {
                var dy = incoming + (nint)s * width;
                Places(s, places);
                var (mean, reciprocal) = Gather(x, places, silu, epsilon, values);
                var (m, r) = (Vector256.Create(mean), Vector256.Create(reciprocal));
                Vector256<float> total = default, product = default;
                for (nint c = 0; c < width; c += 8)
                {
                    var normal = (Vector256.Load(values + c) - m) * r;
                    normal.Store(values + c);
                    var d = Vector256.Load(dy + c);
                    Fma.MultiplyAdd(d, normal, Vector256.Load(sums + c)).Store(sums + c);
                    (Vector256.Load(sums + width + c) + d).Store(sums + width + c);
                    d *= Vector256.Load(scale + c);
                    total += d;
                    product = Fma.MultiplyAdd(d, normal, product);
                }
                var (level, slope) = (Vector256.Create(Vector256.Sum(total) / width),
                    Vector256.Create(Vector256.Sum(product) / width));
                for (nint c = 0; c < width; c += 8)
                {
                    var at = places[c / channels] + c % channels;
                    var d = Fma.MultiplySubtract(Vector256.Load(dy + c), Vector256.Load(scale + c), level);
                    d = (d - Vector256.Load(values + c) * slope) * r;
                    if (silu) d *= SiluKernel.Slope(Vector256.Load(x + at));
                    d.Store(dx + at);
                }
            }
        }

        // A square's values side by side, their mean, and the reciprocal of their deviation.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private (float Mean, float Reciprocal) Gather(float* x, nint* places, bool silu, float epsilon, float* to)
        {
            Vector256<float> sum = default;
            for (var p = 0; p < 4; p++)
            {
                var from = x + places[p];
                for (nint c = 0; c < channels; c += 8)
                {
                    var v = Vector256.Load(from + c);
                    if (silu) v = VectorMath.Silu(v);
                    v.Store(to + p * channels + c);
                    sum += v;
                }
            }
            var mean = Vector256.Sum(sum) / (4 * channels);
            var (m, squares) = (Vector256.Create(mean), Vector256<float>.Zero);
            for (nint c = 0; c < 4 * channels; c += 8)
            {
                var d = Vector256.Load(to + c) - m;
                squares = Fma.MultiplyAdd(d, d, squares);
            }
            return (mean, 1 / MathF.Sqrt(Vector256.Sum(squares) / (4 * channels) + epsilon));
        }
    }
}
