using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Siamorph.Acceleration;

// Heads of eight channels, the narrowest that fill a vector: keys lie in the lanes, so one query's channels and its eight sums
// fit the registers. Blocks of keys stay in the first-level cache while a block of queries passes (arXiv 2205.14135).
internal static unsafe partial class AttentionKernel
{
    private const int Eight = 8;
    private const int KeyBlock = 256;
    private const int QueriesTogether = 32;
    private static readonly int Lanes = Gemm.IsWide ? 16 : 8;
    // Sums of eight channels, sum of weights, largest exponent.
    private static readonly int StateLength = (Eight + 2) * Lanes;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ForwardEight(in AttentionShape s, float* q, float* k, float* v, float* result, float* logSums)
    {
        var padded = (s.Keys + Lanes - 1) & -Lanes;
        var keys = Scratch.Get(0, (nint)padded * Eight);
        var values = Scratch.Get(1, (nint)padded * Eight);
        var states = Scratch.Get(2, QueriesTogether * StateLength);
        PackLanes(s, k, keys);
        PackLanes(s, v, values);
        var scale = Log2E / MathF.Sqrt(Eight);
        for (var first = 0; first < s.Queries; first += QueriesTogether)
        {
            var count = Math.Min(QueriesTogether, s.Queries - first);
            for (var key = 0; key < s.Keys; key += KeyBlock)
            {
                var some = Math.Min(KeyBlock, s.Keys - key);
                for (var i = 0; i < count; i++)
                {
                    float* query = q + (first + i) * s.QueryStride, state = states + i * StateLength;
                    var at = (nint)key * Eight;
                    if (Gemm.IsWide) AttendWide(query, scale, keys + at, values + at, some, state, key == 0);
                    else Attend(query, scale, keys + at, values + at, some, state, key == 0);
                }
            }
            for (var i = 0; i < count; i++)
            {
                var state = states + i * StateLength;
                if (Gemm.IsWide) Halve(state);
                var sum = Vector256.Sum(Vector256.Load(state + 64));
                var target = result + (first + i) * s.QueryStride;
                (SumsOfEight(state) / sum).Store(target);
                if (logSums != null) logSums[first + i] = state[72] + MathF.Log2(sum);
            }
        }
    }

    // Groups of as many keys as there are lanes: channel after channel, a key in each lane; missing keys are zero.
    private static void PackLanes(in AttentionShape s, float* tokens, float* packed)
    {
        for (var first = 0; first < s.Keys; first += Lanes, packed += Eight * Lanes)
        {
            for (var lane = 0; lane < Lanes; lane++)
            {
                var token = tokens + (first + lane) * s.KeyStride;
                for (var c = 0; c < Eight; c++) packed[Lanes * c + lane] = first + lane < s.Keys ? token[c] : 0;
            }
        }
    }

