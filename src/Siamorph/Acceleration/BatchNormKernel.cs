using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Siamorph.Acceleration;

/// <summary>
/// The parts of a batch norm with or without ReLU behind it, on rows of channels. Pixels are taken in parts that stay in the
/// first-level cache; parts depend on the shape alone, so sums do not depend on the number of threads.
/// </summary>
internal static unsafe class BatchNormKernel
{
    private const int FloatsAPart = 4096;

    /// <summary>Pixels of a part.</summary>
    public static int PartOf(int channels) => Math.Max(8, FloatsAPart / channels);

    /// <summary>Mean of each channel over some pixels, and the sum of squared distances from it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Moments(float* x, int pixels, int channels, float* mean, float* squares)
    {
        for (var c = 0; c < channels; c += 8)
        {
            Vector256<float> a = Vector256<float>.Zero, b = a, d = a, e = a;
            var from = x + c;
            var p = 0;
            for (; p + 4 <= pixels; p += 4, from += 4 * (nint)channels)
            {
                a += Vector256.Load(from);
                b += Vector256.Load(from + channels);
                d += Vector256.Load(from + 2 * channels);
                e += Vector256.Load(from + 3 * channels);
            }
            for (; p < pixels; p++, from += channels) a += Vector256.Load(from);
            var centre = (a + b + (d + e)) / pixels;
            centre.Store(mean + c);
            a = b = Vector256<float>.Zero;
            from = x + c;
            p = 0;
            for (; p + 2 <= pixels; p += 2, from += 2 * (nint)channels)
            {
                var (first, second) = (Vector256.Load(from) - centre, Vector256.Load(from + channels) - centre);
                a = Fma.MultiplyAdd(first, first, a);
                b = Fma.MultiplyAdd(second, second, b);
            }
            if (p < pixels)
            {
                var last = Vector256.Load(from) - centre;
                a = Fma.MultiplyAdd(last, last, a);
            }
            (a + b).Store(squares + c);
        }
    }

    /// <summary>y = scale · x + shift, at least 0 if <paramref name="relu"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Apply(float* x, int pixels, int channels, float* scale, float* shift, bool relu, float* y)
    {
        var least = Vector256.Create(relu ? 0 : float.NegativeInfinity);
        for (var p = 0; p < pixels; p++, x += channels, y += channels)
            for (var c = 0; c < channels; c += 8)
                Avx.Max(least, Line(x + c, scale + c, shift + c)).Store(y + c); // the second operand where it is no number
    }

    /// <summary>
    /// Sums over some pixels of the gradient behind the ReLU, and of its product with the distance from the mean.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void GradientSums(
        float* x, float* dy, int pixels, int channels, float* scale, float* shift, float* mean, bool relu, float* sum,
        float* product)
    {
        for (var c = 0; c < channels; c += 8)
        {
            Vector256<float> s = Vector256.Load(scale + c), t = Vector256.Load(shift + c), m = Vector256.Load(mean + c);
            Vector256<float> a = Vector256<float>.Zero, b = a, d = a, e = a;
            float* from = x + c, gradient = dy + c;
            var p = 0;
            for (; p + 2 <= pixels; p += 2, from += 2 * (nint)channels, gradient += 2 * (nint)channels)
            {
                Vector256<float> first = Vector256.Load(from), second = Vector256.Load(from + channels);
                var g = Behind(Vector256.Load(gradient), first, s, t, relu);
                var h = Behind(Vector256.Load(gradient + channels), second, s, t, relu);
                a += g;
                b += h;
                d = Fma.MultiplyAdd(g, first - m, d);
                e = Fma.MultiplyAdd(h, second - m, e);
            }
            if (p < pixels)
            {
                var last = Vector256.Load(from);
                var g = Behind(Vector256.Load(gradient), last, s, t, relu);
                a += g;
                d = Fma.MultiplyAdd(g, last - m, d);
            }
            (a + b).Store(sum + c);
            (d + e).Store(product + c);
        }
    }

    /// <summary>dx = scale · gradient behind the ReLU + slope · (x − mean) + level.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Gradient(float* x, float* dy, int pixels, int channels, float* scale, float* shift, float* mean,
        float* slope, float* level, bool relu, float* dx)
    {
        for (var p = 0; p < pixels; p++, x += channels, dy += channels, dx += channels)
            for (var c = 0; c < channels; c += 8)
            {
                Vector256<float> value = Vector256.Load(x + c), s = Vector256.Load(scale + c);
                var g = Behind(Vector256.Load(dy + c), value, s, Vector256.Load(shift + c), relu);
                Fma.MultiplyAdd(Vector256.Load(slope + c), value - Vector256.Load(mean + c),
                    Fma.MultiplyAdd(s, g, Vector256.Load(level + c))).Store(dx + c);
            }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Line(float* x, float* scale, float* shift) =>
        Fma.MultiplyAdd(Vector256.Load(x), Vector256.Load(scale), Vector256.Load(shift));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Behind(
        Vector256<float> gradient, Vector256<float> x, Vector256<float> scale, Vector256<float> shift, bool relu) =>
        relu ? Vector256.AndNot(gradient,
        Avx.CompareLessThanOrEqual(Fma.MultiplyAdd(x, scale, shift), Vector256<float>.Zero)) : gradient;
}
