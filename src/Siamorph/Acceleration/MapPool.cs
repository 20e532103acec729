using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Siamorph.Acceleration;

/// <summary>
/// Memory of large maps that kernels write, handed out again by size. A training step asks for the same sizes as the one
/// before; from the C library's heap, in which small blocks lie between them, they come back as holes that nothing fits in, and
/// a process grows to twice of what it holds.
/// </summary>
internal static unsafe partial class MapPool
{
    private const long LeastFloats = 1 << 18; // 1 MiB; smaller maps find room anywhere
    private const long LongAgo = 20_000;      // maps made since: several steps of a large network
    private static readonly Lock Gate = new();
    private static readonly Dictionary<nint, nuint> Sizes = []; // bytes of every block, whoever has it
    private static readonly Dictionary<nuint, List<(nint Address, long Since)>> Free = []; // those that came back last at the end
    private static long s_made;

    /// <summary>A contiguous float32 tensor on the CPU with undefined content.</summary>
    public static Tensor Empty(params long[] shape)
    {
        var floats = shape.Aggregate(1L, (product, size) => product * size);
        if (floats < LeastFloats) return empty(shape);
        var address = Take((nuint)floats * sizeof(float));
        nint handle;
        fixed (long* sizes = shape)
        {
            handle = NewTensor(address, &Return, sizes, shape.Length, (sbyte)ScalarType.Float32, (sbyte)ScalarType.Float32,
                (int)DeviceType.CPU, -1, 0);
        }
        if (handle != 0) return Tensor.UnsafeCreateTensor(handle);
        GiveBack(address);
        throw new InvalidOperationException("libtorch could not make a tensor of memory that it was given.");
    }

    /// <summary>The same, of another tensor's shape.</summary>
    public static Tensor EmptyLike(Tensor rows) => Empty(rows.shape);

    /// <summary>How many blocks wait for the next map of this many floats.</summary>
    internal static int Waiting(long floats)
    {
        lock (Gate) return Free.TryGetValue((nuint)floats * sizeof(float), out var blocks) ? blocks.Count : 0;
    }

    private static nint Take(nuint bytes)
    {
        lock (Gate)
        {
            s_made++;
            if (Free.TryGetValue(bytes, out var blocks) && blocks.Count > 0)
            {
                var (address, _) = blocks[^1];
                blocks.RemoveAt(blocks.Count - 1);
                return address;
            }
            LetGoOfOld();
            var made = (nint)NativeMemory.AlignedAlloc(bytes, 64);
            Sizes[made] = bytes;
            return made;
        }
    }

    // What no map has wanted for long belongs to another network, or to a batch of another size.
    private static void LetGoOfOld()
    {
        foreach (var blocks in Free.Values)
        {
            var old = blocks.TakeWhile(b => s_made - b.Since > LongAgo).ToList();
            foreach (var (address, _) in old)
            {
                Sizes.Remove(address);
                NativeMemory.AlignedFree((void*)address);
            }
            blocks.RemoveRange(0, old.Count);
        }
    }

    private static void GiveBack(nint address)
    {
        lock (Gate)
        {
            var bytes = Sizes[address];
            if (!Free.TryGetValue(bytes, out var blocks)) Free[bytes] = blocks = [];
            blocks.Add((address, s_made));
        }
    }

    [UnmanagedCallersOnly]
    private static void Return(nint address) => GiveBack(address);

    [LibraryImport("LibTorchSharp", EntryPoint = "THSTensor_new")]
    private static partial nint NewTensor(nint data, delegate* unmanaged<nint, void> deleter, long* sizes, int dimensions,
        sbyte scalarType, sbyte dtype, int deviceType, int deviceIndex, byte requiresGrad);
}
