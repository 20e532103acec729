using System.Runtime.InteropServices;

namespace Siamorph.Acceleration;

/// <summary>Working memory of a kernel, kept by each thread between calls and grown when a larger one is asked for.</summary>
internal sealed unsafe class Scratch
{
    private const int Slots = 6;
    [ThreadStatic] private static Scratch? t_own;

    private readonly nint[] _blocks = new nint[Slots];
    private readonly nint[] _lengths = new nint[Slots];

    ~Scratch()
    {
        foreach (var block in _blocks) NativeMemory.AlignedFree((void*)block);
    }

    /// <summary>
    /// Memory for <paramref name="length"/> floats with undefined content, valid until the same slot is asked for again.
    /// </summary>
    public static float* Get(int slot, nint length)
    {
        var own = t_own ??= new Scratch();
        if (own._lengths[slot] < length)
        {
            NativeMemory.AlignedFree((void*)own._blocks[slot]);
            own._blocks[slot] = (nint)NativeMemory.AlignedAlloc((nuint)length * sizeof(float), 64);
            own._lengths[slot] = length;
        }
        return (float*)own._blocks[slot];
    }

    /// <summary>At least <paramref name="length"/> zeros.</summary>
    public static float* Zeros(nint length)
    {
        const int slot = Slots - 1;
        var grown = t_own is null || t_own._lengths[slot] < length;
        var zeros = Get(slot, length);
        if (grown) new Span<float>(zeros, checked((int)length)).Clear();
        return zeros;
    }
}
