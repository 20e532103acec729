using System.Text;
using System.Text.Json.Serialization;
using Siamorph.Data;

namespace Siamorph.Study;

/// <summary>A line of a session: its beginning, or an answer. Each holds the hash of the line before it.</summary>
internal sealed record SessionLine
{
    /// <summary>SHA-256 of the line before; of study.json in the first.</summary>
    public string Previous { get; init; } = "";

    public required DateTimeOffset At { get; init; }

    // Of the first line.
    public string? Study { get; init; }
    public string? Reader { get; init; }
    public int? Session { get; init; }
    public string? Profile { get; init; }

    // Of the others.
    public string? Item { get; init; }
    public StudyBlock? Block { get; init; }
    public int? Quality { get; init; }
    public int? Shape { get; init; }
    public int? Realism { get; init; }
    public string? Outline { get; init; }
    public DateTimeOffset? Shown { get; init; }
    public long? Ms { get; init; }
    public long? HiddenMs { get; init; }
    public double? Zoom { get; init; }

    /// <summary>Time before the image, without pauses.</summary>
    [JsonIgnore]
    public double Seconds => ((Ms ?? 0) - (HiddenMs ?? 0)) / 1000.0;
}

/// <summary>
/// The answers of one session, a line each, only ever added to. A line is on the disk before the next image is shown, so a
/// process that is killed loses at most the answer it was writing: that line lacks its end and is asked again. A line that was
/// changed, added or taken out breaks the chain of hashes.
/// </summary>
internal sealed class SessionLog
{
    private const int MostAttempts = 100, PauseMilliseconds = 10;

    private readonly string _path;
    private long _length, _seen;

    private SessionLog(string path, string head) => (_path, Head) = (path, head);

    /// <summary>The lines that are whole, the first being the beginning.</summary>
    public List<SessionLine> Lines { get; } = [];

    /// <summary>The answers.</summary>
    public IEnumerable<SessionLine> Answers => Lines.Skip(1);

    /// <summary>Whether the last line was cut off while it was written.</summary>
    public bool IsTorn { get; private set; }

    /// <summary>Hash of the last line; of study.json where there is none.</summary>
    public string Head { get; private set; }

    /// <summary>Reads a session, or begins one where there is none.</summary>
    /// <exception cref="InvalidStudyException">A line was changed, or study.json was since the first answer.</exception>
    public static SessionLog Read(StudyFolder study, string reader, int session)
    {
        var log = new SessionLog(study.SessionPath(reader, session), study.Hash);
        if (!File.Exists(log._path)) return log;
        var bytes = Patiently(() => File.ReadAllBytes(log._path));
        log._length = Array.LastIndexOf(bytes, (byte)'\n') + 1;
        (log._seen, log.IsTorn) = (bytes.Length, log._length < bytes.Length);
        var from = 0;
        for (var to = Array.IndexOf(bytes, (byte)'\n'); to >= 0; to = Array.IndexOf(bytes, (byte)'\n', from))
        {
            log.Take(bytes.AsSpan(from, to - from), study.Hash);
            from = to + 1;
        }
        return log;
    }

    /// <summary>Adds a line; when this returns it is on the disk.</summary>
    /// <exception cref="InvalidStudyException">Another page has added lines meanwhile.</exception>
    /// <exception cref="SiamorphException">The disk is full or the folder can't be written; nothing was added.</exception>
    public void Append(params IEnumerable<SessionLine> lines)
    {
        var (head, text, added) = (Head, new StringBuilder(), new List<SessionLine>());
        foreach (var line in lines)
        {
            added.Add(line with { Previous = head });
            var written = JsonLines.Line(added[^1]);
            head = ContentHash.Of(written);
            text.Append(written).Append('\n');
        }
        Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
        using var file = Patiently(() => new FileStream(_path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        if (file.Length != _seen)
            throw new InvalidStudyException($"{_path}: another page has answered meanwhile. Load this one again.");
        Write(file, Encoding.UTF8.GetBytes(text.ToString()));
        (_length, _seen, Head, IsTorn) = (file.Length, file.Length, head, false);
        Lines.AddRange(added);
    }

    private void Write(FileStream file, byte[] lines)
    {
        try
        {
            file.SetLength(_length); // takes away what a killed process left of a line
            file.Seek(0, SeekOrigin.End);
            file.Write(lines);
            file.Flush(flushToDisk: true);
        }
        catch (IOException e)
        {
            file.SetLength(_length);
            _seen = _length;
            throw new SiamorphException($"{_path}: can't be written ({e.Message.TrimEnd('.')}). Check the free space, then "
                + $"answer again.", e);
        }
    }

    // "study check" may be reading just now.
    private static T Patiently<T>(Func<T> open)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return open();
            }
            catch (IOException) when (attempt < MostAttempts)
            {
                Thread.Sleep(PauseMilliseconds);
            }
        }
    }

    private void Take(ReadOnlySpan<byte> bytes, string study)
    {
        var number = Lines.Count + 1;
        var line = JsonLines.Parse<SessionLine>(Encoding.UTF8.GetString(bytes))
            ?? throw new InvalidStudyException($"{_path}, line {number}: not a line of a session. Restore the file; answers are "
                + "never edited.");
        if (number == 1 && line.Study is { } begun && begun != study)
            throw new InvalidStudyException($"{StudyFolder.StudyName} was changed after the first answer: {_path} began with "
                + "another one. Put the old file back, or make a new study.");
        if (line.Previous != Head || (number == 1) != (line.Study is not null) || (number > 1 && line.Item is null))
            throw new InvalidStudyException($"{_path}, line {number}: the chain is broken: a line was changed, added or taken "
                + $"out at line {Math.Max(1, number - 1)} or {number}. Restore the file; answers are never edited.");
        Head = ContentHash.OfBytes(bytes);
        Lines.Add(line);
    }
}
