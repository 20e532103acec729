using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Siamorph.Acceleration;

/// <summary>Elementary functions on eight floats at once, to about one unit in the last place; NaN stays NaN.</summary>
internal static class VectorMath
{
    /// <summary>2^x; 0 below −126, infinite from 128 on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Exp2(Vector256<float> x)
    {
        // The order of the operands matters: minps and maxps give the second one when the comparison fails, so NaN passes.
        x = Avx.Min(Vector256.Create(128f), Avx.Max(Vector256.Create(-127f), x));
        var whole = Avx.RoundToNearestInteger(x);
        var f = x - whole;
        // Taylor coefficients of 2^f: ln2^k / k!, |f| ≤ 1/2, remainder 2e-8.
        var p = Fma.MultiplyAdd(Vector256.Create(1.5403530e-4f), f, Vector256.Create(1.3333558e-3f));
        p = Fma.MultiplyAdd(p, f, Vector256.Create(9.6181291e-3f));
        p = Fma.MultiplyAdd(p, f, Vector256.Create(5.5504109e-2f));
        p = Fma.MultiplyAdd(p, f, Vector256.Create(2.4022651e-1f));
        p = Fma.MultiplyAdd(p, f, Vector256.Create(6.9314718e-1f));
        p = Fma.MultiplyAdd(p, f, Vector256.Create(1f));
        var exponent = Avx2.ShiftLeftLogical(Avx2.Add(Avx.ConvertToVector256Int32(whole), Vector256.Create(127)), 23);
        return p * exponent.AsSingle();
    }

    /// <summary>e^x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Exp(Vector256<float> x)
    {
        x = Avx.Min(Vector256.Create(100f), Avx.Max(Vector256.Create(-100f), x)); // or infinity less infinity would be NaN
        // x·log2(e) in two parts, or large |x| would lose digits of the fraction.
        var high = x * Vector256.Create(1.44269504f);
        var low = Fma.MultiplyAdd(x, Vector256.Create(1.925963e-8f),
            Fma.MultiplySubtract(x, Vector256.Create(1.44269504f), high));
        return Exp2(high) * Fma.MultiplyAdd(low, Vector256.Create(0.69314718f), Vector256<float>.One);
    }

    /// <summary>1 / (1 + e^−x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Sigmoid(Vector256<float> x) => Vector256<float>.One / (Vector256<float>.One + Exp(-x));

    /// <summary>x / (1 + e^−x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Silu(Vector256<float> x) => x / (Vector256<float>.One + Exp(-x));

    /// <summary>x / (1 + e^−x) of sixteen floats, the same bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Silu(Vector512<float> x) => x / (Vector512<float>.One + Exp(-x));

    /// <summary>1 / (1 + e^−x) of sixteen floats, the same bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Sigmoid(Vector512<float> x) => Vector512<float>.One / (Vector512<float>.One + Exp(-x));

    /// <summary>e^x of sixteen floats, the same bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Exp(Vector512<float> x)
    {
        x = Avx512F.Min(Vector512.Create(100f), Avx512F.Max(Vector512.Create(-100f), x));
        var high = x * Vector512.Create(1.44269504f);
        var low = Vector512.FusedMultiplyAdd(x, Vector512.Create(1.925963e-8f),
            Vector512.FusedMultiplyAdd(x, Vector512.Create(1.44269504f), -high));
        return Exp2(high) * Vector512.FusedMultiplyAdd(low, Vector512.Create(0.69314718f), Vector512<float>.One);
    }

    /// <summary>2^x of sixteen floats, the same bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Exp2(Vector512<float> x)
    {
        x = Avx512F.Min(Vector512.Create(128f), Avx512F.Max(Vector512.Create(-127f), x));
        var whole = Avx512F.RoundScale(x, 0);
        var f = x - whole;
        var p = Vector512.FusedMultiplyAdd(Vector512.Create(1.5403530e-4f), f, Vector512.Create(1.3333558e-3f));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(9.6181291e-3f));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(5.5504109e-2f));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(2.4022651e-1f));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(6.9314718e-1f));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(1f));
        var exponent = Avx512F.ShiftLeftLogical(Avx512F.ConvertToVector512Int32(whole) + Vector512.Create(127), 23);
        return p * exponent.AsSingle();
    }

    /// <summary>2^x for x ≤ 0, relative error below 2e-7; 0 below −126.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Exp2OfNegative(Vector256<float> x)
    {
        x = Avx.Max(Vector256.Create(-127f), x);
        var whole = Avx.RoundToNearestInteger(x);
        var f = x - whole;
        // The polynomial of degree 5 with the least relative error for |f| ≤ 1/2, by Remez's exchange; its constant set to 1.
        var p = Fma.MultiplyAdd(Vector256.Create(1.3276472e-3f), f, Vector256.Create(9.67554133e-3f));
        p = Fma.MultiplyAdd(p, f, Vector256.Create(5.55071327e-2f));
        p = Fma.MultiplyAdd(p, f, Vector256.Create(2.40221197e-1f));
        p = Fma.MultiplyAdd(p, f, Vector256.Create(6.93146967e-1f));
        p = Fma.MultiplyAdd(p, f, Vector256.Create(1f));
        var exponent = Avx2.ShiftLeftLogical(Avx2.Add(Avx.ConvertToVector256Int32(whole), Vector256.Create(127)), 23);
        return p * exponent.AsSingle();
    }

    /// <summary>The same on sixteen floats, the same bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Exp2OfNegative(Vector512<float> x)
    {
        x = Avx512F.Max(Vector512.Create(-127f), x);
        var whole = Avx512F.RoundScale(x, 0);
        var f = x - whole;
        var p = Vector512.FusedMultiplyAdd(Vector512.Create(1.3276472e-3f), f, Vector512.Create(9.67554133e-3f));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(5.55071327e-2f));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(2.40221197e-1f));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(6.93146967e-1f));
        p = Vector512.FusedMultiplyAdd(p, f, Vector512.Create(1f));
        var exponent = Avx512F.ShiftLeftLogical(Avx512F.ConvertToVector512Int32(whole) + Vector512.Create(127), 23);
        return p * exponent.AsSingle();
    }

    /// <summary>x·Φ(x), GELU with the error function, not its tanh approximation.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Gelu(Vector256<float> x) => x * NormalIntegral(x);

    /// <summary>Φ(x), the integral of the normal density up to x; absolute error below 2e-7.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> NormalIntegral(Vector256<float> x)
    {
        // Abramowitz and Stegun 7.1.26: 1 − erf(z) = t·P(t)·e^(−z²), t = 1 / (1 + p·z), z ≥ 0.
        var sign = x & Vector256.Create(-0f);
        var z = Vector256.AndNot(x, Vector256.Create(-0f)) * 0.70710678f;
        var t = Vector256<float>.One / Fma.MultiplyAdd(z, Vector256.Create(0.3275911f), Vector256<float>.One);
        var p = Fma.MultiplyAdd(Vector256.Create(1.061405429f), t, Vector256.Create(-1.453152027f));
        p = Fma.MultiplyAdd(p, t, Vector256.Create(1.421413741f));
        p = Fma.MultiplyAdd(p, t, Vector256.Create(-0.284496736f));
        p = Fma.MultiplyAdd(p, t, Vector256.Create(0.254829592f)) * t;
        var erf = (Vector256<float>.One - p * Exp(-(z * z))) | sign;
        return 0.5f * (Vector256<float>.One + erf);
    }
}
