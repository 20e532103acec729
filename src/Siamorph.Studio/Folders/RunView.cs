using System.Globalization;
using System.Text.Json.Nodes;
using Siamorph.Reports.Charts;
using Siamorph.Studio.Jobs;
using Siamorph.Training;

namespace Siamorph.Studio.Folders;

/// <summary>A training as its folder tells it.</summary>
internal sealed record RunView
{
    private const int PaceEntries = 50;

    public required string Folder { get; init; }

    /// <summary>A process writes there now.</summary>
    public required bool Busy { get; init; }

    public required long Step { get; init; }

    /// <summary>Steps of all stages; 0 where the options don't say.</summary>
    public required long Total { get; init; }

    public required double? SecondsLeft { get; init; }

    /// <summary>The options as the file has them.</summary>
    public required string Options { get; init; }

    public required IReadOnlyList<LogEntry> Entries { get; init; }

    /// <summary>The entries as charts; drawn when they are asked for.</summary>
    public IReadOnlyList<LossChart> Losses => LossChart.Of(Entries);

    /// <summary>Images drawn on the way: step and file.</summary>
    public required IReadOnlyList<(long Step, string File)> Previews { get; init; }

    /// <summary>Steps at which there is a checkpoint.</summary>
    public required IReadOnlyList<string> Checkpoints { get; init; }

    /// <summary>It draws images, rather than segmenting them.</summary>
    public required bool IsGenerator { get; init; }

    public bool Finished => Total > 0 && Step >= Total;

    /// <summary>Changes whenever anything does that a page shows of the run while it goes on.</summary>
    public string Version => string.Create(CultureInfo.InvariantCulture,
        $"{State} {Total} {Entries.Count} {(Entries is [.., var last] ? $"{last.Step} {last.Time:O}" : "")} {Previews.Count}");

    public string State => Busy ? "running" : Finished ? "finished" : "stopped";

    /// <param name="folder">Of the run.</param>
    /// <param name="logs">Where logs are kept from one look to the next.</param>
    public static RunView Read(string folder, RunLogs logs)
    {
        var options = OptionsFile.ReadObject(Path.Combine(folder, "options.json"));
        var entries = logs.Read(Path.Combine(folder, "log.jsonl"));
        var (step, total, busy) = (entries is [.., var last] ? last.Step : 0, TotalOf(options), FolderLock.IsHeld(folder));
        return new()
        {
            Folder = folder,
            Busy = busy,
            Step = step,
            Total = total,
            SecondsLeft = busy && Pace(entries) is { } pace && total > step ? pace * (total - step) : null,
            Options = options.ToJsonString(OptionsFile.Json),
            Entries = entries,
            Previews = Pictures(Path.Combine(folder, "previews")),
            Checkpoints = Names(Path.Combine(folder, "checkpoints")),
            IsGenerator = IsGeneratorBy(options),
        };
    }

    /// <summary>How far it is, in two words, by the end of its log alone.</summary>
    public static string LastStep(string folder)
    {
        var line = JobFolder.Tail(Path.Combine(folder, "log.jsonl"), 4096).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .LastOrDefault();
        return line is null || TryParse(line)?["step"] is not { } step ? "not begun" : $"step {step}";
    }

    /// <summary>Whether a folder is a run that draws images, by its options alone.</summary>
    public static bool Draws(string folder) =>
        FolderIndex.KindOf(folder) == FolderKind.Run
        && IsGeneratorBy(OptionsFile.ReadObject(Path.Combine(folder, "options.json")));

    private static bool IsGeneratorBy(JsonObject options) => options["siamese"] is not null;

    private static JsonNode? TryParse(string line)
    {
        try
        {
            return JsonNode.Parse(line);
        }
        catch (System.Text.Json.JsonException)
        {
            return null;
        }
    }

    private static long TotalOf(JsonObject options)
    {
        static long Steps(JsonNode? part) => part?["steps"] is JsonValue value
            && value.TryGetValue<long>(out var steps) ? steps : 0;
        return options["siamese"] is JsonObject siamese ? Steps(options["base"]) + Steps(siamese) : Steps(options);
    }

    // Seconds a step, by the last entries; a pause in between (the run was stopped) is no step.
    private static double? Pace(IReadOnlyList<LogEntry> entries)
    {
        if (entries.Count < 3) return null;
        var recent = entries.Skip(entries.Count - PaceEntries).ToList();
        var paces = recent.Zip(recent.Skip(1), (a, b) => (b.Time - a.Time).TotalSeconds / Math.Max(1, b.Step - a.Step))
            .Order().ToList();
        return paces[paces.Count / 2];
    }

    private static IReadOnlyList<(long, string)> Pictures(string folder) => !Directory.Exists(folder) ? [] :
        [.. Directory.EnumerateFiles(folder, "step-*.png").Order(StringComparer.Ordinal).Select(f => (StepOf(f), f))];

    private static IReadOnlyList<string> Names(string folder) => !Directory.Exists(folder) ? [] :
        [.. Directory.EnumerateDirectories(folder, "step-*").Select(d => Path.GetFileName(d))
            .Where(n => !n.Contains('.', StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    private static long StepOf(string file) =>
        long.TryParse(Path.GetFileNameWithoutExtension(file).Split('-')[^1], NumberStyles.None, CultureInfo.InvariantCulture,
        out var step) ? step : 0;
}

/// <summary>The losses of one training as a chart.</summary>
/// <param name="Title">Which training, or "Numbers".</param>
/// <param name="Chart">Smoothed and raw, over steps; logarithmic where it can be.</param>
internal sealed record LossChart(string Title, LineChart Chart)
{
    private const int MostPoints = 600;
    private const double Smoothing = 0.05;

    public static IReadOnlyList<LossChart> Of(IReadOnlyList<LogEntry> entries)
    {
        var names = entries.SelectMany(e => e.Values.Keys).Distinct().Where(IsShown)
            .GroupBy(n => n.Contains('/', StringComparison.Ordinal) ? n.Split('/')[0] : "");
        return [.. names.Select(g => Of(g.Key.Length == 0 ? "Numbers" : $"Losses of the {g.Key} training", [.. g], entries))];
    }

    private static bool IsShown(string name) => !name.EndsWith("learningRate", StringComparison.Ordinal)
        && !name.EndsWith("gradientNorm", StringComparison.Ordinal);

    private static LossChart Of(string title, List<string> names, IReadOnlyList<LogEntry> entries)
    {
        var series = names.Select((n, i) => new LineSeries(n.Split('/')[^1], (i + 1) % 8, Points(n, entries)))
            .Where(s => s.Points.Count > 0).ToList();
        return new(title, new()
        {
            Label = $"{title} over steps",
            Series = series,
            LogY = series.All(s => s.Points.All(p => p.Y > 0)),
            Smoothing = Smoothing,
        });
    }

    private static List<(double, double)> Points(string name, IReadOnlyList<LogEntry> entries)
    {
        var all = entries.Where(e => e.Values.ContainsKey(name)).ToList();
        var every = Math.Max(1, all.Count / MostPoints);
        return [.. all.Where((_, i) => i % every == 0 || i == all.Count - 1).Select(e => ((double)e.Step, e.Values[name]))];
    }
}
