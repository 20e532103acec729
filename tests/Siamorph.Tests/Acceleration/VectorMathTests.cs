using System.Runtime.Intrinsics;
using Siamorph.Acceleration;

namespace Siamorph.Tests.Acceleration;

public class VectorMathTests
{
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

}
