using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Siamorph.Acceleration;

// The same tiles in vectors of sixteen floats, where the processor has them: eight rows by one panel or two. Each element is
// summed in the same order as with eight floats, so the results are the same to the last bit.
internal static unsafe partial class Gemm
{
    /// <summary>Whether vectors of sixteen floats are used.</summary>
    internal static readonly bool IsWide = Vector512.IsHardwareAccelerated;

    private const int WideRows = 8;

    // Rows past the end repeat the last one, as in Tile.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void WideTile(int rows, int depth, float* a0, nint lda, float* b, float* p0, nint ldc, float* bias,
        bool accumulate)
    {
        var last = rows - 1;
        float* a1 = a0 + Math.Min(1, last) * lda, a2 = a0 + Math.Min(2, last) * lda, a3 = a0 + Math.Min(3, last) * lda, a4 = a0
            + Math.Min(4, last) * lda;
        float* a5 = a0 + Math.Min(5, last) * lda, a6 = a0 + Math.Min(6, last) * lda, a7 = a0 + Math.Min(7, last) * lda;
        Vector512<float> c0, c1, c2, c3, c4, c5, c6, c7;
        c0 = c1 = c2 = c3 = c4 = c5 = c6 = c7 = bias != null ? Vector512.Load(bias) : Vector512<float>.Zero;
        if (accumulate)
        {
            c0 += Vector512.Load(p0);
            c1 += Vector512.Load(p0 + Math.Min(1, last) * ldc);
            c2 += Vector512.Load(p0 + Math.Min(2, last) * ldc);
            c3 += Vector512.Load(p0 + Math.Min(3, last) * ldc);
            c4 += Vector512.Load(p0 + Math.Min(4, last) * ldc);
            c5 += Vector512.Load(p0 + Math.Min(5, last) * ldc);
            c6 += Vector512.Load(p0 + Math.Min(6, last) * ldc);
            c7 += Vector512.Load(p0 + Math.Min(7, last) * ldc);
        }
        for (nint k = 0; k < depth; k++)
        {
            var row = Vector512.Load(b);
            c0 = Vector512.FusedMultiplyAdd(Vector512.Create(a0[k]), row, c0);
            c1 = Vector512.FusedMultiplyAdd(Vector512.Create(a1[k]), row, c1);
            c2 = Vector512.FusedMultiplyAdd(Vector512.Create(a2[k]), row, c2);
            c3 = Vector512.FusedMultiplyAdd(Vector512.Create(a3[k]), row, c3);
            c4 = Vector512.FusedMultiplyAdd(Vector512.Create(a4[k]), row, c4);
            c5 = Vector512.FusedMultiplyAdd(Vector512.Create(a5[k]), row, c5);
            c6 = Vector512.FusedMultiplyAdd(Vector512.Create(a6[k]), row, c6);
            c7 = Vector512.FusedMultiplyAdd(Vector512.Create(a7[k]), row, c7);
            b += 16;
        }
        c0.Store(p0);
        c1.Store(p0 + Math.Min(1, last) * ldc);
        c2.Store(p0 + Math.Min(2, last) * ldc);
        c3.Store(p0 + Math.Min(3, last) * ldc);
        c4.Store(p0 + Math.Min(4, last) * ldc);
        c5.Store(p0 + Math.Min(5, last) * ldc);
        c6.Store(p0 + Math.Min(6, last) * ldc);
        c7.Store(p0 + Math.Min(7, last) * ldc);
    }

    // Two panels of B, the second one `next` floats behind the first.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void WidePair(int rows, int depth, float* a0, nint lda, float* b, nint next, float* p0, nint ldc, float* bias,
        bool accumulate)
    {
        var last = rows - 1;
        float* a1 = a0 + Math.Min(1, last) * lda, a2 = a0 + Math.Min(2, last) * lda, a3 = a0 + Math.Min(3, last) * lda, a4 = a0
            + Math.Min(4, last) * lda;
        float* a5 = a0 + Math.Min(5, last) * lda, a6 = a0 + Math.Min(6, last) * lda, a7 = a0 + Math.Min(7, last) * lda;
        Vector512<float> c0, c1, c2, c3, c4, c5, c6, c7, d0, d1, d2, d3, d4, d5, d6, d7;
        c0 = c1 = c2 = c3 = c4 = c5 = c6 = c7 = bias != null ? Vector512.Load(bias) : Vector512<float>.Zero;
        d0 = d1 = d2 = d3 = d4 = d5 = d6 = d7 = bias != null ? Vector512.Load(bias + 16) : Vector512<float>.Zero;
        if (accumulate)
        {
            var p = p0;
            c0 += Vector512.Load(p); d0 += Vector512.Load(p + 16);
            p = p0 + Math.Min(1, last) * ldc; c1 += Vector512.Load(p); d1 += Vector512.Load(p + 16);
            p = p0 + Math.Min(2, last) * ldc; c2 += Vector512.Load(p); d2 += Vector512.Load(p + 16);
            p = p0 + Math.Min(3, last) * ldc; c3 += Vector512.Load(p); d3 += Vector512.Load(p + 16);
            p = p0 + Math.Min(4, last) * ldc; c4 += Vector512.Load(p); d4 += Vector512.Load(p + 16);
            p = p0 + Math.Min(5, last) * ldc; c5 += Vector512.Load(p); d5 += Vector512.Load(p + 16);
            p = p0 + Math.Min(6, last) * ldc; c6 += Vector512.Load(p); d6 += Vector512.Load(p + 16);
            p = p0 + Math.Min(7, last) * ldc; c7 += Vector512.Load(p); d7 += Vector512.Load(p + 16);
        }
        for (nint k = 0; k < depth; k++)
        {
            var lo = Vector512.Load(b);
            var hi = Vector512.Load(b + next);
            var x = Vector512.Create(a0[k]);
            c0 = Vector512.FusedMultiplyAdd(x, lo, c0); d0 = Vector512.FusedMultiplyAdd(x, hi, d0);
            x = Vector512.Create(a1[k]);
            c1 = Vector512.FusedMultiplyAdd(x, lo, c1); d1 = Vector512.FusedMultiplyAdd(x, hi, d1);
            x = Vector512.Create(a2[k]);
            c2 = Vector512.FusedMultiplyAdd(x, lo, c2); d2 = Vector512.FusedMultiplyAdd(x, hi, d2);
            x = Vector512.Create(a3[k]);
            c3 = Vector512.FusedMultiplyAdd(x, lo, c3); d3 = Vector512.FusedMultiplyAdd(x, hi, d3);
            x = Vector512.Create(a4[k]);
            c4 = Vector512.FusedMultiplyAdd(x, lo, c4); d4 = Vector512.FusedMultiplyAdd(x, hi, d4);
            x = Vector512.Create(a5[k]);
            c5 = Vector512.FusedMultiplyAdd(x, lo, c5); d5 = Vector512.FusedMultiplyAdd(x, hi, d5);
            x = Vector512.Create(a6[k]);
            c6 = Vector512.FusedMultiplyAdd(x, lo, c6); d6 = Vector512.FusedMultiplyAdd(x, hi, d6);
            x = Vector512.Create(a7[k]);
            c7 = Vector512.FusedMultiplyAdd(x, lo, c7); d7 = Vector512.FusedMultiplyAdd(x, hi, d7);
            b += 16;
        }
        var to = p0;
        c0.Store(to); d0.Store(to + 16);
        to = p0 + Math.Min(1, last) * ldc; c1.Store(to); d1.Store(to + 16);
        to = p0 + Math.Min(2, last) * ldc; c2.Store(to); d2.Store(to + 16);
        to = p0 + Math.Min(3, last) * ldc; c3.Store(to); d3.Store(to + 16);
        to = p0 + Math.Min(4, last) * ldc; c4.Store(to); d4.Store(to + 16);
        to = p0 + Math.Min(5, last) * ldc; c5.Store(to); d5.Store(to + 16);
        to = p0 + Math.Min(6, last) * ldc; c6.Store(to); d6.Store(to + 16);
        to = p0 + Math.Min(7, last) * ldc; c7.Store(to); d7.Store(to + 16);
    }

    // Rows of the transposed left side lie one after the other, so one address serves all; eight rows by sixteen columns, all of
    // them there.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void WideTransposed(int depth, float* a, nint lda, float* b, nint ldb, float* p0, nint ldc, bool accumulate)
    {
        Vector512<float> c0, c1, c2, c3, c4, c5, c6, c7;
        c0 = c1 = c2 = c3 = c4 = c5 = c6 = c7 = Vector512<float>.Zero;
        if (accumulate)
        {
            c0 = Vector512.Load(p0);
            c1 = Vector512.Load(p0 + ldc);
            c2 = Vector512.Load(p0 + 2 * ldc);
            c3 = Vector512.Load(p0 + 3 * ldc);
            c4 = Vector512.Load(p0 + 4 * ldc);
            c5 = Vector512.Load(p0 + 5 * ldc);
            c6 = Vector512.Load(p0 + 6 * ldc);
            c7 = Vector512.Load(p0 + 7 * ldc);
        }
        for (var k = 0; k < depth; k++)
        {
            var row = Vector512.Load(b);
            c0 = Vector512.FusedMultiplyAdd(Vector512.Create(a[0]), row, c0);
            c1 = Vector512.FusedMultiplyAdd(Vector512.Create(a[1]), row, c1);
            c2 = Vector512.FusedMultiplyAdd(Vector512.Create(a[2]), row, c2);
            c3 = Vector512.FusedMultiplyAdd(Vector512.Create(a[3]), row, c3);
            c4 = Vector512.FusedMultiplyAdd(Vector512.Create(a[4]), row, c4);
            c5 = Vector512.FusedMultiplyAdd(Vector512.Create(a[5]), row, c5);
            c6 = Vector512.FusedMultiplyAdd(Vector512.Create(a[6]), row, c6);
            c7 = Vector512.FusedMultiplyAdd(Vector512.Create(a[7]), row, c7);
            a += lda;
            b += ldb;
        }
        c0.Store(p0);
        c1.Store(p0 + ldc);
        c2.Store(p0 + 2 * ldc);
        c3.Store(p0 + 3 * ldc);
        c4.Store(p0 + 4 * ldc);
        c5.Store(p0 + 5 * ldc);
        c6.Store(p0 + 6 * ldc);
        c7.Store(p0 + 7 * ldc);
    }

    // Two panels' worth of columns.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void WideTransposedPair(
        int depth, float* a, nint lda, float* b, nint ldb, float* p0, nint ldc, bool accumulate)
    {
        Vector512<float> c0, c1, c2, c3, c4, c5, c6, c7, d0, d1, d2, d3, d4, d5, d6, d7;
        c0 = c1 = c2 = c3 = c4 = c5 = c6 = c7 = d0 = d1 = d2 = d3 = d4 = d5 = d6 = d7 = Vector512<float>.Zero;
        if (accumulate)
        {
            var p = p0;
            c0 = Vector512.Load(p); d0 = Vector512.Load(p + 16); p += ldc;
            c1 = Vector512.Load(p); d1 = Vector512.Load(p + 16); p += ldc;
            c2 = Vector512.Load(p); d2 = Vector512.Load(p + 16); p += ldc;
            c3 = Vector512.Load(p); d3 = Vector512.Load(p + 16); p += ldc;
            c4 = Vector512.Load(p); d4 = Vector512.Load(p + 16); p += ldc;
            c5 = Vector512.Load(p); d5 = Vector512.Load(p + 16); p += ldc;
            c6 = Vector512.Load(p); d6 = Vector512.Load(p + 16); p += ldc;
            c7 = Vector512.Load(p); d7 = Vector512.Load(p + 16);
        }
        for (var k = 0; k < depth; k++)
        {
            var lo = Vector512.Load(b);
            var hi = Vector512.Load(b + 16);
            var x = Vector512.Create(a[0]);
            c0 = Vector512.FusedMultiplyAdd(x, lo, c0); d0 = Vector512.FusedMultiplyAdd(x, hi, d0);
            x = Vector512.Create(a[1]);
            c1 = Vector512.FusedMultiplyAdd(x, lo, c1); d1 = Vector512.FusedMultiplyAdd(x, hi, d1);
            x = Vector512.Create(a[2]);
            c2 = Vector512.FusedMultiplyAdd(x, lo, c2); d2 = Vector512.FusedMultiplyAdd(x, hi, d2);
            x = Vector512.Create(a[3]);
            c3 = Vector512.FusedMultiplyAdd(x, lo, c3); d3 = Vector512.FusedMultiplyAdd(x, hi, d3);
            x = Vector512.Create(a[4]);
            c4 = Vector512.FusedMultiplyAdd(x, lo, c4); d4 = Vector512.FusedMultiplyAdd(x, hi, d4);
            x = Vector512.Create(a[5]);
            c5 = Vector512.FusedMultiplyAdd(x, lo, c5); d5 = Vector512.FusedMultiplyAdd(x, hi, d5);
            x = Vector512.Create(a[6]);
            c6 = Vector512.FusedMultiplyAdd(x, lo, c6); d6 = Vector512.FusedMultiplyAdd(x, hi, d6);
            x = Vector512.Create(a[7]);
            c7 = Vector512.FusedMultiplyAdd(x, lo, c7); d7 = Vector512.FusedMultiplyAdd(x, hi, d7);
            a += lda;
            b += ldb;
        }
        var to = p0;
        c0.Store(to); d0.Store(to + 16); to += ldc;
        c1.Store(to); d1.Store(to + 16); to += ldc;
        c2.Store(to); d2.Store(to + 16); to += ldc;
        c3.Store(to); d3.Store(to + 16); to += ldc;
        c4.Store(to); d4.Store(to + 16); to += ldc;
        c5.Store(to); d5.Store(to + 16); to += ldc;
        c6.Store(to); d6.Store(to + 16); to += ldc;
        c7.Store(to); d7.Store(to + 16);
    }
}
