using System.Collections.Concurrent;
using Siamorph.Training;

namespace Siamorph.Studio.Folders;

/// <summary>
/// The logs of trainings that somebody watches, kept from one look to the next: a page asks every two seconds, and a log of a
/// long training takes a tenth of a second to read.
/// </summary>
internal sealed class RunLogs
{
    private const int Most = 8;

    private readonly ConcurrentDictionary<string, TrainingLogReader> _readers = new(StringComparer.Ordinal);

    /// <summary>All entries of a log.</summary>
    /// <exception cref="SiamorphException">It can't be read.</exception>
    public IReadOnlyList<LogEntry> Read(string path)
    {
        if (_readers.Count >= Most && !_readers.ContainsKey(path)) _readers.Clear();
        var reader = _readers.GetOrAdd(path, p => new TrainingLogReader(p));
        lock (reader) return reader.Read();
    }
}
