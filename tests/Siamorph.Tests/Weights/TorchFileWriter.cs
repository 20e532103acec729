using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using Siamorph.Weights;

namespace Siamorph.Tests.Weights;

/// <summary>Writes the PyTorch files that tests and measurements read; the product itself never writes pickles.</summary>
public static class TorchFileWriter
{
    /// <summary>A file of PyTorch 1.6 and later: a zip archive with entries at multiples of 64 bytes.</summary>
    internal static void WriteZip(string path, WeightTable weights, Action<PickleWriter, Action>? around = null)
    {
        using var stream = File.Create(path);
        var zip = new StoredZip(stream);
        zip.Add("archive/data.pkl", Pickle(weights, legacy: false, around));
        zip.Add("archive/byteorder", "little"u8);
        var key = 0;
        foreach (var entry in weights.Entries) zip.Add($"archive/data/{key++}", entry);
        zip.Add("archive/version", "3\n"u8);
        zip.Finish();
    }

    /// <summary>A file of PyTorch before 1.6: pickles, then storages.</summary>
    internal static void WriteLegacy(string path, WeightTable weights, Action<PickleWriter, Action>? around = null)
    {
        using var stream = File.Create(path);
        stream.Write([0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, (byte)'.']);
        stream.Write([0x80, 2, (byte)'M', 0xE9, 0x03, (byte)'.']);
        stream.Write(new PickleWriter()
            .Dict(("little_endian", w => w.Bool(true)), ("protocol_version", w => w.Number(1001))).Stop());
        stream.Write(Pickle(weights, legacy: true, around));
        var keys = new PickleWriter().Op(']').Op('(');
        for (var i = 0; i < weights.Entries.Count; i++) keys.Text($"{i}");
        stream.Write(keys.Op('e').Stop());
        Span<byte> count = stackalloc byte[8];
        foreach (var entry in weights.Entries)
        {
            BinaryPrimitives.WriteInt64LittleEndian(count, entry.Elements);
            stream.Write(count);
            Bytes(entry, chunk => stream.Write(chunk));
        }
    }

    /// <summary>A zip archive around a pickle of one's own.</summary>
    public static void WriteRawZip(string path, byte[] pickle, params (string Key, byte[] Bytes)[] storages)
    {
        using var stream = File.Create(path);
        var zip = new StoredZip(stream);
        zip.Add("archive/data.pkl", pickle);
        foreach (var (key, bytes) in storages) zip.Add($"archive/data/{key}", bytes);
        zip.Finish();
    }

    internal static void Bytes(WeightEntry entry, Action<ReadOnlySpan<byte>> write)
    {
        if (entry.Elements == 0) return;
        using var tensor = entry.Read();
        using var whole = tensor.contiguous();
        using var flat = whole.view(-1);
        write(flat.bytes);
    }

    private static byte[] Pickle(WeightTable weights, bool legacy, Action<PickleWriter, Action>? around)
    {
        var writer = new PickleWriter();
        void StateDict()
        {
            writer.Global("collections", "OrderedDict").Op(')').Op('R').Op('(');
            for (var i = 0; i < weights.Entries.Count; i++)
                writer.Text(weights.Entries[i].Name).Tensor(weights.Entries[i], $"{i}", legacy);
            writer.Op('u');
        }

        if (around is null) StateDict();
        else around(writer, StateDict);
        return writer.Stop();
    }

    // Entries without compression; ZIP64 where a number doesn't fit.
    private sealed class StoredZip(FileStream stream)
    {
        private readonly List<(byte[] Name, long Offset, long Length, uint Crc)> _entries = [];

        public void Add(string name, ReadOnlySpan<byte> bytes)
        {
            var begin = Begin(name);
            stream.Write(bytes);
            End(begin, Crc32.HashToUInt32(bytes));
        }

        public void Add(string name, WeightEntry entry)
        {
            var begin = Begin(name);
            var sum = new Crc32();
            Bytes(entry, chunk => { sum.Append(chunk); stream.Write(chunk); });
            End(begin, sum.GetCurrentHashAsUInt32());
        }

        public void Finish()
        {
            var start = stream.Position;
            foreach (var entry in _entries) WriteDirectoryEntry(entry);
            var (length, count) = (stream.Position - start, _entries.Count);
            var large = start > uint.MaxValue || count > ushort.MaxValue;
            if (large)
            {
                var at = stream.Position;
                Write("PK\x06\x06"u8, 44L, (ushort)45, (ushort)45, 0u, 0u, (long)count, (long)count, length, start);
                Write("PK\x06\x07"u8, 0u, at, 1u);
            }
            var shown = large ? ushort.MaxValue : (ushort)count;
            Write("PK\x05\x06"u8, (ushort)0, (ushort)0, shown, shown, large ? uint.MaxValue : (uint)length, large ? uint.MaxValue
                : (uint)start, (ushort)0);
        }

        private (byte[] Name, long Header, long Data) Begin(string name)
        {
            var (bytes, header) = (Encoding.UTF8.GetBytes(name), stream.Position);
            var padding = (int)((64 - (header + 30 + bytes.Length + 4) % 64) % 64);
            WriteLocal(bytes, 0, 0, padding);
            return (bytes, header, stream.Position);
        }

        private void End((byte[] Name, long Header, long Data) entry, uint crc)
        {
            var (end, length) = (stream.Position, stream.Position - entry.Data);
            stream.Position = entry.Header;
            WriteLocal(entry.Name, crc, length, (int)(entry.Data - entry.Header - 30 - entry.Name.Length - 4));
            stream.Position = end;
            _entries.Add((entry.Name, entry.Header, length, crc));
        }

        private void WriteLocal(byte[] name, uint crc, long length, int padding)
        {
            Write("PK\x03\x04"u8, (ushort)0, (ushort)0, (ushort)0, 0u, crc, (uint)length, (uint)length, (ushort)name.Length,
                (ushort)(4 + padding));
            stream.Write(name);
            Write("FB"u8, (ushort)padding);
            stream.Write(new byte[padding]);
        }

        private void WriteDirectoryEntry((byte[] Name, long Offset, long Length, uint Crc) entry)
        {
            var large = entry.Offset > uint.MaxValue - 1;
            Write("PK\x01\x02"u8, (ushort)0, (ushort)0, (ushort)0, (ushort)0, 0u, entry.Crc, (uint)entry.Length,
                (uint)entry.Length,
                (ushort)entry.Name.Length, (ushort)(large ? 12 : 0), (ushort)0, (ushort)0, (ushort)0, 0u, large ? uint.MaxValue
                    : (uint)entry.Offset);
            stream.Write(entry.Name);
            if (large) Write([], (ushort)1, (ushort)8, entry.Offset);
        }

        private void Write(ReadOnlySpan<byte> magic, params object[] numbers)
        {
            stream.Write(magic);
            foreach (var number in numbers)
            {
                stream.Write(number switch
                {
                    ushort n => BitConverter.GetBytes(n), uint n => BitConverter.GetBytes(n), long n => BitConverter.GetBytes(n),
                    _ => throw new ArgumentException("A number of 2, 4 or 8 bytes is needed."),
                });
            }
        }
    }
}
