using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Siamorph.Acceleration;

// The gradient of the filters in the transformed domain: with y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A it is
// dg = Gᵀ[Σ over tiles (Bᵀ d B) ⊙ (A dy Aᵀ)]G: again 36 matrix products.
internal static unsafe partial class Winograd
{
    private const int TilesATask = 16;
    private const int MostParts = 16;
    private const int FloatsOfPart = 1 << 18; // 1 MiB of sums; more do not stay in the second-level cache

    /// <summary>dw [out, in, 3, 3] from x [samples, height, width, in] and dy [samples, height, width, out].</summary>
    public static void WeightGradient(in ConvShape shape, float* x, float* dy, float* dw)
    {
        var s = shape;
        var wide = PackedMatrix.PanelsOf(s.OutChannels) * PackedMatrix.PanelWidth;
        var sums = (nint)Points * s.InChannels * wide;
        var tiles = s.Samples * TilesOf(s.Height) * TilesOf(s.Width);
        var chunk = ChunkOfGradient(s.InChannels + wide);
        var parts = sums > FloatsOfPart ? 1 : Math.Clamp(tiles / (4 * chunk), 1, MostParts);
        using var du = new NativeBuffer(parts * sums);
        if (parts > 1) SumByParts(s, x, dy, wide, (tiles + parts - 1) / parts, chunk, du);
        else SumTogether(s, x, dy, wide, du);
        Workers.For(s.OutChannels / 8, block => TransformBack(s, block * 8, du.Data, wide, dw));
    }

    // As many transformed tiles as stay in the second-level cache beside their sums.
    private static int ChunkOfGradient(int channels) =>
        Math.Clamp((1 << 17) / Points / channels / TilesATask * TilesATask, TilesATask, 128);

    // Each part of the tiles has sums of its own, so no thread waits for another; the parts are the same for any number of
    // threads.
    private static void SumByParts(ConvShape s, float* x, float* dy, int wide, int tilesOfPart, int chunk, NativeBuffer du)
    {
        var sums = (nint)Points * s.InChannels * wide;
        var tiles = s.Samples * TilesOf(s.Height) * TilesOf(s.Width);
        var parts = (int)(du.Length / sums);
        Workers.For(parts, part =>
        {
            var own = du.Data + part * sums;
            var v = Scratch.Get(0, (nint)Points * chunk * s.InChannels);
            var d = Scratch.Get(1, (nint)Points * chunk * wide);
            int start = Math.Min(tiles, part * tilesOfPart), end = Math.Min(tiles, start + tilesOfPart);
            if (start == end) NativeMemory.Clear(own, (nuint)sums * sizeof(float));
            for (var first = start; first < end; first += chunk)
            {
                var count = Math.Min(chunk, end - first);
                TransformInput(s, x, first, count, v, (nint)chunk * s.InChannels);
                TransformOutputGradient(s, dy, wide, first, count, d, (nint)chunk * wide);
                for (var p = 0; p < Points; p++)
                {
                    Gemm.RunTransposed(s.InChannels, v + (nint)p * chunk * s.InChannels, s.InChannels,
                        d + (nint)p * chunk * wide, wide, count, wide, own + (nint)p * s.InChannels * wide, wide, first > start);
                }
            }
        });
        Workers.For(Points, p =>
        {
            var plane = (nint)s.InChannels * wide;
            var total = du.Data + p * plane;
            for (var part = 1; part < parts; part++)
            {
                var more = total + part * sums;
                for (nint i = 0; i < plane; i += 8) (Vector256.Load(total + i) + Vector256.Load(more + i)).Store(total + i);
            }
        });
    }

