using System.Text;

namespace Siamorph.Training;

/// <summary>
/// Reads a log that grows: each time only what has been added since. A log that was written anew, as a resumed training does, is
/// read from its beginning. Not for several threads at once.
/// </summary>
/// <param name="path">The log.</param>
internal sealed class TrainingLogReader(string path)
{
    private readonly List<LogEntry> _entries = [];
    private byte[] _last = []; // the last whole line that was read, by which a log that was written anew is known
    private long _position;

    /// <summary>All entries so far; a last line that is not whole yet is passed over. A file that is missing has none.</summary>
    /// <exception cref="SiamorphException">The file can't be read, or a line in the middle is no entry.</exception>
    public IReadOnlyList<LogEntry> Read()
    {
        try
        {
            if (!File.Exists(path)) Forget();
            else using (var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete))
                Follow(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SiamorphException($"{path}: can't be read ({e.Message.TrimEnd('.')}).", e);
        }
        return [.. _entries];
    }

    private void Follow(FileStream file)
    {
        if (!Continues(file)) Forget();
        file.Position = _position;
        var added = new byte[file.Length - _position];
        var read = added.AsSpan(0, file.ReadAtLeast(added, added.Length, throwOnEndOfStream: false));
        var whole = read[..(read.LastIndexOf((byte)'\n') + 1)];
        if (whole.IsEmpty) return;
        Add(whole);
        _last = whole[(whole[..^1].LastIndexOf((byte)'\n') + 1)..].ToArray();
        _position += whole.Length;
    }

    private bool Continues(FileStream file)
    {
        if (_position == 0 || file.Length < _position) return _position == 0;
        var there = new byte[_last.Length];
        file.Position = _position - _last.Length;
        file.ReadExactly(there);
        return there.AsSpan().SequenceEqual(_last);
    }

    private void Add(ReadOnlySpan<byte> lines)
    {
        var added = new List<LogEntry>();
        foreach (var range in lines.Split((byte)'\n'))
        {
            if (lines[range].IsEmpty) continue;
            var entry = TrainingLog.Parse(Encoding.UTF8.GetString(lines[range]));
            added.Add(entry ?? throw new SiamorphException(
                $"{path}: line {_entries.Count + added.Count + 1} is not a log entry. Remove that line."));
        }
        _entries.AddRange(added);
    }

    private void Forget()
    {
        _entries.Clear();
        (_last, _position) = ([], 0);
    }
}
