using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Siamorph.Evaluation.ImageSets;

/// <summary>
/// Vectors by the hash of what they were computed from, in one file that only grows: whatever a stopped run had computed is
/// found by the next. A record that was cut off is dropped.
/// </summary>
/// <typeparam name="T">Element type, float or double.</typeparam>
internal sealed class RowStore<T> : IDisposable where T : unmanaged
{
    private const int HashLength = 32, HeaderLength = 8;
    private readonly Dictionary<string, long> _places = [];
    private readonly Dictionary<string, T[]>? _memory;
    private readonly SafeFileHandle? _file;
    private readonly int _elementSize = Marshal.SizeOf<T>();
    private int _width;
    private long _end;

    /// <param name="folder">Where the file lies; null keeps rows in memory alone.</param>
    /// <param name="name">Names what was computed, and how.</param>
    public RowStore(string? folder, string name)
    {
        if (folder is null)
        {
            _memory = [];
            return;
        }
        Directory.CreateDirectory(folder);
        _file = File.OpenHandle(Path.Combine(folder, $"{name}.rows"), FileMode.OpenOrCreate, FileAccess.ReadWrite,
            FileShare.None);
        ReadIndex();
    }

    private int RecordLength => HashLength + _width * _elementSize;

    public T[]? Find(string hash)
    {
        if (_memory is not null) return _memory.GetValueOrDefault(hash);
        if (!_places.TryGetValue(hash, out var place)) return null;
        var row = new T[_width];
        RandomAccess.Read(_file!, MemoryMarshal.AsBytes(row.AsSpan()), place + HashLength);
        return row;
    }

    public void Add(string hash, T[] row)
    {
        if (_memory is not null)
        {
            _memory[hash] = row;
            return;
        }
        if (_places.ContainsKey(hash)) return;
        if (_width == 0)
        {
            _width = row.Length;
            Span<byte> header = stackalloc byte[HeaderLength];
            BinaryPrimitives.WriteInt32LittleEndian(header, _width);
            BinaryPrimitives.WriteInt32LittleEndian(header[4..], _elementSize);
            RandomAccess.Write(_file!, header, 0);
            _end = HeaderLength;
        }
        var record = new byte[RecordLength];
        Convert.FromHexString(hash).CopyTo(record, 0);
        MemoryMarshal.AsBytes(row.AsSpan()).CopyTo(record.AsSpan(HashLength));
        RandomAccess.Write(_file!, record, _end);
        _places[hash] = _end;
        _end += record.Length;
    }

    public void Dispose() => _file?.Dispose();

    private void ReadIndex()
    {
        var length = RandomAccess.GetLength(_file!);
        Span<byte> header = stackalloc byte[HeaderLength];
        if (length < HeaderLength || RandomAccess.Read(_file!, header, 0) < HeaderLength) return;
        _width = BinaryPrimitives.ReadInt32LittleEndian(header);
        if (_width <= 0 || BinaryPrimitives.ReadInt32LittleEndian(header[4..]) != _elementSize)
        {
            _width = 0; // another program's file: begin anew
            return;
        }
        Span<byte> hash = stackalloc byte[HashLength];
        for (_end = HeaderLength; _end + RecordLength <= length; _end += RecordLength)
        {
            RandomAccess.Read(_file!, hash, _end);
            _places[Convert.ToHexStringLower(hash)] = _end;
        }
    }
}
