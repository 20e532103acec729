namespace Siamorph.Cli;

/// <summary>The one line that stays of a stage once it is over.</summary>
internal static class StageSummary
{
    public static string Line(string title, long done, long total, TimeSpan elapsed, string? detail)
    {
        var time = Duration.Text(elapsed);
        var how = total <= 0 ? $"took {time}" : done < total ? $"stopped at {done}/{total} after {time}"
            : $"{total}/{total}, took {time}";
        return string.IsNullOrEmpty(detail) ? $"{title}: {how}" : $"{title}: {how} · {detail}";
    }
}
