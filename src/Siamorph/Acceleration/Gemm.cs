using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Siamorph.Acceleration;

/// <summary>
/// Single-precision matrix product of a row-major left side with a <see cref="PackedMatrix"/>, on one thread. Every element
/// is summed in the same order whatever the number of rows, so a sample's result does not depend on its batch.
/// </summary>
internal static unsafe partial class Gemm
{
    private const int TileRows = 6;
    private const int DepthBlock = 256;

    /// <summary>
    /// C = A·B (+ C) (+ bias), A [rows, K] with row stride <paramref name="lda"/>, C [rows, N] with row stride
    /// <paramref name="ldc"/>.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(int rows, float* a, nint lda, float* packed, int depth, int columns, float* c, nint ldc, float* bias,
        bool accumulate)
    {
        var edge = stackalloc float[TileRows * 16];
        for (var k0 = 0; k0 < depth; k0 += DepthBlock)
        {
            var k = Math.Min(DepthBlock, depth - k0);
            var add = accumulate || k0 > 0;
            for (var n0 = 0; n0 < columns; n0 += 16)
            {
                var b = packed + (nint)n0 * depth + k0 * 16;
                var width = Math.Min(16, columns - n0);
                var start = k0 == 0 && bias != null ? bias + n0 : null;
                if (IsWide && columns - n0 >= 32)
                {
                    for (var m = 0; m < rows; m += WideRows)
                        WidePair(Math.Min(WideRows, rows - m), k, a + m * lda + k0, lda, b, (nint)depth * 16, c + m * ldc + n0,
                            ldc, start, add);
                    n0 += 16;
                    continue;
                }
                if (IsWide && width == 16)
                {
                    for (var m = 0; m < rows; m += WideRows)
                        WideTile(Math.Min(WideRows, rows - m), k, a + m * lda + k0, lda, b, c + m * ldc + n0, ldc, start, add);
                    continue;
                }
                for (var m = 0; m < rows; m += TileRows)
                {
                    var count = Math.Min(TileRows, rows - m);
                    if (width == 16) Tile(count, k, a + m * lda + k0, lda, b, c + m * ldc + n0, ldc, start, add);
                    else
                    {
                        Copy(c + m * ldc + n0, ldc, edge, 16, count, width);
                        Tile(count, k, a + m * lda + k0, lda, b, edge, 16, null, add);
                        if (start != null) for (var i = 0; i < count; i++) for (var j = 0; j < width; j++) edge[i * 16
                            + j] += start[j];
                        Copy(edge, 16, c + m * ldc + n0, ldc, count, width);
                    }
                }
            }
        }
    }

    private static void Copy(float* from, nint fromStride, float* to, nint toStride, int rows, int width)
    {
        for (var i = 0; i < rows; i++)
            Unsafe.CopyBlockUnaligned(to + i * toStride, from + i * fromStride, (uint)width * sizeof(float));
    }

    // Up to six rows by sixteen columns: twelve accumulators, two rows of B and one broadcast fill fifteen of the sixteen
    // registers. Rows past the end repeat the last one: all of C is read before any of it is written, so that is harmless.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile(int rows, int depth, float* a0, nint lda, float* b, float* p0, nint ldc, float* bias,
        bool accumulate)
    {
        var last = rows - 1;
        float* a1 = a0 + Math.Min(1, last) * lda, a2 = a0 + Math.Min(2, last) * lda, a3 = a0 + Math.Min(3, last) * lda;
        float* a4 = a0 + Math.Min(4, last) * lda, a5 = a0 + Math.Min(5, last) * lda;
        float* p1 = p0 + Math.Min(1, last) * ldc, p2 = p0 + Math.Min(2, last) * ldc, p3 = p0 + Math.Min(3, last) * ldc;
        float* p4 = p0 + Math.Min(4, last) * ldc, p5 = p0 + Math.Min(5, last) * ldc;
        Vector256<float> l0, l1, l2, l3, l4, l5, h0, h1, h2, h3, h4, h5;
        l0 = l1 = l2 = l3 = l4 = l5 = h0 = h1 = h2 = h3 = h4 = h5 = Vector256<float>.Zero;
        if (bias != null)
        {
            l0 = l1 = l2 = l3 = l4 = l5 = Vector256.Load(bias);
            h0 = h1 = h2 = h3 = h4 = h5 = Vector256.Load(bias + 8);
        }
        if (accumulate)
        {
            l0 += Vector256.Load(p0); h0 += Vector256.Load(p0 + 8);
            l1 += Vector256.Load(p1); h1 += Vector256.Load(p1 + 8);
            l2 += Vector256.Load(p2); h2 += Vector256.Load(p2 + 8);
            l3 += Vector256.Load(p3); h3 += Vector256.Load(p3 + 8);
            l4 += Vector256.Load(p4); h4 += Vector256.Load(p4 + 8);
            l5 += Vector256.Load(p5); h5 += Vector256.Load(p5 + 8);
        }
        for (nint k = 0; k < depth; k++)
        {
            var lo = Vector256.Load(b);
            var hi = Vector256.Load(b + 8);
            var x = Vector256.Create(a0[k]);
            l0 = Fma.MultiplyAdd(x, lo, l0); h0 = Fma.MultiplyAdd(x, hi, h0);
            x = Vector256.Create(a1[k]);
            l1 = Fma.MultiplyAdd(x, lo, l1); h1 = Fma.MultiplyAdd(x, hi, h1);
            x = Vector256.Create(a2[k]);
            l2 = Fma.MultiplyAdd(x, lo, l2); h2 = Fma.MultiplyAdd(x, hi, h2);
            x = Vector256.Create(a3[k]);
            l3 = Fma.MultiplyAdd(x, lo, l3); h3 = Fma.MultiplyAdd(x, hi, h3);
            x = Vector256.Create(a4[k]);
            l4 = Fma.MultiplyAdd(x, lo, l4); h4 = Fma.MultiplyAdd(x, hi, h4);
            x = Vector256.Create(a5[k]);
            l5 = Fma.MultiplyAdd(x, lo, l5); h5 = Fma.MultiplyAdd(x, hi, h5);
            b += 16;
        }
        l0.Store(p0); h0.Store(p0 + 8);
        l1.Store(p1); h1.Store(p1 + 8);
        l2.Store(p2); h2.Store(p2 + 8);
        l3.Store(p3); h3.Store(p3 + 8);
        l4.Store(p4); h4.Store(p4 + 8);
        l5.Store(p5); h5.Store(p5 + 8);
    }
}
