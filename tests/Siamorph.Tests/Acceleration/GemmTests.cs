using Siamorph.Acceleration;
using static TorchSharp.torch;

namespace Siamorph.Tests.Acceleration;

public unsafe class GemmTests
{
    public GemmTests()
    {
        if (!KernelUse.IsOn) Assert.Skip("Kernels are off, or this processor has no AVX2.");
    }

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(6, 16, 16)]
    [InlineData(7, 300, 17)]
    [InlineData(13, 600, 40)]
    [InlineData(50, 5, 3)]
    public void Product_EqualsLibtorch(int rows, int depth, int columns)
    {
        using var scope = NewDisposeScope();
        var (a, b, bias) = (KernelComparison.Normal(1, rows, depth), KernelComparison.Normal(2, depth, columns),
            KernelComparison.Normal(3, columns));
        var c = KernelComparison.Normal(4, rows, columns);
        var expected = a.to(float64).mm(b.to(float64)) + bias.to(float64) + c.to(float64);
        using var packed = new PackedMatrix(Pixels.Pointer(b), depth, columns, columns, 1);
        Gemm.Run(rows, Pixels.Pointer(a), depth, packed.Data, depth, columns, Pixels.Pointer(c), columns, Pixels.Pointer(bias),
            accumulate: true);
        Assert.True(KernelComparison.RelativeError(c, expected) < 2e-6);
    }

    [Theory]
    [InlineData(8, 16, 300)]
    [InlineData(13, 32, 7)]
    public void TransposedProduct_EqualsLibtorch(int rows, int columns, int depth)
    {
        using var scope = NewDisposeScope();
        var (a, b, c) = (KernelComparison.Normal(1, depth, rows), KernelComparison.Normal(2, depth, columns),
            zeros(rows, columns));
        Gemm.RunTransposed(rows, Pixels.Pointer(a), rows, Pixels.Pointer(b), columns, depth, columns, Pixels.Pointer(c), columns,
            accumulate: false);
        Assert.True(KernelComparison.RelativeError(c, a.to(float64).t().mm(b.to(float64))) < 2e-6);
    }

    [Theory]
    [InlineData(12, 8, 50)]
    [InlineData(25, 24, 9)]
    [InlineData(1, 8, 1)]
    public void NarrowProduct_EqualsLibtorch(int rows, int columns, int depth)
    {
        using var scope = NewDisposeScope();
        var (a, b, c) = (KernelComparison.Normal(1, rows, depth), KernelComparison.Normal(2, depth, columns),
            ones(rows, columns));
        Gemm.RunNarrow(rows, Pixels.Pointer(a), depth, 1, Pixels.Pointer(b), columns, depth, columns, Pixels.Pointer(c), columns,
            accumulate: true);
        Assert.True(KernelComparison.RelativeError(c, a.to(float64).mm(b.to(float64)) + 1) < 2e-6);
    }
}