    // One thread takes as many transformed tiles at a time as stay in the second-level cache, or as many as there are sums of
    // them; several take 4 MB, since each time they wait for each other. A sum runs through all tiles in order either way.
    private static void SumTogether(ConvShape s, float* x, float* dy, int wide, NativeBuffer du)
    {
        var tiles = s.Samples * TilesOf(s.Height) * TilesOf(s.Width);
        var floats = TorchSharp.torch.get_num_threads() > 1 ? 1 << 20
            : Math.Clamp(2 * Points * s.InChannels * wide, 1 << 17, 1 << 20);
        var batch = Math.Min(tiles, Math.Max(TilesATask, floats / Points / (s.InChannels + wide) / TilesATask * TilesATask));
        using var v = new NativeBuffer((nint)Points * batch * s.InChannels);
        using var d = new NativeBuffer((nint)Points * batch * wide);
        for (var first = 0; first < tiles; first += batch)
        {
            int start = first, count = Math.Min(batch, tiles - first);
            Workers.For((count + TilesATask - 1) / TilesATask, task =>
            {
                int at = task * TilesATask, some = Math.Min(TilesATask, count - at);
                TransformInput(s, x, start + at, some, v.Data + (nint)at * s.InChannels, (nint)batch * s.InChannels);
                TransformOutputGradient(s, dy, wide, start + at, some, d.Data + (nint)at * wide, (nint)batch * wide);
            });
            Workers.For(Points, p => Gemm.RunTransposed(s.InChannels, v.Data + (nint)p * batch * s.InChannels, s.InChannels,
                d.Data + (nint)p * batch * wide, wide, count, wide, du.Data + (nint)p * s.InChannels * wide, wide, start > 0));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransformOutputGradient(in ConvShape s, float* dy, int wide, int first, int count, float* d, nint plane)
    {
        int across = TilesOf(s.Width), down = TilesOf(s.Height);
        var channels = s.OutChannels;
        var zeros = Scratch.Zeros(channels);
        var pixel = stackalloc float*[16];
        var half = stackalloc Vector256<float>[24];
        for (var i = 0; i < count; i++)
        {
            var t = first + i;
            int px = t % across * Tile, py = t / across % down * Tile;
            var image = dy + (nint)(t / (across * down)) * s.Height * s.Width * channels;
            for (var j = 0; j < 16; j++)
            {
                int row = py + j / 4, column = px + j % 4;
                pixel[j] = row < s.Height && column < s.Width ? image + ((nint)row * s.Width + column) * channels : zeros;
            }
            if (IsWide(channels))
            {
                WideGradientTile(pixel, channels, d + (nint)i * wide, plane);
                continue;
            }
            for (var c = 0; c < wide; c += 8)
            {
                var target = d + (nint)i * wide + c;
                if (c >= channels) // the panel's filling
                {
                    for (var p = 0; p < Points; p++) Vector256<float>.Zero.Store(target + p * plane);
                    continue;
                }
                for (var dx = 0; dx < 4; dx++)
                {
                    ResultGradient(Vector256.Load(pixel[dx] + c), Vector256.Load(pixel[4 + dx] + c),
                        Vector256.Load(pixel[8 + dx] + c),
                        Vector256.Load(pixel[12 + dx] + c), (float*)(half + dx), 4 * 8);
                }
                for (var row = 0; row < Patch; row++, target += Patch * plane)
                {
                    var h = half + row * 4;
                    ResultGradient(h[0], h[1], h[2], h[3], target, plane);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransformBack(in ConvShape s, int k, float* du, int wide, float* dw)
    {
        var half = stackalloc Vector256<float>[18];
        var taps = stackalloc float[9 * 8];
        var plane = (nint)s.InChannels * wide;
        for (nint c = 0; c < s.InChannels; c++)
        {
            var source = du + c * wide + k;
            for (var x = 0; x < Patch; x++, source += plane)
            {
                FilterGradient(Vector256.Load(source), Vector256.Load(source + 6 * plane), Vector256.Load(source + 12 * plane),
                    Vector256.Load(source + 18 * plane), Vector256.Load(source + 24 * plane), Vector256.Load(source + 30 * plane),
                    (float*)(half + x), 6 * 8);
            }
            for (var y = 0; y < 3; y++)
            {
                var h = half + y * 6;
                FilterGradient(h[0], h[1], h[2], h[3], h[4], h[5], taps + y * 3 * 8, 8);
            }
            for (var o = 0; o < 8; o++)
            {
                var target = dw + ((nint)(k + o) * s.InChannels + c) * 9;
                for (var t = 0; t < 9; t++) target[t] = taps[t * 8 + o];
            }
        }
    }

    // One dimension of A·dy.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ResultGradient(
        Vector256<float> a, Vector256<float> b, Vector256<float> c, Vector256<float> d, float* to, nint stride)
    {
        a.Store(to);
        var even = Fma.MultiplyAdd(c, Vector256.Create(PP), a);
        var odd = Fma.MultiplyAdd(d, Vector256.Create(PP * P), b * P);
        (even + odd).Store(to + stride);
        (even - odd).Store(to + 2 * stride);
        even = Fma.MultiplyAdd(c, Vector256.Create(QQ), a);
        odd = Fma.MultiplyAdd(d, Vector256.Create(QQ * Q), b * Q);
        (even + odd).Store(to + 3 * stride);
        (even - odd).Store(to + 4 * stride);
        d.Store(to + 5 * stride);
    }

    // One dimension of Gᵀ·du.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FilterGradient(
        Vector256<float> a, Vector256<float> b, Vector256<float> c, Vector256<float> d, Vector256<float> e,
        Vector256<float> f, float* to, nint stride)
    {
        Vector256<float> sum = (b + c) * NP, difference = (b - c) * (P * NP), sum2 = (d + e) * NQ,
        difference2 = (d - e) * (Q * NQ);
        Fma.MultiplyAdd(a, Vector256.Create(N0), sum + sum2).Store(to);
        (difference + difference2).Store(to + stride);
        (Fma.MultiplyAdd(sum, Vector256.Create(PP), f) + sum2 * QQ).Store(to + 2 * stride);
    }
}
