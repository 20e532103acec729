using System.Runtime.InteropServices;

namespace Siamorph.Acceleration;

/// <summary>The few C functions of libtorch_cpu that TorchSharp does not wrap.</summary>
internal static unsafe partial class NativeTorch
{
    /// <summary>Runs <paramref name="body"/>(begin, end, context) over parts of a range on libtorch's own threads.</summary>
    [LibraryImport("torch_cpu", EntryPoint = "torch_parallel_for")]
    internal static partial int ParallelFor(
        long begin, long end, long grain, delegate* unmanaged<long, long, void*, void> body, void* context);
}
