using System.Reflection;
using System.Runtime.InteropServices;
using Siamorph.Acceleration;
using TorchSharp;

namespace Siamorph.Training;

/// <summary>On what a run was made; names neither users nor paths.</summary>
/// <param name="Siamorph">Version of this library.</param>
/// <param name="TorchSharp">Version of the bindings.</param>
/// <param name="LibTorch">Version of the tensor library.</param>
/// <param name="DotNet">Version of the runtime.</param>
/// <param name="OperatingSystem">Name and version.</param>
/// <param name="Architecture">Such as X64.</param>
/// <param name="Processor">Model, or null where the system does not say.</param>
/// <param name="Cores">Logical processors the process may use.</param>
/// <param name="TorchThreads">Threads within one tensor operation.</param>
/// <param name="MemoryMiB">Memory the process may use, MiB.</param>
/// <param name="Cuda">Whether a CUDA device was there.</param>
internal sealed record RunEnvironment(
    string Siamorph, string TorchSharp, string LibTorch, string DotNet, string OperatingSystem, string Architecture,
    string? Processor, int Cores, int TorchThreads, long MemoryMiB, bool Cuda)
{
    /// <summary>Whether the library's own kernels compute on the CPU; without them libtorch does.</summary>
    public bool Kernels { get; init; } = KernelUse.IsOn;

    /// <summary>Version of this library.</summary>
    public static string SiamorphVersion => VersionOf(typeof(RunEnvironment).Assembly);

    /// <summary>This process's.</summary>
    public static RunEnvironment Here() => new(
        SiamorphVersion,
        VersionOf(typeof(torch).Assembly),
        torch.__version__,
        RuntimeInformation.FrameworkDescription,
        RuntimeInformation.OSDescription,
        $"{RuntimeInformation.ProcessArchitecture}",
        ProcessorName(),
        Environment.ProcessorCount,
        torch.get_num_threads(),
        GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 20,
        torch.cuda.is_available());

    private static string VersionOf(Assembly assembly) =>
        assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion
        ?? assembly.GetName().Version?.ToString() ?? "unknown";

    private static string? ProcessorName()
    {
        const string List = "/proc/cpuinfo";
        if (!File.Exists(List)) return null;
        var line = File.ReadLines(List).FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal));
        return line?[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
    }
}
