using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Siamorph.Studio;

/// <summary>The few calls of the operating system that .NET does not offer; on Windows nothing of it is needed.</summary>
internal static partial class SystemCalls
{
    private const int ReadNonBlocking = 0x800 | 0x80000; // O_RDONLY | O_NONBLOCK | O_CLOEXEC on Linux
    private const int CurrentPlace = 1;                  // SEEK_CUR

    /// <summary>
    /// Opens a file to read without waiting for a writer; null where it has no places to seek, as a pipe or a terminal.
    /// </summary>
    public static SafeFileHandle? OpenRegular(string path)
    {
        if (!OperatingSystem.IsLinux()) return File.OpenHandle(path);
        var descriptor = open(path, ReadNonBlocking);
        if (descriptor < 0) throw new FileNotFoundException("can't be opened", path);
        var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        if (lseek(descriptor, 0, CurrentPlace) >= 0) return handle;
        handle.Dispose();
        return null;
    }

    /// <summary>
    /// Leaves the session of whoever started this process, so that it outlives them; both streams go to a file.
    /// </summary>
    public static void Detach(string log)
    {
        if (OperatingSystem.IsWindows()) return;
        _ = setsid();
        using var file = new FileStream(log, FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
        var descriptor = (int)file.SafeFileHandle.DangerousGetHandle();
        _ = dup2(descriptor, 1);
        _ = dup2(descriptor, 2);
    }

    /// <summary>Ends this process and all that it started, at once.</summary>
    public static void KillGroup()
    {
        if (OperatingSystem.IsWindows()) System.Diagnostics.Process.GetCurrentProcess().Kill(entireProcessTree: true);
        else _ = kill(0, 9);
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags);

    [LibraryImport("libc")]
    private static partial long lseek(int descriptor, long offset, int whence);

    [LibraryImport("libc")]
    private static partial int setsid();

    [LibraryImport("libc")]
    private static partial int dup2(int from, int to);

    [LibraryImport("libc")]
    private static partial int kill(int process, int signal);
}
