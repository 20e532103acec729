using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Siamorph.Acceleration;

/// <summary>Sizes and memory strides of an attention: rows of tokens, in each row one head beside the other.</summary>
/// <param name="Queries">Query tokens.</param>
/// <param name="Keys">Key tokens.</param>
/// <param name="Width">Channels of a head; a multiple of 8.</param>
/// <param name="QueryStride">Floats from one query token to the next; also of the result.</param>
/// <param name="KeyStride">Floats from one key or value token to the next.</param>
internal readonly record struct AttentionShape(int Queries, int Keys, int Width, nint QueryStride, nint KeyStride);

/// <summary>
/// Softmax attention of one head of one sample, scores never written beyond a block of queries. Meant for narrow heads, where
/// libtorch's kernel spends its time elsewhere than in products.
/// </summary>
internal static unsafe partial class AttentionKernel
{
    private const int QueryBlock = 24;
    private const int GradientQueries = 48;
    private const int GradientKeys = 256;
    private const float Log2E = 1.44269504f;

    /// <summary>
    /// out = softmax(q·kᵀ / √width)·v; <paramref name="logSums"/> [queries], if any, gets log2 Σ 2^score for the backward pass.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Forward(in AttentionShape s, float* q, float* k, float* v, float* result, float* logSums)
    {
        if (s.Width == Eight)
        {
            ForwardEight(s, q, k, v, result, logSums);
            return;
        }
        var wide = Wide(s.Keys);
        var packed = Scratch.Get(0, (nint)wide * s.Width);
        var stride = wide + 16; // rows 4 KB apart would all compete for the same few cache lines
        var scores = Scratch.Get(1, (nint)stride * QueryBlock);
        PackTransposed(s, k, packed);
        var scale = Log2E / MathF.Sqrt(s.Width);
        var inverse = stackalloc float[QueryBlock];
        for (var first = 0; first < s.Queries; first += QueryBlock)
        {
            var count = Math.Min(QueryBlock, s.Queries - first);
            var target = result + first * s.QueryStride;
            Gemm.Run(count, q + first * s.QueryStride, s.QueryStride, packed, s.Width, wide, scores, stride, null, false);
            for (var i = 0; i < count; i++)
            {
                var (largest, sum) = Exponentials(scores + (nint)i * stride, s.Keys, scale);
                inverse[i] = 1 / sum;
                if (logSums != null) logSums[first + i] = largest + MathF.Log2(sum);
            }
            Gemm.RunNarrow(count, scores, stride, 1, v, s.KeyStride, s.Keys, s.Width, target, s.QueryStride, false);
            for (var i = 0; i < count; i++)
            {
                var row = target + i * s.QueryStride;
                for (var c = 0; c < s.Width; c += 8) (Vector256.Load(row + c) * inverse[i]).Store(row + c);
            }
        }
    }

