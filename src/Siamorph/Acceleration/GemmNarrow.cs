using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Siamorph.Acceleration;

// Products whose result has few columns, such as the width of an attention head: twelve rows by eight columns at a time,
// the right side read where it lies.
internal static unsafe partial class Gemm
{
    private const int NarrowRows = 12;

    /// <summary>
    /// C (+)= A·B over <paramref name="depth"/>; element (m, k) of A is at m·<paramref name="strideM"/> +
    /// k·<paramref name="strideK"/>, B and C are row-major, <paramref name="columns"/> a multiple of 8.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RunNarrow(int rows, float* a, nint strideM, nint strideK, float* b, nint ldb, int depth, int columns,
        float* c, nint ldc,
        bool accumulate)
    {
        for (var n = 0; n < columns; n += 8)
        {
            for (var m = 0; m < rows; m += NarrowRows)
                NarrowTile(Math.Min(NarrowRows, rows - m), a + m * strideM, strideM, strideK, b + n, ldb, depth, c + m * ldc + n,
                    ldc, accumulate);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void NarrowTile(
        int rows, float* a, nint strideM, nint strideK, float* b, nint ldb, int depth, float* c, nint ldc, bool accumulate)
    {
        var row = stackalloc float*[NarrowRows];
        for (var i = 0; i < NarrowRows; i++) row[i] = c + Math.Min(i, rows - 1) * ldc; // rows past the end repeat the last
        Vector256<float> c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, ca, cb;
        c0 = c1 = c2 = c3 = c4 = c5 = c6 = c7 = c8 = c9 = ca = cb = Vector256<float>.Zero;
        if (accumulate)
        {
            c0 = Vector256.Load(row[0]); c1 = Vector256.Load(row[1]); c2 = Vector256.Load(row[2]); c3 = Vector256.Load(row[3]);
            c4 = Vector256.Load(row[4]); c5 = Vector256.Load(row[5]); c6 = Vector256.Load(row[6]); c7 = Vector256.Load(row[7]);
            c8 = Vector256.Load(row[8]); c9 = Vector256.Load(row[9]); ca = Vector256.Load(row[10]); cb = Vector256.Load(row[11]);
        }
        if (rows == NarrowRows)
        {
            // Three addresses and multiples of one stride: the rest would not fit the registers.
            float* a1 = a + 3 * strideM, a2 = a + 6 * strideM, a3 = a + 9 * strideM;
            var twice = 2 * strideM;
            for (var k = 0; k < depth; k++)
            {
                var x = Vector256.Load(b);
                c0 = Fma.MultiplyAdd(Vector256.Create(a[0]), x, c0);
                c1 = Fma.MultiplyAdd(Vector256.Create(a[strideM]), x, c1);
                c2 = Fma.MultiplyAdd(Vector256.Create(a[twice]), x, c2);
                c3 = Fma.MultiplyAdd(Vector256.Create(a1[0]), x, c3);
                c4 = Fma.MultiplyAdd(Vector256.Create(a1[strideM]), x, c4);
                c5 = Fma.MultiplyAdd(Vector256.Create(a1[twice]), x, c5);
                c6 = Fma.MultiplyAdd(Vector256.Create(a2[0]), x, c6);
                c7 = Fma.MultiplyAdd(Vector256.Create(a2[strideM]), x, c7);
                c8 = Fma.MultiplyAdd(Vector256.Create(a2[twice]), x, c8);
                c9 = Fma.MultiplyAdd(Vector256.Create(a3[0]), x, c9);
                ca = Fma.MultiplyAdd(Vector256.Create(a3[strideM]), x, ca);
                cb = Fma.MultiplyAdd(Vector256.Create(a3[twice]), x, cb);
                a += strideK; a1 += strideK; a2 += strideK; a3 += strideK;
                b += ldb;
            }
        }
        else
        {
            var offset = stackalloc nint[NarrowRows];
            for (var i = 0; i < NarrowRows; i++) offset[i] = Math.Min(i, rows - 1) * strideM;
            for (var k = 0; k < depth; k++, a += strideK, b += ldb)
            {
                var x = Vector256.Load(b);
                c0 = Fma.MultiplyAdd(Vector256.Create(a[offset[0]]), x, c0);
                c1 = Fma.MultiplyAdd(Vector256.Create(a[offset[1]]), x, c1);
                c2 = Fma.MultiplyAdd(Vector256.Create(a[offset[2]]), x, c2);
                c3 = Fma.MultiplyAdd(Vector256.Create(a[offset[3]]), x, c3);
                c4 = Fma.MultiplyAdd(Vector256.Create(a[offset[4]]), x, c4);
                c5 = Fma.MultiplyAdd(Vector256.Create(a[offset[5]]), x, c5);
                c6 = Fma.MultiplyAdd(Vector256.Create(a[offset[6]]), x, c6);
                c7 = Fma.MultiplyAdd(Vector256.Create(a[offset[7]]), x, c7);
                c8 = Fma.MultiplyAdd(Vector256.Create(a[offset[8]]), x, c8);
                c9 = Fma.MultiplyAdd(Vector256.Create(a[offset[9]]), x, c9);
                ca = Fma.MultiplyAdd(Vector256.Create(a[offset[10]]), x, ca);
                cb = Fma.MultiplyAdd(Vector256.Create(a[offset[11]]), x, cb);
            }
        }
        c0.Store(row[0]); c1.Store(row[1]); c2.Store(row[2]); c3.Store(row[3]); c4.Store(row[4]); c5.Store(row[5]);
        c6.Store(row[6]); c7.Store(row[7]); c8.Store(row[8]); c9.Store(row[9]); ca.Store(row[10]); cb.Store(row[11]);
    }
}
