using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Siamorph.Acceleration;

// The transforms of one tile in vectors of sixteen floats, where the processor has them and channels are multiples of sixteen:
// the same operations in the same order as with eight, so the same results to the last bit.
internal static unsafe partial class Winograd
{
    private static bool IsWide(int channels) => Gemm.IsWide && channels % 16 == 0;

    // A map larger than the caches is written past them: else each of its lines is first read, to be overwritten as a whole.
    private const long LeastStreamed = 8 << 20; // bytes

    private static bool Streams(in ConvShape s, float* y, float* activated) => IsWide(s.OutChannels)
        && s.Pixels * s.OutChannels * sizeof(float) >= LeastStreamed && ((nint)y | (nint)activated) % 64 == 0;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void WideInputTile(float** pixel, int channels, float* v, nint plane)
    {
        var half = stackalloc Vector512<float>[Points];
        for (nint c = 0; c < channels; c += 16)
        {
            for (var dx = 0; dx < Patch; dx++)
            {
                WideData(Vector512.Load(pixel[dx] + c), Vector512.Load(pixel[6 + dx] + c), Vector512.Load(pixel[12 + dx] + c),
                    Vector512.Load(pixel[18 + dx] + c), Vector512.Load(pixel[24 + dx] + c), Vector512.Load(pixel[30 + dx] + c),
                    (float*)(half + dx), 6 * 16);
            }
            var target = v + c;
            for (var dy = 0; dy < Patch; dy++, target += Patch * plane)
            {
                var h = half + dy * Patch;
                WideData(h[0], h[1], h[2], h[3], h[4], h[5], target, plane);
            }
        }
    }

    // The whole of it: y is where the tile's first pixel begins, row the floats from one row of pixels to the next.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void WideOutputTile(
        float* m, nint plane, int channels, int width, int height, float* y, nint row, float* bias, float* addend,
        float* activated, float* shift, bool streams)
    {
        var half = stackalloc Vector512<float>[24];
        var four = stackalloc Vector512<float>[4];
        for (nint c = 0; c < channels; c += 16)
        {
            var source = m + c;
            for (var dx = 0; dx < Patch; dx++, source += plane)
            {
                WideResult(Vector512.Load(source), Vector512.Load(source + 6 * plane), Vector512.Load(source + 12 * plane),
                    Vector512.Load(source + 18 * plane), Vector512.Load(source + 24 * plane), Vector512.Load(source + 30 * plane),
                    half + dx, 6);
            }
            var constant = bias == null ? Vector512<float>.Zero : Vector512.Load(bias + c);
            if (shift != null) constant += Vector512.Load(shift + c);
            for (var dy = 0; dy < height; dy++)
            {
                var h = half + dy * Patch;
                WideResult(h[0], h[1], h[2], h[3], h[4], h[5], four, 1);
                var at = dy * row + c;
                for (var dx = 0; dx < width; dx++, at += channels)
                {
                    var value = four[dx] + constant;
                    if (addend != null) value += Vector512.Load(addend + at);
                    Put(value, y + at, streams);
                    if (activated != null) Put(VectorMath.Silu(value), activated + at, streams);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(Vector512<float> value, float* to, bool streams)
    {
        if (streams) value.StoreAlignedNonTemporal(to);
        else value.Store(to);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void WideGradientTile(float** pixel, int channels, float* d, nint plane)
    {
        var half = stackalloc Vector512<float>[24];
        for (nint c = 0; c < channels; c += 16)
        {
            for (var dx = 0; dx < 4; dx++)
            {
                WideResultGradient(Vector512.Load(pixel[dx] + c), Vector512.Load(pixel[4 + dx] + c),
                    Vector512.Load(pixel[8 + dx] + c),
                    Vector512.Load(pixel[12 + dx] + c), (float*)(half + dx), 4 * 16);
            }
            var target = d + c;
            for (var row = 0; row < Patch; row++, target += Patch * plane)
            {
                var h = half + row * 4;
                WideResultGradient(h[0], h[1], h[2], h[3], target, plane);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void WideData(Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d,
        Vector512<float> e, Vector512<float> f,
        float* to, nint stride)
    {
        Vector512<float> product = Vector512.Create(PP * QQ), sum = Vector512.Create(-(PP + QQ)), pp = Vector512.Create(-PP),
        qq = Vector512.Create(-QQ);
        Vector512.FusedMultiplyAdd(sum, c, Vector512.FusedMultiplyAdd(product, a, e)).Store(to);
        var even = Vector512.FusedMultiplyAdd(qq, c, e);
        var odd = Vector512.FusedMultiplyAdd(qq, b, d) * P;
        (even + odd).Store(to + stride);
        (even - odd).Store(to + 2 * stride);
        even = Vector512.FusedMultiplyAdd(pp, c, e);
        odd = Vector512.FusedMultiplyAdd(pp, b, d) * Q;
        (even + odd).Store(to + 3 * stride);
        (even - odd).Store(to + 4 * stride);
        Vector512.FusedMultiplyAdd(sum, d, Vector512.FusedMultiplyAdd(product, b, f)).Store(to + 5 * stride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void WideResult(
        Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d, Vector512<float> e, Vector512<float> f,
        Vector512<float>* to, int stride)
    {
        Vector512<float> sum = b + c, difference = b - c, sum2 = d + e, difference2 = d - e;
        to[0] = a + sum + sum2;
        to[stride] = Vector512.FusedMultiplyAdd(difference2, Vector512.Create(Q), difference * P);
        to[2 * stride] = Vector512.FusedMultiplyAdd(sum2, Vector512.Create(QQ), sum * PP);
        to[3 * stride] = Vector512.FusedMultiplyAdd(difference2, Vector512.Create(QQ * Q),
            Vector512.FusedMultiplyAdd(difference, Vector512.Create(PP * P), f));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void WideResultGradient(
        Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d, float* to, nint stride)
    {
        a.Store(to);
        var even = Vector512.FusedMultiplyAdd(c, Vector512.Create(PP), a);
        var odd = Vector512.FusedMultiplyAdd(d, Vector512.Create(PP * P), b * P);
        (even + odd).Store(to + stride);
        (even - odd).Store(to + 2 * stride);
        even = Vector512.FusedMultiplyAdd(c, Vector512.Create(QQ), a);
        odd = Vector512.FusedMultiplyAdd(d, Vector512.Create(QQ * Q), b * Q);
        (even + odd).Store(to + 3 * stride);
        (even - odd).Store(to + 4 * stride);
        d.Store(to + 5 * stride);
    }
}
