namespace Siamorph.Acceleration;

/// <summary>
/// Keeps what the fast kernels make of weights from call to call, for networks whose weights stay as they are meanwhile: in
/// sampling. Disposing it forgets everything.
/// </summary>
public sealed class FrozenWeights : IDisposable
{
    private const nint LargestTotal = 1 << 28; // floats; a gigabyte, beyond which nothing more is kept
    [ThreadStatic] private static FrozenWeights? t_current;
    private readonly Dictionary<nint, NativeBuffer> _buffers = [];
    private nint _total;

    internal static FrozenWeights? Current => t_current;

    /// <summary>Until the result is disposed, the fast operations called on this thread may keep and reuse what they make of weights.</summary>
    public IDisposable Use() => new Scope(this);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var buffer in _buffers.Values) buffer.Dispose();
        _buffers.Clear();
    }

    /// <summary>Whether <see cref="TryGet"/> would give a buffer.</summary>
    internal static bool CanKeep(nint handle, nint length) =>
        t_current is { } store && (store._buffers.ContainsKey(handle) || store._total + length <= LargestTotal);

    /// <summary>The buffer kept for a weight tensor's handle, made where there is none; null when nothing may be kept.</summary>
    internal static NativeBuffer? TryGet(nint handle, nint length, Action<NativeBuffer> fill)
    {
        if (t_current is not { } store) return null;
        if (store._buffers.TryGetValue(handle, out var known)) return known;
        if (store._total + length > LargestTotal) return null;
        var made = new NativeBuffer(length);
        fill(made);
        store._buffers.Add(handle, made);
        store._total += length;
        return made;
    }

    private sealed class Scope : IDisposable
    {
        private readonly FrozenWeights? _outer = t_current;
        public Scope(FrozenWeights weights) => t_current = weights;
        public void Dispose() => t_current = _outer;
    }
}
