using System.Text;

namespace Siamorph.Tests;

/// <summary>The build makes TorchSharp's native half load where libstdc++ is older than the one it was linked with.</summary>
public class NativeLibraryTests
{
    private const uint NeededVersions = 0x6ffffffe; // SHT_GNU_verneed
    private const int WeakVersion = 2;              // VER_FLG_WEAK

    [Fact]
    public void TorchSharpsLibrary_DemandsTheNewRuntimeOnlyWeakly()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("Only Linux has this library format.");
        var path = Directory.EnumerateFiles(AppContext.BaseDirectory, "libLibTorchSharp.so", SearchOption.AllDirectories).First();
        Assert.True(DemandsTheNewRuntimeOnlyWeakly(path));
    }

    /// <summary>Whether a library is content with GCC 11's libstdc++.</summary>
    internal static bool DemandsTheNewRuntimeOnlyWeakly(string path)
    {
        var flags = NeededVersionFlags(File.ReadAllBytes(path));
        Assert.Contains("GLIBCXX_3.4.11", flags.Keys);
        return new[] { "GLIBCXX_3.4.30", "GLIBCXX_3.4.32" }.All(v => !flags.TryGetValue(v, out var flag)
            || (flag & WeakVersion) != 0);
    }

    // ELF64: e_shoff and e_shnum give the section table; the verneed section is a chain of libraries, each with a chain of
    // versions.
    private static Dictionary<string, int> NeededVersionFlags(byte[] elf)
    {
        var flags = new Dictionary<string, int>();
        var table = (int)BitConverter.ToInt64(elf, 0x28);
        for (var s = 0; s < BitConverter.ToUInt16(elf, 0x3c); s++)
        {
            var section = table + s * 64;
            if (BitConverter.ToUInt32(elf, section + 4) != NeededVersions) continue;
            var strings = (int)BitConverter.ToInt64(elf, table + BitConverter.ToInt32(elf, section + 40) * 64 + 24);
            var library = (int)BitConverter.ToInt64(elf, section + 24);
            for (var n = BitConverter.ToInt32(elf, section + 44); n > 0; n--)
            {
                var version = library + BitConverter.ToInt32(elf, library + 8);
                for (var v = BitConverter.ToUInt16(elf, library + 2); v > 0; v--)
                {
                    flags[Text(elf, strings + BitConverter.ToInt32(elf, version + 8))] = BitConverter.ToUInt16(elf, version + 4);
                    version += BitConverter.ToInt32(elf, version + 12);
                }
                library += BitConverter.ToInt32(elf, library + 12);
            }
        }
        return flags;
    }

    private static string Text(byte[] bytes, int at) =>
        Encoding.ASCII.GetString(bytes, at, Array.IndexOf(bytes, (byte)0, at) - at);
}