    // One query meets a block of keys: exponents, then weights and weighted values, added to what earlier blocks gave.
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Attend(float* q, float scale, float* keys, float* values, int count, float* state, bool first)
    {
        var exponents = stackalloc float[KeyBlock];
        Vector256<float> a0, a1, a2, a3, a4, a5, a6, a7;
        a0 = Vector256.Create(q[0] * scale); a1 = Vector256.Create(q[1] * scale); a2 = Vector256.Create(q[2] * scale);
        a3 = Vector256.Create(q[3] * scale);
        a4 = Vector256.Create(q[4] * scale); a5 = Vector256.Create(q[5] * scale); a6 = Vector256.Create(q[6] * scale);
        a7 = Vector256.Create(q[7] * scale);
        var most = Vector256.Create(float.NegativeInfinity);
        var padded = (count + 7) & ~7;
        for (var j = 0; j < padded; j += 8, keys += 64)
        {
            var e = a0 * Vector256.Load(keys);
            var e2 = a1 * Vector256.Load(keys + 8);
            e = Fma.MultiplyAdd(a2, Vector256.Load(keys + 16), e);
            e2 = Fma.MultiplyAdd(a3, Vector256.Load(keys + 24), e2);
            e = Fma.MultiplyAdd(a4, Vector256.Load(keys + 32), e);
            e2 = Fma.MultiplyAdd(a5, Vector256.Load(keys + 40), e2);
            e = Fma.MultiplyAdd(a6, Vector256.Load(keys + 48), e);
            e2 = Fma.MultiplyAdd(a7, Vector256.Load(keys + 56), e2);
            e += e2;
            e.Store(exponents + j);
            most = Avx.Max(most, e);
        }
        if (padded > count) most = MaskTail(exponents, count, padded);
        var largest = Largest(most);
        if (first)
        {
            a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = Vector256<float>.Zero;
            most = Vector256<float>.Zero;
        }
        else
        {
            largest = MathF.Max(largest, state[72]);
            var shrink = VectorMath.Exp2OfNegative(Vector256.Create(state[72] - largest));
            a0 = Vector256.Load(state) * shrink; a1 = Vector256.Load(state + 8) * shrink;
            a2 = Vector256.Load(state + 16) * shrink;
            a3 = Vector256.Load(state + 24) * shrink; a4 = Vector256.Load(state + 32) * shrink;
            a5 = Vector256.Load(state + 40) * shrink;
            a6 = Vector256.Load(state + 48) * shrink; a7 = Vector256.Load(state + 56) * shrink;
            most = Vector256.Load(state + 64) * shrink;
        }
        var shift = Vector256.Create(largest);
        var sum = most;
        for (var j = 0; j < padded; j += 8, values += 64)
        {
            var p = VectorMath.Exp2OfNegative(Vector256.Load(exponents + j) - shift);
            sum += p;
            a0 = Fma.MultiplyAdd(p, Vector256.Load(values), a0);
            a1 = Fma.MultiplyAdd(p, Vector256.Load(values + 8), a1);
            a2 = Fma.MultiplyAdd(p, Vector256.Load(values + 16), a2);
            a3 = Fma.MultiplyAdd(p, Vector256.Load(values + 24), a3);
            a4 = Fma.MultiplyAdd(p, Vector256.Load(values + 32), a4);
            a5 = Fma.MultiplyAdd(p, Vector256.Load(values + 40), a5);
            a6 = Fma.MultiplyAdd(p, Vector256.Load(values + 48), a6);
            a7 = Fma.MultiplyAdd(p, Vector256.Load(values + 56), a7);
        }
        a0.Store(state); a1.Store(state + 8); a2.Store(state + 16); a3.Store(state + 24);
        a4.Store(state + 32); a5.Store(state + 40); a6.Store(state + 48); a7.Store(state + 56);
        sum.Store(state + 64);
        state[72] = largest;
    }

    private static Vector256<float> MaskTail(float* exponents, int count, int padded)
    {
        for (var j = count; j < padded; j++) exponents[j] = float.NegativeInfinity;
        var most = Vector256.Create(float.NegativeInfinity);
        for (var j = 0; j < padded; j += 8) most = Avx.Max(most, Vector256.Load(exponents + j));
        return most;
    }

    // Lane c of the result is the sum over vector c.
    private static Vector256<float> SumsOfEight(float* vectors)
    {
        static Vector256<float> Pairs(float* v) => Avx.HorizontalAdd(Vector256.Load(v), Vector256.Load(v + 8));
        var low = Avx.HorizontalAdd(Pairs(vectors), Pairs(vectors + 16));
        var high = Avx.HorizontalAdd(Pairs(vectors + 32), Pairs(vectors + 48));
        return Avx.Permute2x128(low, high, 0x20) + Avx.Permute2x128(low, high, 0x31);
    }

    private static float Largest(Vector256<float> v)
    {
        var four = Sse.Max(v.GetLower(), v.GetUpper());
        four = Sse.Max(four, Sse.Shuffle(four, four, 0b01_00_11_10));
        return Sse.Max(four, Sse.Shuffle(four, four, 0b10_11_00_01)).ToScalar();
    }
}
