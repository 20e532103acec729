using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using static TorchSharp.torch;

namespace Siamorph.Acceleration;

/// <summary>SiLU and its derivative over whole tensors, whose elements are a multiple of eight and lie one after the
/// other.</summary>
internal static unsafe class SiluKernel
{
    private const long Together = 1 << 14;

    /// <summary>SiLU of <paramref name="z"/> as a new tensor of its shape.</summary>
    public static Tensor Apply(Tensor z)
    {
        using var noted = StepProfile.Of("SiLU of the hint's blocks, again", 2 * z.numel());
        var y = MapPool.EmptyLike(z);
        float* from = Pixels.Pointer(z), to = Pixels.Pointer(y);
        ForParts(z, (first, count) => Apply(from + first, to + first, count));
        return y;
    }

    /// <summary>dy·SiLU'(z), written to <paramref name="target"/>, which may be either of them.</summary>
    public static void Gradient(Tensor z, Tensor dy, Tensor target)
    {
        using var noted = StepProfile.Of("SiLU of the hint's blocks, backward", 3 * z.numel());
        KernelUse.MustHold(dy, z.NumberOfElements);
        KernelUse.MustHold(target, z.NumberOfElements);
        float* from = Pixels.Pointer(z), incoming = Pixels.Pointer(dy), to = Pixels.Pointer(target);
        ForParts(z, (first, count) => Gradient(from + first, incoming + first, to + first, count));
    }

    private static void ForParts(Tensor z, Action<long, int> body)
    {
        var all = z.NumberOfElements;
        Workers.For((int)((all + Together - 1) / Together),
            part => body(part * Together, (int)Math.Min(Together, all - part * Together)));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Apply(float* z, float* y, int count)
    {
        var i = 0;
        if (Gemm.IsWide) for (; i + 16 <= count; i += 16) VectorMath.Silu(Vector512.Load(z + i)).Store(y + i);
        for (; i < count; i += 8) VectorMath.Silu(Vector256.Load(z + i)).Store(y + i);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Gradient(float* z, float* dy, float* dz, int count)
    {
        var i = 0;
        if (Gemm.IsWide)
        {
            for (; i + 16 <= count; i += 16)
            {
                var v = Vector512.Load(z + i);
                var s = VectorMath.Sigmoid(v);
                (Vector512.Load(dy + i) * s * Vector512.FusedMultiplyAdd(v, Vector512<float>.One - s, Vector512<float>.One))
                    .Store(dz + i);
            }
        }
        for (; i < count; i += 8) (Vector256.Load(dy + i) * Slope(Vector256.Load(z + i))).Store(dz + i);
    }

    /// <summary>SiLU'(z).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<float> Slope(Vector256<float> z)
    {
        var s = VectorMath.Sigmoid(z);
        return s * Fma.MultiplyAdd(z, Vector256<float>.One - s, Vector256<float>.One);
    }
}
