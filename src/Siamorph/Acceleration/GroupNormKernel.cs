using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Siamorph.Acceleration;

/// <summary>
/// Group normalisation of one sample, pixels × channels, optionally followed by SiLU. Channels come in whole vectors.
/// </summary>
internal static unsafe class GroupNormKernel
{
    private const int PixelsABlock = 32; // summed in single precision; blocks are summed in double

    /// <summary>Writes mean and reciprocal deviation of each channel's group.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Statistics(float* x, int pixels, int channels, int groups, double epsilon, float* mean, float* reciprocal)
    {
        var sums = stackalloc double[channels];
        var size = channels / groups;
        var count = (double)pixels * size;
        Sum(x, pixels, channels, x, false, sums);
        // Sums of differences from the first pixel keep their digits
        for (var c = 0; c < channels; c++) sums[c] += (double)pixels * x[c];
        Spread(sums, groups, size, mean, total => (float)(total / count));
        Sum(x, pixels, channels, mean, true, sums);
        Spread(sums, groups, size, reciprocal, total => (float)(1 / Math.Sqrt(total / count + epsilon)));
    }

    /// <summary>y = (x − mean)·reciprocal·weight + bias, then SiLU if asked.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Apply(float* x, int pixels, int channels, float* mean, float* reciprocal, float* weight, float* bias,
        bool silu, float* y)
    {
        var scale = stackalloc float[channels];
        for (var c = 0; c < channels; c += 8) (Vector256.Load(reciprocal + c) * Vector256.Load(weight + c)).Store(scale + c);
        for (var p = 0; p < pixels; p++, x += channels, y += channels)
        {
            for (var c = 0; c < channels; c += 8)
            {
                var z = Fma.MultiplyAdd(Vector256.Load(x + c) - Vector256.Load(mean + c), Vector256.Load(scale + c),
                    Vector256.Load(bias + c));
                (silu ? VectorMath.Silu(z) : z).Store(y + c);
            }
        }
    }

    /// <summary>
    /// dx from dy; adds nothing: <paramref name="dWeight"/> and <paramref name="dBias"/> get this sample's sums.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Backward(float* x, float* dy, int pixels, int channels, int groups, float* mean, float* reciprocal,
        float* weight, float* bias,
        bool silu, float* dx, float* dWeight, float* dBias)
    {
        var sums = stackalloc double[2 * channels];
        var block = stackalloc float[2 * channels];
        for (var c = 0; c < 2 * channels; c++) sums[c] = 0;
        for (var first = 0; first < pixels; first += PixelsABlock)
        {
            new Span<float>(block, 2 * channels).Clear();
            for (var p = first; p < Math.Min(pixels, first + PixelsABlock); p++)
            {
                for (var c = 0; c < channels; c += 8)
                {
                    var at = (nint)p * channels + c;
                    var normal = (Vector256.Load(x + at) - Vector256.Load(mean + c)) * Vector256.Load(reciprocal + c);
                    var dz = Gradient(normal, Vector256.Load(dy + at), Vector256.Load(weight + c),
                        Vector256.Load(bias + c), silu);
                    dz.Store(dx + at); // kept for the second pass
                    Fma.MultiplyAdd(dz, normal, Vector256.Load(block + c)).Store(block + c);
                    (dz + Vector256.Load(block + channels + c)).Store(block + channels + c);
                }
            }
            for (var c = 0; c < 2 * channels; c++) sums[c] += block[c];
        }
        for (var c = 0; c < channels; c++) (dWeight[c], dBias[c]) = ((float)sums[c], (float)sums[channels + c]);
        var size = channels / groups;
        for (var g = 0; g < groups; g++)
        {
            double products = 0, plain = 0;
            for (var c = g * size; c < (g + 1) * size; c++)
            {
                products += sums[c] * weight[c];
                plain += sums[channels + c] * weight[c];
            }
            var count = (double)pixels * size;
            for (var c = g * size; c < (g + 1) * size; c++)
                (block[c], block[channels + c]) = ((float)(products / count), (float)(plain / count));
        }
        for (var p = 0; p < pixels; p++)
        {
            for (var c = 0; c < channels; c += 8)
            {
                var at = (nint)p * channels + c;
                var normal = (Vector256.Load(x + at) - Vector256.Load(mean + c)) * Vector256.Load(reciprocal + c);
                var centred = Vector256.Load(dx + at) * Vector256.Load(weight + c) - Vector256.Load(block + channels + c);
                (Fma.MultiplyAddNegated(normal, Vector256.Load(block + c), centred) * Vector256.Load(reciprocal + c))
                    .Store(dx + at);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Gradient(
        Vector256<float> normal, Vector256<float> dy, Vector256<float> weight, Vector256<float> bias, bool silu)
    {
        if (!silu) return dy;
        var z = Fma.MultiplyAdd(normal, weight, bias);
        var s = VectorMath.Sigmoid(z);
        return dy * s * Fma.MultiplyAdd(z, Vector256<float>.One - s, Vector256<float>.One);
    }

    // Σ (x − centre) of each channel, or of its squares.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Sum(float* x, int pixels, int channels, float* centres, bool squares, double* sums)
    {
        var block = stackalloc float[channels];
        for (var c = 0; c < channels; c++) sums[c] = 0;
        for (var first = 0; first < pixels; first += PixelsABlock)
        {
            var end = Math.Min(pixels, first + PixelsABlock);
            for (var c = 0; c < channels; c += 8)
            {
                var (total, centre) = (Vector256<float>.Zero, Vector256.Load(centres + c));
                var at = x + (nint)first * channels + c;
                for (var p = first; p < end; p++, at += channels)
                {
                    var difference = Vector256.Load(at) - centre;
                    total = squares ? Fma.MultiplyAdd(difference, difference, total) : total + difference;
                }
                total.Store(block + c);
            }
            for (var c = 0; c < channels; c++) sums[c] += block[c];
        }
    }

    private static void Spread(double* sums, int groups, int size, float* target, Func<double, float> value)
    {
        for (var g = 0; g < groups; g++)
        {
            var total = 0.0;
            for (var c = g * size; c < (g + 1) * size; c++) total += sums[c];
            var result = value(total);
            for (var c = g * size; c < (g + 1) * size; c++) target[c] = result;
        }
    }
}
