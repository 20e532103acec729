using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

/// <summary>
/// Writes a copy of an ELF64 little-endian library in which one versioned symbol reference is weak, so that the dynamic loader
/// accepts a C++ runtime without that version. A second symbol, which older runtimes have under an older version, is asked for
/// under that one. The library itself, which lies in the package cache, stays as it is; a copy that
/// is right already is left alone.
/// </summary>
public class WeakenSymbolVersion : Task
{
    private const ushort WeakVersion = 2;       // VER_FLG_WEAK
    private const int WeakBinding = 2;          // STB_WEAK
    private const uint DynamicSymbols = 11;     // SHT_DYNSYM
    private const uint NeededVersions = 0x6ffffffe; // SHT_GNU_verneed
    private const uint SymbolVersions = 0x6fffffff; // SHT_GNU_versym

    public ITaskItem[] Files { get; set; }
    [Required] public string Version { get; set; }
    [Required] public string Symbol { get; set; }
    [Required] public string Destination { get; set; }
    public string OlderSymbol { get; set; }
    public string OlderSymbolFrom { get; set; }
    public string OlderSymbolTo { get; set; }

    public override bool Execute()
    {
        foreach (var item in Files ?? new ITaskItem[0])
        {
            var path = item.GetMetadata("FullPath");
            var bytes = File.ReadAllBytes(path);
            if (!IsElf64(bytes)) { Log.LogError("{0}: not a 64-bit little-endian ELF file.", path); continue; }
            Weaken(bytes);
            if (IsWritten(bytes)) continue;
            Directory.CreateDirectory(Path.GetDirectoryName(Destination));
            var beside = Destination + ".partial";
            File.WriteAllBytes(beside, bytes);
            File.Delete(Destination);
            File.Move(beside, Destination);
            Log.LogMessage(MessageImportance.Normal, "{0}: reference to {1} is weak here.", Destination, Version);
        }
        return !Log.HasLoggedErrors;
    }

    private bool IsWritten(byte[] bytes)
    {
        return File.Exists(Destination)
            && Convert.ToBase64String(File.ReadAllBytes(Destination)) == Convert.ToBase64String(bytes);
    }

    private static bool IsElf64(byte[] b)
    {
        return b.Length > 64 && b[0] == 0x7f && b[1] == 'E' && b[2] == 'L' && b[3] == 'F' && b[4] == 2 && b[5] == 1;
    }

    private void Weaken(byte[] b)
    {
        var numbers = new Dictionary<string, ushort>();
        foreach (var section in Sections(b))
        {
            var strings = StringTable(b, section.Link);
            if (section.Type == NeededVersions) WeakenNeededVersions(b, section, strings, numbers);
            if (section.Type == DynamicSymbols) WeakenSymbols(b, section, strings);
        }
        ushort from, to;
        if (OlderSymbol == null || !numbers.TryGetValue(OlderSymbolFrom, out from)
            || !numbers.TryGetValue(OlderSymbolTo, out to)) return;
        foreach (var section in Sections(b))
            if (section.Type == SymbolVersions) AskForOlder(b, section, from, to);
    }

    // The version table holds a number for each dynamic symbol, in their order.
    private void AskForOlder(byte[] b, Section versions, ushort from, ushort to)
    {
        var symbols = SectionAt(b, versions.Link);
        var strings = StringTable(b, symbols.Link);
        for (var i = 0; i < versions.Size / 2; i++)
        {
            var version = versions.Offset + i * 2;
            if (BitConverter.ToUInt16(b, version) != from
                || Text(b, strings + BitConverter.ToInt32(b, symbols.Offset + i * 24)) != OlderSymbol) continue;
            BitConverter.GetBytes(to).CopyTo(b, version);
        }
    }

    private void WeakenNeededVersions(byte[] b, Section section, int strings, Dictionary<string, ushort> numbers)
    {
        var need = section.Offset;
        for (var n = 0; n < section.Info; n++)
        {
            var aux = need + BitConverter.ToInt32(b, need + 8);
            for (var i = 0; i < BitConverter.ToUInt16(b, need + 2); i++)
            {
                var flags = BitConverter.ToUInt16(b, aux + 4);
                var name = Text(b, strings + BitConverter.ToInt32(b, aux + 8));
                numbers[name] = BitConverter.ToUInt16(b, aux + 6);
                if (name == Version || name == OlderSymbolFrom) b[aux + 4] = (byte)(flags | WeakVersion);
                aux += BitConverter.ToInt32(b, aux + 12);
            }
            need += BitConverter.ToInt32(b, need + 12);
        }
    }

    private void WeakenSymbols(byte[] b, Section section, int strings)
    {
        for (var s = section.Offset; s < section.Offset + section.Size; s += 24)
        {
            var undefined = BitConverter.ToUInt16(b, s + 6) == 0;
            if (!undefined || Text(b, strings + BitConverter.ToInt32(b, s)) != Symbol) continue;
            b[s + 4] = (byte)((WeakBinding << 4) | (b[s + 4] & 0xf));
        }
    }

    private static IEnumerable<Section> Sections(byte[] b)
    {
        for (var i = 0; i < BitConverter.ToUInt16(b, 0x3c); i++) yield return SectionAt(b, i);
    }

    private static Section SectionAt(byte[] b, int index)
    {
        var at = (int)BitConverter.ToInt64(b, 0x28) + index * 64;
        return new Section
        {
            Type = BitConverter.ToUInt32(b, at + 4),
            Offset = (int)BitConverter.ToInt64(b, at + 24),
            Size = (int)BitConverter.ToInt64(b, at + 32),
            Link = BitConverter.ToInt32(b, at + 40),
            Info = BitConverter.ToInt32(b, at + 44),
        };
    }

    private static int StringTable(byte[] b, int index)
    {
        return SectionAt(b, index).Offset;
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
