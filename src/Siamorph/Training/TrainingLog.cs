using System.Globalization;
using System.Text;
using System.Text.Json;
using TorchSharp;
using TorchSharp.Modules;

namespace Siamorph.Training;

/// <summary>One line of a training log.</summary>
/// <param name="Step">Steps done when it was written.</param>
/// <param name="Time">When it was written.</param>
/// <param name="Values">Losses, learning rate and the like, by name.</param>
internal sealed record LogEntry(long Step, DateTimeOffset Time, IReadOnlyDictionary<string, double> Values);

/// <summary>Writes a run's numbers as JSON lines, and as TensorBoard events if wanted.</summary>
internal sealed class TrainingLog : IDisposable
{
    private readonly string _path;
    private readonly FileStream _stream;
    private readonly SummaryWriter? _tensorBoard;

    /// <summary>Opens the run's log to write on at its end.</summary>
    /// <param name="run">Whose log.</param>
    /// <param name="tensorBoard">Whether to write events too.</param>
    /// <param name="keepThrough">The step at which the run goes on: later entries are dropped. Null keeps all.</param>
    /// <exception cref="SiamorphException">The log can't be read or written.</exception>
    public TrainingLog(RunFolder run, bool tensorBoard = true, long? keepThrough = null)
    {
        ArgumentNullException.ThrowIfNull(run);
        _path = run.LogPath;
        var kept = File.Exists(_path) ? Read(_path).Where(e => e.Step <= (keepThrough ?? long.MaxValue)).ToList() : [];
        AtomicFile.WriteText(_path, string.Concat(kept.Select(Line))); // also drops a line that a crash has cut off
        _stream = Attempt(() => new FileStream(_path, FileMode.Append, FileAccess.Write, FileShare.Read));
        if (tensorBoard) _tensorBoard = Attempt(() => Events(run.TensorBoardFolder, kept));
    }

    /// <summary>Writes one entry; it is in the file when this returns.</summary>
    /// <param name="step">Steps done.</param>
    /// <param name="values">By name; "loss/mask" groups under "loss" in TensorBoard.</param>
    /// <exception cref="SiamorphException">The disk is full or the folder is gone.</exception>
    public void Add(long step, IReadOnlyDictionary<string, double> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        var entry = new LogEntry(step, DateTimeOffset.UtcNow, values);
        Attempt(() =>
        {
            _stream.Write(Encoding.UTF8.GetBytes(Line(entry)));
            _stream.Flush();
            if (_tensorBoard is not null) Add(_tensorBoard, entry);
            return true;
        });
    }

    /// <summary>All entries of a log; a last line that was cut off is passed over.</summary>
    /// <exception cref="SiamorphException">The file can't be read, or a line in the middle is no entry.</exception>
    public static IReadOnlyList<LogEntry> Read(string path)
    {
        string[] lines;
        try
        {
            // It may be growing
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var reader = new StreamReader(file);
            lines = reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SiamorphException($"{path}: can't be read ({e.Message.TrimEnd('.')}).", e);
        }
        var entries = new List<LogEntry>(lines.Length);
        for (var i = 0; i < lines.Length; i++)
        {
            if (Parse(lines[i]) is { } entry) entries.Add(entry);
            else if (i < lines.Length - 1)
                throw new SiamorphException($"{path}: line {i + 1} is not a log entry. Remove that line.");
        }
        return entries;
    }

    /// <summary>Closes the files.</summary>
    public void Dispose()
    {
        _stream.Dispose();
        if (_tensorBoard is not null) ForgetMachine(_tensorBoard.LogDir);
    }

    // The writer puts the machine's name into the name of its file; run folders are passed on.
    private static void ForgetMachine(string folder)
    {
        const string Events = "events.out.tfevents";
        foreach (var file in Directory.Exists(folder) ? Directory.GetFiles(folder, $"{Events}.*") : [])
        {
            var time = Path.GetFileName(file).Split('.').ElementAtOrDefault(3);
            File.Move(file, Path.Combine(folder, $"{Events}.{time}.siamorph"), overwrite: true);
        }
    }

    private static string Line(LogEntry entry)
    {
        var fields = new Dictionary<string, object>
        {
            ["step"] = entry.Step,
            ["time"] = entry.Time.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture),
        };
        foreach (var (name, value) in entry.Values) fields[name] = value;
        return JsonSerializer.Serialize(fields, LineFormat) + "\n";
    }

    private static readonly JsonSerializerOptions LineFormat = new(OptionsFile.Json) { WriteIndented = false };

    /// <summary>A line as an entry; null where it is none.</summary>
    internal static LogEntry? Parse(string line)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            var values = document.RootElement.EnumerateObject().Where(p => p.Name is not ("step" or "time"));
            return new LogEntry(
                document.RootElement.GetProperty("step").GetInt64(),
                document.RootElement.GetProperty("time").GetDateTimeOffset(),
                values.ToDictionary(p => p.Name, p => p.Value.Deserialize<double>(LineFormat)));
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    // The events are written anew, so that after a resume they hold what the log holds.
    private static SummaryWriter Events(string folder, List<LogEntry> kept)
    {
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        Directory.CreateDirectory(folder);
        var writer = torch.utils.tensorboard.SummaryWriter(folder, createRunName: false);
        foreach (var entry in kept) Add(writer, entry);
        return writer;
    }

    private static void Add(SummaryWriter writer, LogEntry entry)
    {
        foreach (var (name, value) in entry.Values)
            writer.add_scalar(name, (float)value, (int)entry.Step, entry.Time.ToUnixTimeSeconds());
    }

    private T Attempt<T>(Func<T> write)
    {
        try
        {
            return write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SiamorphException(
                $"{_path}: can't be written ({e.Message.TrimEnd('.')}). Check the folder's rights and the free space.", e);
        }
    }
}
