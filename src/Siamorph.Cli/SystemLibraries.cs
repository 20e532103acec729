using System.Runtime.InteropServices;

namespace Siamorph.Cli;

/// <summary>
/// What has to be on a Linux machine beside this program. Without libssl .NET ends the process with a stack and no exception;
/// with older C and C++ libraries the loader's message names a symbol. So it is looked for first, and told in one line.
/// </summary>
internal static partial class SystemLibraries
{
    /// <summary>There since GCC 11; TorchSharp's native half asks for it.</summary>
    private const string NewSymbol = "_ZSt28__throw_bad_array_new_lengthv", NewVersion = "GLIBCXX_3.4.29";

    private static readonly Version _leastGlibc = new(2, 34);

    /// <summary>What a machine has.</summary>
    /// <param name="Glibc">Version of the C library; null where it is another one.</param>
    /// <param name="Has">Whether the loader finds a library of this name.</param>
    /// <param name="HasNewCpp">Whether libstdc++ is that of GCC 11 or newer.</param>
    internal sealed record Facts(Version? Glibc, Func<string, bool> Has, Func<bool> HasNewCpp)
    {
        /// <summary>The user's own choice of OpenSSL, as .NET reads it.</summary>
        public string? OpenSslVersion { get; init; }
    }

    /// <summary>What is missing and how to get it, in one line; null where nothing is.</summary>
    public static string? Fault() => OperatingSystem.IsLinux() ? FaultOf(Here()) : null;

    internal static string? FaultOf(Facts here)
    {
        if (here.Glibc is null)
            return "this system's C library is not glibc. Siamorph needs a Linux with glibc 2.34 or newer, such as Debian 12.";
        if (here.Glibc < _leastGlibc)
            return $"glibc {here.Glibc} is too old: 2.34 or newer is needed. Debian 12, Ubuntu 22.04 and RHEL 9 have it; so does "
                + $"the container image.";
        if (!here.Has("libstdc++.so.6"))
            return "libstdc++ is missing. Install it: apt-get install libstdc++6, or dnf install libstdc++.";
        if (!here.HasNewCpp())
            return "libstdc++ is too old: that of GCC 11 or newer is needed. Debian 12, Ubuntu 22.04 and RHEL 9 have it; so does "
                + "the container image.";
        if (!OpenSslNames(here.OpenSslVersion).Any(here.Has))
            return "libssl (OpenSSL) is missing. Install it: apt-get install libssl3, or dnf install openssl-libs.";
        return null;
    }

    // Those that .NET tries, in its order.
    private static IEnumerable<string> OpenSslNames(string? chosen)
        => ((string?[])[chosen, "3", "1.1", "1.0.2", "1.0.0", "10"]).Where(v => !string.IsNullOrEmpty(v))
        .Select(v => $"libssl.so.{v}");

    private static Facts Here() => new(Glibc(), Loads, HasNewCpp)
    {
        OpenSslVersion = Environment.GetEnvironmentVariable("CLR_OPENSSL_VERSION_OVERRIDE"),
    };

    private static Version? Glibc()
    {
        try
        {
            return Version.TryParse(Marshal.PtrToStringUTF8(gnu_get_libc_version()), out var version) ? version : null;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            return null;
        }
    }

    private static bool Loads(string name) => NativeLibrary.TryLoad(name, out _); // stays loaded: it is needed in a moment

    private static bool HasNewCpp() => NativeLibrary.TryLoad("libstdc++.so.6", out var library)
    && dlvsym(library, NewSymbol, NewVersion) != 0;

    [LibraryImport("libc.so.6")]
    private static partial nint gnu_get_libc_version();

    [LibraryImport("libc.so.6", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint dlvsym(nint handle, string symbol, string version);
}
