using System.Globalization;

namespace Siamorph.Benchmarks;

/// <summary>What the system says of this process.</summary>
internal static class ProcessMemory
{
    /// <summary>The high-water mark of the resident set, in MiB; 0 where the system doesn't tell.</summary>
    public static double Peak() => !File.Exists("/proc/self/status") ? 0 : double.Parse(
        File.ReadLines("/proc/self/status").First(l => l.StartsWith("VmHWM", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture) / 1024;
}
