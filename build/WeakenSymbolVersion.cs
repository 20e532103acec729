using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

/// <summary>
/// Makes one versioned symbol reference of an ELF64 little-endian library weak, so that the dynamic loader accepts a
/// C++ runtime without that version. A new file is written beside and renamed: the old one may be hard-linked to the
/// package cache. A file that is weak already, or has no such version, is left alone.
/// </summary>
public class WeakenSymbolVersion : Task
{
    private const ushort WeakVersion = 2;       // VER_FLG_WEAK
    private const int WeakBinding = 2;          // STB_WEAK
    private const uint DynamicSymbols = 11;     // SHT_DYNSYM
    private const uint NeededVersions = 0x6ffffffe; // SHT_GNU_verneed

    [Required] public ITaskItem[] Files { get; set; }
    [Required] public string Version { get; set; }
    [Required] public string Symbol { get; set; }

    public override bool Execute()
    {
        foreach (var item in Files)
        {
            var path = item.GetMetadata("FullPath");
            var bytes = File.ReadAllBytes(path);
            if (!IsElf64(bytes)) { Log.LogError("{0}: not a 64-bit little-endian ELF file.", path); continue; }
            if (!Weaken(bytes)) continue;
            var beside = path + ".weakened";
            File.WriteAllBytes(beside, bytes);
            File.Delete(path);
            File.Move(beside, path);
            Log.LogMessage(MessageImportance.Normal, "{0}: reference to {1} is weak now.", path, Version);
        }
        return !Log.HasLoggedErrors;
    }

    private static bool IsElf64(byte[] b)
    {
        return b.Length > 64 && b[0] == 0x7f && b[1] == 'E' && b[2] == 'L' && b[3] == 'F' && b[4] == 2 && b[5] == 1;
    }

    private bool Weaken(byte[] b)
    {
        var changed = false;
        foreach (var section in Sections(b))
        {
            var strings = StringTable(b, section.Link);
            if (section.Type == NeededVersions) changed |= WeakenNeededVersions(b, section, strings);
            if (section.Type == DynamicSymbols) changed |= WeakenSymbols(b, section, strings);
        }
        return changed;
    }

    private bool WeakenNeededVersions(byte[] b, Section section, int strings)
    {
        var changed = false;
        var need = section.Offset;
        for (var n = 0; n < section.Info; n++)
        {
            var aux = need + BitConverter.ToInt32(b, need + 8);
            for (var i = 0; i < BitConverter.ToUInt16(b, need + 2); i++)
            {
                var flags = BitConverter.ToUInt16(b, aux + 4);
                if (Text(b, strings + BitConverter.ToInt32(b, aux + 8)) == Version && (flags & WeakVersion) == 0)
                {
                    b[aux + 4] = (byte)(flags | WeakVersion);
                    changed = true;
                }
                aux += BitConverter.ToInt32(b, aux + 12);
            }
            need += BitConverter.ToInt32(b, need + 12);
        }
        return changed;
    }

    private bool WeakenSymbols(byte[] b, Section section, int strings)
    {
        var changed = false;
        for (var s = section.Offset; s < section.Offset + section.Size; s += 24)
        {
            var undefined = BitConverter.ToUInt16(b, s + 6) == 0;
            if (!undefined || b[s + 4] >> 4 == WeakBinding) continue;
            if (Text(b, strings + BitConverter.ToInt32(b, s)) != Symbol) continue;
            b[s + 4] = (byte)((WeakBinding << 4) | (b[s + 4] & 0xf));
            changed = true;
        }
        return changed;
    }

    private static IEnumerable<Section> Sections(byte[] b)
    {
        var table = (int)BitConverter.ToInt64(b, 0x28);
        for (var i = 0; i < BitConverter.ToUInt16(b, 0x3c); i++)
        {
            var at = table + i * 64;
            yield return new Section
            {
                Type = BitConverter.ToUInt32(b, at + 4),
                Offset = (int)BitConverter.ToInt64(b, at + 24),
                Size = (int)BitConverter.ToInt64(b, at + 32),
                Link = BitConverter.ToInt32(b, at + 40),
                Info = BitConverter.ToInt32(b, at + 44),
            };
        }
    }

    private static int StringTable(byte[] b, int index)
    {
        var table = (int)BitConverter.ToInt64(b, 0x28);
        return (int)BitConverter.ToInt64(b, table + index * 64 + 24);
    }

    private static string Text(byte[] b, int at)
    {
        var end = Array.IndexOf(b, (byte)0, at);
        return Encoding.ASCII.GetString(b, at, end - at);
    }

    private struct Section
    {
        public uint Type;
        public int Offset, Size, Link, Info;
    }
}
