using System.Text.Json;

namespace Siamorph.Studio.Jobs;

/// <summary>The last that a job told of itself.</summary>
/// <param name="Title">What it does.</param>
/// <param name="Done">Units that are done.</param>
/// <param name="Total">Units in all; 0 where not known.</param>
/// <param name="Detail">Such as the current losses.</param>
/// <param name="SecondsLeft">By the pace since this stage began; null where nothing can be said.</param>
internal sealed record JobProgress(string Title, long Done, long Total, string? Detail, double? SecondsLeft)
{
    private const int TailLength = 1 << 16;

    /// <summary>Reads the end of a progress file; null where it says nothing yet.</summary>
    public static JobProgress? Read(string path)
    {
        Line? last = null, first = null;
        foreach (var text in JobFolder.Tail(path, TailLength).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (Parse(text) is not { Total: not null } line) continue;
            if (line.Title != last?.Title || line.Done < last.Done) first = line;
            last = line;
        }
        return last is null ? null : new(last.Title, last.Done ?? 0, last.Total ?? 0, last.Detail, Left(first!, last));
    }

    private static double? Left(Line first, Line last)
    {
        var (done, seconds) = (last.Done - first.Done ?? 0, (last.T - first.T).TotalSeconds);
        return done > 0 && seconds > 1 && last.Total > last.Done ? seconds / done * (last.Total - last.Done) : null;
    }

    private static Line? Parse(string line)
    {
        try
        {
            return JsonSerializer.Deserialize<Line>(line, JsonSerializerOptions.Web);
        }
        catch (JsonException)
        {
            return null; // a line that is being written
        }
    }

    private sealed record Line(string Kind, string Title, long? Done, long? Total, string? Detail, DateTimeOffset T);
}
