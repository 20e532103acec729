using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Siamorph.Acceleration;

// Heads of eight channels in vectors of sixteen floats, where the processor has them: sixteen keys in the lanes instead of eight.
// Sums are taken in another order than with eight, so results differ by rounding.
internal static unsafe partial class AttentionKernel
{
    // The state of sixteen lanes as one of eight, in its place: halves are read before they are written over.
    private static void Halve(float* state)
    {
        for (var vector = 0; vector <= Eight; vector++)
        {
            var both = Vector512.Load(state + 16 * vector);
            (both.GetLower() + both.GetUpper()).Store(state + 8 * vector);
        }
        state[72] = state[144];
    }

    // One query meets a block of keys, as in Attend.
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AttendWide(float* q, float scale, float* keys, float* values, int count, float* state, bool first)
    {
        var exponents = stackalloc float[KeyBlock];
        Vector512<float> a0, a1, a2, a3, a4, a5, a6, a7;
        a0 = Vector512.Create(q[0] * scale); a1 = Vector512.Create(q[1] * scale); a2 = Vector512.Create(q[2] * scale);
        a3 = Vector512.Create(q[3] * scale); a4 = Vector512.Create(q[4] * scale); a5 = Vector512.Create(q[5] * scale);
        a6 = Vector512.Create(q[6] * scale); a7 = Vector512.Create(q[7] * scale);
        var most = Vector512.Create(float.NegativeInfinity);
        var padded = (count + 15) & ~15;
        for (var j = 0; j < padded; j += 16, keys += 128)
        {
            var e = a0 * Vector512.Load(keys);
            var e2 = a1 * Vector512.Load(keys + 16);
            e = Vector512.FusedMultiplyAdd(a2, Vector512.Load(keys + 32), e);
            e2 = Vector512.FusedMultiplyAdd(a3, Vector512.Load(keys + 48), e2);
            e = Vector512.FusedMultiplyAdd(a4, Vector512.Load(keys + 64), e);
            e2 = Vector512.FusedMultiplyAdd(a5, Vector512.Load(keys + 80), e2);
            e = Vector512.FusedMultiplyAdd(a6, Vector512.Load(keys + 96), e);
            e2 = Vector512.FusedMultiplyAdd(a7, Vector512.Load(keys + 112), e2);
            e += e2;
            if (count - j < 16)
                e = Vector512.ConditionalSelect(FirstLanes(count - j), e, Vector512.Create(float.NegativeInfinity));
            e.Store(exponents + j);
            most = Vector512.Max(most, e);
        }
        var largest = Largest(Vector256.Max(most.GetLower(), most.GetUpper()));
        var sum = Vector512<float>.Zero;
        if (first) a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = sum;
        else
        {
            largest = MathF.Max(largest, state[144]);
            var shrink = VectorMath.Exp2OfNegative(Vector512.Create(state[144] - largest));
            a0 = Vector512.Load(state) * shrink; a1 = Vector512.Load(state + 16) * shrink;
            a2 = Vector512.Load(state + 32) * shrink; a3 = Vector512.Load(state + 48) * shrink;
            a4 = Vector512.Load(state + 64) * shrink; a5 = Vector512.Load(state + 80) * shrink;
            a6 = Vector512.Load(state + 96) * shrink; a7 = Vector512.Load(state + 112) * shrink;
            sum = Vector512.Load(state + 128) * shrink;
        }
        var shift = Vector512.Create(largest);
        for (var j = 0; j < padded; j += 16, values += 128)
        {
            var p = VectorMath.Exp2OfNegative(Vector512.Load(exponents + j) - shift);
            sum += p;
            a0 = Vector512.FusedMultiplyAdd(p, Vector512.Load(values), a0);
            a1 = Vector512.FusedMultiplyAdd(p, Vector512.Load(values + 16), a1);
            a2 = Vector512.FusedMultiplyAdd(p, Vector512.Load(values + 32), a2);
            a3 = Vector512.FusedMultiplyAdd(p, Vector512.Load(values + 48), a3);
            a4 = Vector512.FusedMultiplyAdd(p, Vector512.Load(values + 64), a4);
            a5 = Vector512.FusedMultiplyAdd(p, Vector512.Load(values + 80), a5);
            a6 = Vector512.FusedMultiplyAdd(p, Vector512.Load(values + 96), a6);
            a7 = Vector512.FusedMultiplyAdd(p, Vector512.Load(values + 112), a7);
        }
        a0.Store(state); a1.Store(state + 16); a2.Store(state + 32); a3.Store(state + 48);
        a4.Store(state + 64); a5.Store(state + 80); a6.Store(state + 96); a7.Store(state + 112);
        sum.Store(state + 128);
        state[144] = largest;
    }

    // Ones in the first lanes.
    private static Vector512<float> FirstLanes(int count) =>
        Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(count)).AsSingle();
}
