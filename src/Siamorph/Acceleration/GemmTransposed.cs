using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Siamorph.Acceleration;

internal static unsafe partial class Gemm
{
    /// <summary>
    /// C (+)= Aᵀ·B over <paramref name="depth"/> rows, A [depth, rows], B [depth, columns], all row-major;
    /// <paramref name="columns"/> is a multiple of 16. This is the shape of weight gradients.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RunTransposed(
        int rows, float* a, nint lda, float* b, nint ldb, int depth, int columns, float* c, nint ldc, bool accumulate)
    {
        for (var k0 = 0; k0 < depth; k0 += DepthBlock)
        {
            var k = Math.Min(DepthBlock, depth - k0);
            for (var n = 0; n < columns; n += 16)
            {
                var m = 0;
                if (IsWide && columns - n >= 32 && rows % WideRows == 0)
                {
                    for (; m < rows; m += WideRows)
                        WideTransposedPair(k, a + k0 * lda + m, lda, b + k0 * ldb + n, ldb, c + m * ldc + n, ldc,
                            accumulate || k0 > 0);
                    n += 16;
                    continue;
                }
                if (IsWide)
                {
                    for (; m + WideRows <= rows; m += WideRows)
                        WideTransposed(k, a + k0 * lda + m, lda, b + k0 * ldb + n, ldb, c + m * ldc + n, ldc,
                            accumulate || k0 > 0);
                }
                for (; m < rows; m += TileRows)
                {
                    TileTransposed(Math.Min(TileRows, rows - m), k, a + k0 * lda + m, lda, b + k0 * ldb + n, ldb, c
                        + m * ldc + n, ldc,
                        accumulate || k0 > 0);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TileTransposed(
        int rows, int depth, float* a, nint lda, float* b, nint ldb, float* p0, nint ldc, bool accumulate)
    {
        var last = rows - 1;
        nint i1 = Math.Min(1, last), i2 = Math.Min(2, last), i3 = Math.Min(3, last), i4 = Math.Min(4, last),
            i5 = Math.Min(5, last);
        float* p1 = p0 + i1 * ldc, p2 = p0 + i2 * ldc, p3 = p0 + i3 * ldc, p4 = p0 + i4 * ldc, p5 = p0 + i5 * ldc;
        Vector256<float> l0, l1, l2, l3, l4, l5, h0, h1, h2, h3, h4, h5;
        l0 = l1 = l2 = l3 = l4 = l5 = h0 = h1 = h2 = h3 = h4 = h5 = Vector256<float>.Zero;
        if (accumulate)
        {
            l0 = Vector256.Load(p0); h0 = Vector256.Load(p0 + 8);
            l1 = Vector256.Load(p1); h1 = Vector256.Load(p1 + 8);
            l2 = Vector256.Load(p2); h2 = Vector256.Load(p2 + 8);
            l3 = Vector256.Load(p3); h3 = Vector256.Load(p3 + 8);
            l4 = Vector256.Load(p4); h4 = Vector256.Load(p4 + 8);
            l5 = Vector256.Load(p5); h5 = Vector256.Load(p5 + 8);
        }
        for (var k = 0; k < depth; k++)
        {
            var lo = Vector256.Load(b);
            var hi = Vector256.Load(b + 8);
            var x = Vector256.Create(*a);
            l0 = Fma.MultiplyAdd(x, lo, l0); h0 = Fma.MultiplyAdd(x, hi, h0);
            x = Vector256.Create(a[i1]);
            l1 = Fma.MultiplyAdd(x, lo, l1); h1 = Fma.MultiplyAdd(x, hi, h1);
            x = Vector256.Create(a[i2]);
            l2 = Fma.MultiplyAdd(x, lo, l2); h2 = Fma.MultiplyAdd(x, hi, h2);
            x = Vector256.Create(a[i3]);
            l3 = Fma.MultiplyAdd(x, lo, l3); h3 = Fma.MultiplyAdd(x, hi, h3);
            x = Vector256.Create(a[i4]);
            l4 = Fma.MultiplyAdd(x, lo, l4); h4 = Fma.MultiplyAdd(x, hi, h4);
            x = Vector256.Create(a[i5]);
            l5 = Fma.MultiplyAdd(x, lo, l5); h5 = Fma.MultiplyAdd(x, hi, h5);
            a += lda;
            b += ldb;
        }
        l0.Store(p0); h0.Store(p0 + 8);
        l1.Store(p1); h1.Store(p1 + 8);
        l2.Store(p2); h2.Store(p2 + 8);
        l3.Store(p3); h3.Store(p3 + 8);
        l4.Store(p4); h4.Store(p4 + 8);
        l5.Store(p5); h5.Store(p5 + 8);
    }
}
