using System.Runtime.InteropServices;

namespace Siamorph.Cli;

/// <summary>
/// Settings that native libraries read once, when they load: of the C library's allocator and of OpenMP. .NET's own
/// environment setters don't reach them. Linux with glibc only; elsewhere, and on any failure, nothing happens.
/// </summary>
internal static partial class NativeSettings
{
    private const int TrimThreshold = -1, TopPad = -2, MmapThreshold = -3; // malloc.h
    private const int OnlineProcessors = 84;                               // _SC_NPROCESSORS_ONLN

    /// <summary>Call before anything touches torch. What the user has set in the environment stays.</summary>
    public static void Apply()
    {
        if (!OperatingSystem.IsLinux()) return;
        try
        {
            KeepFreedMemory();
            Default("GOMP_SPINCOUNT", "10000", unless: "OMP_WAIT_POLICY");
            // OpenMP sees all cores of the machine even where a container may use only some.
            if (Environment.ProcessorCount < sysconf(OnlineProcessors))
                Default("OMP_NUM_THREADS", $"{Environment.ProcessorCount}", unless: "MKL_NUM_THREADS");
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            // Another C library: its defaults are all right, only slower.
        }
    }

    // Large tensors otherwise go back to the kernel when freed and come back as page faults, every step.
    private static void KeepFreedMemory()
    {
        if (Environment.GetEnvironmentVariables().Keys.Cast<string>().Any(k => k.StartsWith("MALLOC_", StringComparison.Ordinal)))
            return;
        const int GiB = 1 << 30;
        _ = mallopt(MmapThreshold, GiB);
        _ = mallopt(TrimThreshold, int.MaxValue);
        _ = mallopt(TopPad, 64 << 20);
    }

    // An idle OpenMP thread spins by default, which starves whatever else wants the core.
    private static void Default(string name, string value, string unless)
    {
        if (Environment.GetEnvironmentVariable(unless) is null) _ = setenv(name, value, overwrite: 0);
    }

    [LibraryImport("libc.so.6", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int setenv(string name, string value, int overwrite);

    [LibraryImport("libc.so.6")]
    private static partial int mallopt(int parameter, int value);

    [LibraryImport("libc.so.6")]
    private static partial nint sysconf(int name);
}
