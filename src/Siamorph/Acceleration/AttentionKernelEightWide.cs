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

    // Queries take turns at a group of keys, whose gradients stay in the registers; then each query goes along a block of keys
    // for its own gradient.
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void BackwardEightWide(in AttentionShape s, float* q, float* k, float* v, float* result, float* logSums,
        float* dResult, float* dq, float* dk, float* dv)
    {
        const int Group = Eight * 16;
        var padded = (s.Keys + 15) & ~15;
        float* keys = Scratch.Get(0, (nint)padded * Eight), values = Scratch.Get(1, (nint)padded * Eight);
        float* sums = Scratch.Get(2, (nint)padded * Eight * 2), scores = Scratch.Get(3, QueriesTogether * (KeyBlock + Group));
        float* states = scores + QueriesTogether * KeyBlock, delta = stackalloc float[QueriesTogether];
        PackLanes(s, k, keys);
        PackLanes(s, v, values);
        new Span<float>(sums, padded * Eight * 2).Clear();
        var scale = 1 / MathF.Sqrt(Eight);
        for (var first = 0; first < s.Queries; first += QueriesTogether)
        {
            var count = Math.Min(QueriesTogether, s.Queries - first);
            var at = first * s.QueryStride;
            for (var i = 0; i < count; i++)
                delta[i] = Dot(result + at + i * s.QueryStride, dResult + at + i * s.QueryStride, Eight);
            new Span<float>(states, count * Group).Clear();
            for (var key = 0; key < padded; key += KeyBlock)
            {
                var some = Math.Min(KeyBlock, padded - key);
                for (var j = 0; j < some; j += 16)
                {
                    var offset = (nint)(key + j) * Eight;
                    GroupGradients(q + at, dResult + at, s.QueryStride, count, keys + offset, values + offset, sums + 2 * offset,
                        scale * Log2E, logSums + first, delta, scores + j, FirstLanes(s.Keys - key - j));
                }
                for (var i = 0; i < count; i++)
                    QueryGradient(scores + i * KeyBlock, keys + (nint)key * Eight, some, states + i * Group);
            }
            for (var i = 0; i < count; i++)
            {
                var state = states + i * Group;
                for (var c = 0; c < Eight; c++)
                {
                    var both = Vector512.Load(state + 16 * c);
                    (both.GetLower() + both.GetUpper()).Store(state + 8 * c);
                }
                (SumsOfEight(state) * scale).Store(dq + at + i * s.QueryStride);
            }
        }
        for (var key = 0; key < s.Keys; key++)
        {
            var from = sums + key / 16 * 2 * Group + key % 16;
            float* toKey = dk + key * s.KeyStride, toValue = dv + key * s.KeyStride;
            for (var c = 0; c < Eight; c++) (toKey[c], toValue[c]) = (from[16 * c] * scale, from[Group + 16 * c]);
        }
    }

    // Sixteen keys: their gradients and their values' are added up over the queries; scores' gradients are written for each
    // query.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void GroupGradients(float* q, float* dResult, nint stride, int count, float* keys, float* values, float* sums,
        float factor, float* logSums, float* delta, float* scores, Vector512<float> lanes)
    {
        Vector512<float> k0 = Vector512.Load(keys), k1 = Vector512.Load(keys + 16), k2 = Vector512.Load(keys + 32),
            k3 = Vector512.Load(keys + 48), k4 = Vector512.Load(keys + 64), k5 = Vector512.Load(keys + 80),
            k6 = Vector512.Load(keys + 96), k7 = Vector512.Load(keys + 112);
        Vector512<float> a0 = Vector512.Load(sums), a1 = Vector512.Load(sums + 16), a2 = Vector512.Load(sums + 32),
            a3 = Vector512.Load(sums + 48), a4 = Vector512.Load(sums + 64), a5 = Vector512.Load(sums + 80),
            a6 = Vector512.Load(sums + 96), a7 = Vector512.Load(sums + 112);
        Vector512<float> b0 = Vector512.Load(sums + 128), b1 = Vector512.Load(sums + 144), b2 = Vector512.Load(sums + 160),
            b3 = Vector512.Load(sums + 176), b4 = Vector512.Load(sums + 192), b5 = Vector512.Load(sums + 208),
            b6 = Vector512.Load(sums + 224), b7 = Vector512.Load(sums + 240);
        for (var i = 0; i < count; i++, q += stride, dResult += stride, scores += KeyBlock)
        {
            var e = Vector512.Create(q[0]) * k0;
            var e2 = Vector512.Create(q[1]) * k1;
            e = Vector512.FusedMultiplyAdd(Vector512.Create(q[2]), k2, e);
            e2 = Vector512.FusedMultiplyAdd(Vector512.Create(q[3]), k3, e2);
            e = Vector512.FusedMultiplyAdd(Vector512.Create(q[4]), k4, e);
            e2 = Vector512.FusedMultiplyAdd(Vector512.Create(q[5]), k5, e2);
            e = Vector512.FusedMultiplyAdd(Vector512.Create(q[6]), k6, e);
            e2 = Vector512.FusedMultiplyAdd(Vector512.Create(q[7]), k7, e2);
            var p = VectorMath.Exp2OfNegative(
                Vector512.FusedMultiplyAdd(e + e2, Vector512.Create(factor), -Vector512.Create(logSums[i]))) & lanes;
            var d = Vector512.FusedMultiplyAdd(Vector512.Create(dResult[0]), Vector512.Load(values), -Vector512.Create(delta[i]));
            var d2 = Vector512.Create(dResult[1]) * Vector512.Load(values + 16);
            d = Vector512.FusedMultiplyAdd(Vector512.Create(dResult[2]), Vector512.Load(values + 32), d);
            d2 = Vector512.FusedMultiplyAdd(Vector512.Create(dResult[3]), Vector512.Load(values + 48), d2);
            d = Vector512.FusedMultiplyAdd(Vector512.Create(dResult[4]), Vector512.Load(values + 64), d);
            d2 = Vector512.FusedMultiplyAdd(Vector512.Create(dResult[5]), Vector512.Load(values + 80), d2);
            d = Vector512.FusedMultiplyAdd(Vector512.Create(dResult[6]), Vector512.Load(values + 96), d);
            d2 = Vector512.FusedMultiplyAdd(Vector512.Create(dResult[7]), Vector512.Load(values + 112), d2);
            d = (d + d2) * p;
            d.Store(scores);
            a0 = Vector512.FusedMultiplyAdd(Vector512.Create(q[0]), d, a0);
            a1 = Vector512.FusedMultiplyAdd(Vector512.Create(q[1]), d, a1);
            a2 = Vector512.FusedMultiplyAdd(Vector512.Create(q[2]), d, a2);
            a3 = Vector512.FusedMultiplyAdd(Vector512.Create(q[3]), d, a3);
            a4 = Vector512.FusedMultiplyAdd(Vector512.Create(q[4]), d, a4);
            a5 = Vector512.FusedMultiplyAdd(Vector512.Create(q[5]), d, a5);
            a6 = Vector512.FusedMultiplyAdd(Vector512.Create(q[6]), d, a6);
            a7 = Vector512.FusedMultiplyAdd(Vector512.Create(q[7]), d, a7);
            b0 = Vector512.FusedMultiplyAdd(Vector512.Create(dResult[0]), p, b0);
            b1 = Vector512.FusedMultiplyAdd(Vector512.Create(dResult[1]), p, b1);
            b2 = Vector512.FusedMultiplyAdd(Vector512.Create(dResult[2]), p, b2);
            b3 = Vector512.FusedMultiplyAdd(Vector512.Create(dResult[3]), p, b3);
            b4 = Vector512.FusedMultiplyAdd(Vector512.Create(dResult[4]), p, b4);
            b5 = Vector512.FusedMultiplyAdd(Vector512.Create(dResult[5]), p, b5);
            b6 = Vector512.FusedMultiplyAdd(Vector512.Create(dResult[6]), p, b6);
            b7 = Vector512.FusedMultiplyAdd(Vector512.Create(dResult[7]), p, b7);
        }
        a0.Store(sums); a1.Store(sums + 16); a2.Store(sums + 32); a3.Store(sums + 48);
        a4.Store(sums + 64); a5.Store(sums + 80); a6.Store(sums + 96); a7.Store(sums + 112);
        b0.Store(sums + 128); b1.Store(sums + 144); b2.Store(sums + 160); b3.Store(sums + 176);
        b4.Store(sums + 192); b5.Store(sums + 208); b6.Store(sums + 224); b7.Store(sums + 240);
    }

    // One query along a block of keys, by the gradients of its scores.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void QueryGradient(float* scores, float* keys, int count, float* state)
    {
        Vector512<float> a0 = Vector512.Load(state), a1 = Vector512.Load(state + 16), a2 = Vector512.Load(state + 32),
            a3 = Vector512.Load(state + 48), a4 = Vector512.Load(state + 64), a5 = Vector512.Load(state + 80),
            a6 = Vector512.Load(state + 96), a7 = Vector512.Load(state + 112);
        for (var j = 0; j < count; j += 16, keys += 128)
        {
            var d = Vector512.Load(scores + j);
            a0 = Vector512.FusedMultiplyAdd(d, Vector512.Load(keys), a0);
            a1 = Vector512.FusedMultiplyAdd(d, Vector512.Load(keys + 16), a1);
            a2 = Vector512.FusedMultiplyAdd(d, Vector512.Load(keys + 32), a2);
            a3 = Vector512.FusedMultiplyAdd(d, Vector512.Load(keys + 48), a3);
            a4 = Vector512.FusedMultiplyAdd(d, Vector512.Load(keys + 64), a4);
            a5 = Vector512.FusedMultiplyAdd(d, Vector512.Load(keys + 80), a5);
            a6 = Vector512.FusedMultiplyAdd(d, Vector512.Load(keys + 96), a6);
            a7 = Vector512.FusedMultiplyAdd(d, Vector512.Load(keys + 112), a7);
        }
        a0.Store(state); a1.Store(state + 16); a2.Store(state + 32); a3.Store(state + 48);
        a4.Store(state + 64); a5.Store(state + 80); a6.Store(state + 96); a7.Store(state + 112);
    }
}
