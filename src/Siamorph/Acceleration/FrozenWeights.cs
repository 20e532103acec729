using static TorchSharp.torch;

namespace Siamorph.Acceleration;

/// <summary>
/// Keeps what the fast kernels make of weights from call to call, for networks whose weights stay as they are meanwhile: in
/// sampling. Disposing it forgets everything.
/// </summary>
internal sealed class FrozenWeights : IDisposable
{
    private const nint LargestTotal = 1 << 28; // floats; a gigabyte, beyond which nothing more is kept
    private const int Sampled = 16;
    [ThreadStatic] private static FrozenWeights? t_current;
    // By the tensor itself: a native handle may be another tensor's by the time it is seen again.
    private readonly Dictionary<Tensor, Kept> _buffers = new(ReferenceEqualityComparer.Instance);
    private nint _total;

    internal static FrozenWeights? Current => t_current;

    /// <summary>
    /// Until the result is disposed, the fast operations called on this thread may keep and reuse what they make of weights.
    /// </summary>
    public IDisposable Use() => new Scope(this);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var kept in _buffers.Values) kept.Buffer.Dispose();
        _buffers.Clear();
        _total = 0;
    }

    private readonly record struct Kept(NativeBuffer Buffer, ulong Print);

    /// <summary>Whether <see cref="TryGet"/> would give a buffer.</summary>
    internal static bool CanKeep(Tensor weight, nint length)
    {
        if (t_current is not { } store) return false;
        lock (store._buffers) return store._buffers.ContainsKey(weight) || store._total + length <= LargestTotal;
    }

    /// <summary>
    /// The buffer kept for a weight, made where there is none or where the weight is no longer what it was; null when nothing may
    /// be kept.
    /// </summary>
    internal static NativeBuffer? TryGet(Tensor weight, nint length, Action<NativeBuffer> fill)
    {
        if (t_current is not { } store) return null;
        var print = Print(weight);
        lock (store._buffers) return store.Keep(weight, length, print, fill);
    }

    // What one thread makes, the others use.
    private NativeBuffer? Keep(Tensor weight, nint length, ulong print, Action<NativeBuffer> fill)
    {
        if (_buffers.TryGetValue(weight, out var known) && known.Buffer.Length == length)
        {
            if (known.Print == print) return known.Buffer;
            fill(known.Buffer); // the weight was changed in place
            _buffers[weight] = known with { Print = print };
            return known.Buffer;
        }
        if (_total + length > LargestTotal) return null;
        var made = new NativeBuffer(length);
        fill(made);
        _buffers[weight] = new(made, print);
        _total += length;
        return made;
    }

    // Some of the numbers, spread over all: an optimizer's step or another checkpoint changes them all, and the address with a
    // move.
    private static unsafe ulong Print(Tensor weight)
    {
        if (!weight.is_contiguous()) return 0;
        var data = (uint*)Pixels.Pointer(weight);
        var count = weight.NumberOfElements;
        var print = 14695981039346656037UL ^ (ulong)(nint)data;
        for (var i = 0; i < Sampled; i++) print = (print ^ data[i * (count - 1) / (Sampled - 1)]) * 1099511628211UL;
        return print;
    }

    private sealed class Scope : IDisposable
    {
        private readonly FrozenWeights? _outer = t_current;
        public Scope(FrozenWeights weights) => t_current = weights;
        public void Dispose() => t_current = _outer;
    }
}
