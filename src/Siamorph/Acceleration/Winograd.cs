using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Siamorph.Acceleration;

/// <summary>
/// Convolution 3×3, stride 1, padding 1 by Winograd's minimal filtering F(4×4, 3×3) (Lavin and Gray, arXiv 1509.09308):
/// 36 products for 16 outputs instead of 144. Pixels are rows of channels (NHWC).
/// </summary>
internal static unsafe partial class Winograd
{
    internal const int Points = 36;
    private const int Tile = 4;
    private const int Patch = 6;

    /// <summary>True where the kernel applies: channels in whole vectors.</summary>
    public static bool Fits(int inChannels, int outChannels) => inChannels % 8 == 0 && outChannels % 8 == 0;

    internal static nint WeightsLength(int inChannels, int outChannels) =>
        (nint)Points * inChannels * PackedMatrix.PanelsOf(outChannels) * PackedMatrix.PanelWidth;

    /// <summary>Transforms filters into 36 packed matrices [in, out].</summary>
    /// <param name="filters">Element (o, i, tap) at o·<paramref name="outStride"/> + i·<paramref name="inStride"/> + tap.</param>
    /// <param name="inChannels">Number of input channels.</param>
    /// <param name="outChannels">Number of output channels.</param>
    /// <param name="outStride">9·in for filters [out, in, 3, 3].</param>
    /// <param name="inStride">9 for filters [out, in, 3, 3].</param>
    /// <param name="turned">True turns each filter by 180°, for the gradient of the input.</param>
    /// <param name="target">Room for <see cref="WeightsLength"/> floats.</param>
    public static void TransformWeights(
        float* filters, int inChannels, int outChannels, nint outStride, nint inStride, bool turned, float* target)
    {
        if (outChannels % PackedMatrix.PanelWidth != 0)
            NativeMemory.Clear(target, (nuint)WeightsLength(inChannels, outChannels) * sizeof(float));
        Workers.For(outChannels / 8, block =>
            TransformBlock(filters + block * 8 * outStride, inChannels, outStride, inStride, turned,
                target + ((nint)(block / 2) * inChannels * 16 + block % 2 * 8),
                (nint)inChannels * PackedMatrix.PanelsOf(outChannels) * 16));
    }

