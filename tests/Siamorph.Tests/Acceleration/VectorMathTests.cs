using System.Runtime.Intrinsics;
using Siamorph.Acceleration;

namespace Siamorph.Tests.Acceleration;

public class VectorMathTests
{
    public VectorMathTests()
    {
        if (!KernelUse.IsOn) Assert.Skip("Kernels are off, or this processor has no AVX2.");
    }

    private static float Of(Func<Vector256<float>, Vector256<float>> f, float x) => f(Vector256.Create(x))[3];

    [Fact]
    public void Exp_IsExact_ToSinglePrecision()
    {
        for (var x = -80f; x <= 80; x += 0.0137f)
            Assert.Equal(1, Of(VectorMath.Exp, x) / Math.Exp(x), 3e-7);
    }

    [Fact]
    public void Exp_AtTheEnds_IsZeroOrInfinite()
    {
        Assert.Equal(0, Of(VectorMath.Exp, float.NegativeInfinity));
        Assert.Equal(0, Of(VectorMath.Exp, -1000));
        Assert.Equal(float.PositiveInfinity, Of(VectorMath.Exp, 1000));
        Assert.True(float.IsNaN(Of(VectorMath.Exp, float.NaN)));
    }

    [Fact]
    public void Silu_HasItsLimits()
    {
        Assert.Equal(0, Of(VectorMath.Silu, -200), 1e-30);
        Assert.Equal(200, Of(VectorMath.Silu, 200));
        Assert.True(float.IsNaN(Of(VectorMath.Silu, float.NaN)));
        for (var x = -20f; x <= 20; x += 0.0131f)
            Assert.Equal(x / (1 + Math.Exp(-x)), Of(VectorMath.Silu, x), 1e-6 * Math.Max(1, Math.Abs(x)));
    }

    [Fact]
    public void Exp2OfNegative_IsExact_ToSinglePrecision()
    {
        for (var x = -120f; x <= 0; x += 0.0137f)
            Assert.Equal(1, Of(VectorMath.Exp2OfNegative, x) / Math.Pow(2, x), 3e-7);
        Assert.Equal(0, Of(VectorMath.Exp2OfNegative, float.NegativeInfinity));
        Assert.Equal(1, Of(VectorMath.Exp2OfNegative, 0));
        Assert.True(float.IsNaN(Of(VectorMath.Exp2OfNegative, float.NaN)));
    }

    [Fact]
    public void Exp2OfNegative_OnSixteenFloats_GivesTheBitsOfEight()
    {
        if (!Vector512.IsHardwareAccelerated) return; // the kernels do not use it there either
        foreach (var x in Enumerable.Range(0, 13_000).Select(i => -0.01f * i).Append(float.NegativeInfinity))
            Assert.Equal(VectorMath.Exp2OfNegative(Vector256.Create(x))[0], VectorMath.Exp2OfNegative(Vector512.Create(x))[15]);
    }

    [Theory]
    [InlineData(0, 0.5)]
    [InlineData(1, 0.8413447460685429)]
    [InlineData(-1.5, 0.06680720126885807)]
    [InlineData(4, 0.9999683287581669)]
    [InlineData(-30, 0)]
    public void NormalIntegral_EqualsTables(float x, double expected) =>
        Assert.Equal(expected, Of(VectorMath.NormalIntegral, x), 3e-7);
}