    /// <summary>
    /// Gradients of q, k and v from that of the result; they are written, not added. <paramref name="result"/> is what Forward
    /// gave.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Backward(in AttentionShape s, float* q, float* k, float* v, float* result, float* logSums, float* dResult,
        float* dq, float* dk, float* dv)
    {
        if (s.Width == Eight && Gemm.IsWide)
        {
            BackwardEightWide(s, q, k, v, result, logSums, dResult, dq, dk, dv);
            return;
        }
        var wide = Wide(s.Keys);
        var keys = Scratch.Get(0, (nint)wide * s.Width);
        var values = Scratch.Get(1, (nint)wide * s.Width);
        var p = Scratch.Get(2, GradientQueries * GradientKeys);
        var ds = Scratch.Get(3, GradientQueries * GradientKeys);
        PackTransposed(s, k, keys);
        PackTransposed(s, v, values);
        var scale = 1 / MathF.Sqrt(s.Width);
        var delta = stackalloc float[GradientQueries];
        for (var first = 0; first < s.Queries; first += GradientQueries)
        {
            var count = Math.Min(GradientQueries, s.Queries - first);
            var at = first * s.QueryStride;
            for (var i = 0; i < count; i++)
                delta[i] = Dot(result + at + i * s.QueryStride, dResult + at + i * s.QueryStride, s.Width);
            for (var key = 0; key < s.Keys; key += GradientKeys)
            {
                var some = Math.Min(GradientKeys, s.Keys - key);
                var columns = Wide(some);
                Gemm.Run(count, q + at, s.QueryStride, keys + (nint)key * s.Width, s.Width, columns, p, columns, null, false);
                Gemm.Run(count, dResult + at, s.QueryStride, values + (nint)key * s.Width, s.Width, columns, ds, columns,
                    null, false);
                for (var i = 0; i < count; i++)
                    ScoreGradients(p + (nint)i * columns, ds + (nint)i * columns, columns, scale, logSums[first + i], delta[i]);
                Gemm.RunNarrow(count, ds, columns, 1, k + key * s.KeyStride, s.KeyStride, some, s.Width, dq + at,
                    s.QueryStride, key > 0);
                Gemm.RunNarrow(some, ds, 1, columns, q + at, s.QueryStride, count, s.Width, dk + key * s.KeyStride,
                    s.KeyStride, first > 0);
                Gemm.RunNarrow(some, p, 1, columns, dResult + at, s.QueryStride, count, s.Width, dv + key * s.KeyStride,
                    s.KeyStride, first > 0);
            }
        }
    }

    private static int Wide(int keys) => PackedMatrix.PanelsOf(keys) * PackedMatrix.PanelWidth;

    private static void PackTransposed(in AttentionShape s, float* k, float* packed) =>
        PackedMatrix.Pack(k, 1, s.KeyStride, s.Width, s.Keys, packed);

    // scores → 2^(scale·score − largest); the largest exponent and the sum. Scores fill a row of whole panels.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static (float Largest, float Sum) Exponentials(float* scores, int keys, float scale)
    {
        var wide = Wide(keys);
        for (var j = keys; j < wide; j++) scores[j] = float.NegativeInfinity;
        Vector256<float> most = Vector256.Create(float.NegativeInfinity), most2 = most;
        for (var j = 0; j < wide; j += 16)
        {
            most = Avx.Max(most, Vector256.Load(scores + j));
            most2 = Avx.Max(most2, Vector256.Load(scores + j + 8));
        }
        var largest = Largest(Avx.Max(most, most2)) * scale;
        var (factor, shift) = (Vector256.Create(scale), Vector256.Create(largest));
        Vector256<float> sum = Vector256<float>.Zero, sum2 = sum;
        if (Gemm.IsWide) // the lower half of a vector is the one sum, the upper half the other
        {
            var (factors, shifts, both) = (Vector512.Create(scale), Vector512.Create(largest), Vector512<float>.Zero);
            for (var j = 0; j < wide; j += 16)
            {
                var e = VectorMath.Exp2OfNegative(Vector512.FusedMultiplyAdd(Vector512.Load(scores + j), factors, -shifts));
                e.Store(scores + j);
                both += e;
            }
            return (largest, Vector256.Sum(both.GetLower() + both.GetUpper()));
        }
        for (var j = 0; j < wide; j += 16)
        {
            var e = VectorMath.Exp2OfNegative(Fma.MultiplySubtract(Vector256.Load(scores + j), factor, shift));
            var e2 = VectorMath.Exp2OfNegative(Fma.MultiplySubtract(Vector256.Load(scores + j + 8), factor, shift));
            e.Store(scores + j);
            e2.Store(scores + j + 8);
            sum += e;
            sum2 += e2;
        }
        return (largest, Vector256.Sum(sum + sum2));
    }

    // p: scores → probabilities; ds: gradient of the probabilities → of the scores.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ScoreGradients(float* p, float* ds, int columns, float scale, float logSum, float delta)
    {
        Vector256<float> factor = Vector256.Create(scale * Log2E), shift = Vector256.Create(logSum),
        mean = Vector256.Create(delta);
        if (Gemm.IsWide)
        {
            Vector512<float> factors = Vector512.Create(scale * Log2E), shifts = Vector512.Create(logSum),
                means = Vector512.Create(delta);
            for (var j = 0; j < columns; j += 16)
            {
                var probability = VectorMath.Exp2OfNegative(
                    Vector512.FusedMultiplyAdd(Vector512.Load(p + j), factors, -shifts));
                probability.Store(p + j);
                ((Vector512.Load(ds + j) - means) * probability * scale).Store(ds + j);
            }
            return;
        }
        for (var j = 0; j < columns; j += 8)
        {
            var probability = VectorMath.Exp2OfNegative(Fma.MultiplySubtract(Vector256.Load(p + j), factor, shift));
            probability.Store(p + j);
            ((Vector256.Load(ds + j) - mean) * probability * scale).Store(ds + j);
        }
    }

    private static float Dot(float* a, float* b, int width)
    {
        var sum = Vector256<float>.Zero;
        for (var c = 0; c < width; c += 8) sum = Fma.MultiplyAdd(Vector256.Load(a + c), Vector256.Load(b + c), sum);
        return Vector256.Sum(sum);
    }
}