    // Eight output channels. The taps of a few input channels are transposed first, then transformed eight at a time.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransformBlock(
        float* filters, int inChannels, nint outStride, nint inStride, bool turned, float* target, nint plane)
    {
        const int Together = 8, Taps = 9;
        var taps = stackalloc float[Together * Taps * 8];
        var half = stackalloc Vector256<float>[18];
        for (var first = 0; first < inChannels; first += Together) // inChannels is a multiple of 8
        {
            for (var o = 0; o < 8; o++)
            {
                for (var i = 0; i < Together; i++)
                {
                    var from = filters + o * outStride + (first + i) * inStride;
                    var to = taps + i * Taps * 8 + o;
                    if (turned) for (var t = 0; t < Taps; t++) to[t * 8] = from[8 - t];
                    else for (var t = 0; t < Taps; t++) to[t * 8] = from[t];
                }
            }
            for (var i = 0; i < Together; i++, target += 16)
            {
                var g = taps + i * Taps * 8;
                for (var x = 0; x < 3; x++)
                    Filter(Vector256.Load(g + x * 8), Vector256.Load(g + (3 + x) * 8), Vector256.Load(g + (6 + x) * 8),
                        (float*)(half + x), 3 * 8);
                for (var y = 0; y < Patch; y++)
                    Filter(half[y * 3], half[y * 3 + 1], half[y * 3 + 2], target + y * Patch * plane, plane);
            }
        }
    }

    /// <summary>
    /// y = convolution of x + bias (+ shift [samples, out]) (+ addend), and its SiLU to <paramref name="activated"/> if any; x
    /// [samples, height, width, in], the others [samples, height, width, out].
    /// </summary>
    public static void Run(in ConvShape shape, float* x, float* weights, float* y, float* bias, float* addend = null,
        float* activated = null, float* shift = null)
    {
        var s = shape;
        var tiles = s.Samples * TilesOf(s.Height) * TilesOf(s.Width);
        var chunk = Math.Min(tiles, ChunkOf(s.InChannels, s.OutChannels));
        Workers.For((tiles + chunk - 1) / chunk, task =>
        {
            var first = task * chunk;
            var count = Math.Min(chunk, tiles - first);
            var wide = PackedMatrix.PanelsOf(s.OutChannels) * PackedMatrix.PanelWidth;
            var v = Scratch.Get(0, (nint)Points * count * s.InChannels);
            var m = Scratch.Get(1, (nint)Points * count * wide);
            TransformInput(s, x, first, count, v, (nint)count * s.InChannels);
            for (var p = 0; p < Points; p++)
            {
                Gemm.Run(count, v + (nint)p * count * s.InChannels, s.InChannels, weights + (nint)p * s.InChannels * wide,
                    s.InChannels,
                    wide, m + (nint)p * count * wide, wide, null, false);
            }
            TransformOutput(s, m, wide, first, count, y, bias, addend, activated, shift);
            Sse.StoreFence(); // what was written past the caches is there for the next to read
        });
    }

    internal static int TilesOf(int pixels) => (pixels + Tile - 1) / Tile;

    // Few tiles keep the transformed data in the second-level cache, many let each weight be used more often.
    private static int ChunkOf(int inChannels, int outChannels) => Gemm.IsWide
        ? Math.Clamp((inChannels + outChannels) / 8 / 8 * 8, 16, 48)
        : Math.Clamp((inChannels + outChannels) / 8 / 6 * 6, 12, 48);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void TransformInput(in ConvShape s, float* x, int first, int count, float* v, nint plane)
    {
        int across = TilesOf(s.Width), down = TilesOf(s.Height);
        var channels = s.InChannels;
        var zeros = Scratch.Zeros(channels);
        var pixel = stackalloc float*[Points];
        var half = stackalloc Vector256<float>[Points];
        for (var i = 0; i < count; i++)
        {
            var t = first + i;
            int tx = t % across * Tile - 1, ty = t / across % down * Tile - 1;
            var image = x + (nint)(t / (across * down)) * s.Height * s.Width * channels;
            for (var dy = 0; dy < Patch; dy++)
            {
                for (var dx = 0; dx < Patch; dx++)
                {
                    int py = ty + dy, px = tx + dx;
                    var inside = (uint)py < (uint)s.Height && (uint)px < (uint)s.Width;
                    pixel[dy * Patch + dx] = inside ? image + ((nint)py * s.Width + px) * channels : zeros;
                }
            }
            if (IsWide(channels))
            {
                WideInputTile(pixel, channels, v + (nint)i * channels, plane);
                continue;
            }
            for (nint c = 0; c < channels; c += 8)
            {
                for (var dx = 0; dx < Patch; dx++)
                {
                    Data(Vector256.Load(pixel[dx] + c), Vector256.Load(pixel[6 + dx] + c), Vector256.Load(pixel[12 + dx] + c),
                        Vector256.Load(pixel[18 + dx] + c), Vector256.Load(pixel[24 + dx] + c),
                        Vector256.Load(pixel[30 + dx] + c),
                        (float*)(half + dx), 6 * 8);
                }
                var target = v + (nint)i * channels + c;
                for (var dy = 0; dy < Patch; dy++, target += Patch * plane)
                {
                    var h = half + dy * Patch;
                    Data(h[0], h[1], h[2], h[3], h[4], h[5], target, plane);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransformOutput(
        in ConvShape s, float* m, int wide, int first, int count, float* y, float* bias, float* addend, float* activated,
        float* shift)
    {
        int across = TilesOf(s.Width), down = TilesOf(s.Height);
        var channels = s.OutChannels;
        var streams = Streams(s, y, activated);
        var half = stackalloc Vector256<float>[24];
        var row = stackalloc Vector256<float>[4];
        var plane = (nint)count * wide;
        for (var i = 0; i < count; i++)
        {
            var t = first + i;
            int px = t % across * Tile, py = t / across % down * Tile, sample = t / (across * down);
            int width = Math.Min(Tile, s.Width - px), height = Math.Min(Tile, s.Height - py);
            var offset = (((nint)sample * s.Height + py) * s.Width + px) * channels;
            if (IsWide(channels))
            {
                WideOutputTile(m + (nint)i * wide, plane, channels, width, height, y + offset, (nint)s.Width * channels, bias,
                    addend == null ? null : addend + offset, activated == null ? null : activated + offset,
                    shift == null ? null : shift + (nint)sample * channels, streams);
                continue;
            }
            for (nint c = 0; c < channels; c += 8)
            {
                var source = m + (nint)i * wide + c;
                for (var dx = 0; dx < Patch; dx++, source += plane)
                {
                    Result(Vector256.Load(source), Vector256.Load(source + 6 * plane), Vector256.Load(source + 12 * plane),
                        Vector256.Load(source + 18 * plane), Vector256.Load(source + 24 * plane),
                        Vector256.Load(source + 30 * plane), half + dx, 6);
                }
                var constant = bias == null ? Vector256<float>.Zero : Vector256.Load(bias + c);
                if (shift != null) constant += Vector256.Load(shift + (nint)sample * channels + c);
                for (var dy = 0; dy < height; dy++)
                {
                    var h = half + dy * Patch;
                    Result(h[0], h[1], h[2], h[3], h[4], h[5], row, 1);
                    var at = offset + (nint)dy * s.Width * channels + c;
                    for (var dx = 0; dx < width; dx++, at += channels)
                    {
                        var value = row[dx] + constant;
                        if (addend != null) value += Vector256.Load(addend + at);
                        value.Store(y + at);
                        if (activated != null) VectorMath.Silu(value).Store(activated + at);
                    }
                }
            }
        }
    }

    // The points 0, ±P, ±Q and ∞ at which the products are taken. 5/8 and 3/2 would lose half as many digits on noise, but with a
    // point at 1 the areas of one colour, most of a mask, come out exactly: there all other products are zero.
    private const float P = 1, Q = 2, PP = P * P, QQ = Q * Q;
    private const float N0 = (float)(1 / ((double)PP * QQ)), NP = (float)(1 / (2 * (double)PP * (PP - QQ))),
        NQ = (float)(1 / (2 * (double)QQ * (QQ - PP)));

    // One dimension of the filter transform G·g.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Filter(Vector256<float> a, Vector256<float> b, Vector256<float> c, float* to, nint stride)
    {
        (a * N0).Store(to);
        var even = Fma.MultiplyAdd(c, Vector256.Create(PP * NP), a * NP);
        var odd = b * (P * NP);
        (even + odd).Store(to + stride);
        (even - odd).Store(to + 2 * stride);
        even = Fma.MultiplyAdd(c, Vector256.Create(QQ * NQ), a * NQ);
        odd = b * (Q * NQ);
        (even + odd).Store(to + 3 * stride);
        (even - odd).Store(to + 4 * stride);
        c.Store(to + 5 * stride);
    }

    // One dimension of the data transform Bᵀ·d.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Data(Vector256<float> a, Vector256<float> b, Vector256<float> c, Vector256<float> d, Vector256<float> e,
        Vector256<float> f,
        float* to, nint stride)
    {
        Vector256<float> product = Vector256.Create(PP * QQ), sum = Vector256.Create(PP + QQ), pp = Vector256.Create(PP),
        qq = Vector256.Create(QQ);
        Fma.MultiplyAddNegated(sum, c, Fma.MultiplyAdd(product, a, e)).Store(to);
        var even = Fma.MultiplyAddNegated(qq, c, e);
        var odd = Fma.MultiplyAddNegated(qq, b, d) * P;
        (even + odd).Store(to + stride);
        (even - odd).Store(to + 2 * stride);
        even = Fma.MultiplyAddNegated(pp, c, e);
        odd = Fma.MultiplyAddNegated(pp, b, d) * Q;
        (even + odd).Store(to + 3 * stride);
        (even - odd).Store(to + 4 * stride);
        Fma.MultiplyAddNegated(sum, d, Fma.MultiplyAdd(product, b, f)).Store(to + 5 * stride);
    }

    // One dimension of the result transform Aᵀ·m.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Result(Vector256<float> a, Vector256<float> b, Vector256<float> c, Vector256<float> d, Vector256<float> e,
        Vector256<float> f,
        Vector256<float>* to, int stride)
    {
        Vector256<float> sum = b + c, difference = b - c, sum2 = d + e, difference2 = d - e;
        to[0] = a + sum + sum2;
        to[stride] = Fma.MultiplyAdd(difference2, Vector256.Create(Q), difference * P);
        to[2 * stride] = Fma.MultiplyAdd(sum2, Vector256.Create(QQ), sum * PP);
        to[3 * stride] = Fma.MultiplyAdd(difference2, Vector256.Create(QQ * Q),
            Fma.MultiplyAdd(difference, Vector256.Create(PP * P), f));
    }
}
