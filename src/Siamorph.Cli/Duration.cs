namespace Siamorph.Cli;

/// <summary>A span of time as people say it.</summary>
internal static class Duration
{
    /// <summary>As in "0.4 s", "12 s", "3 min 5 s", "2 h 10 min".</summary>
    public static string Text(TimeSpan span) => span switch
    {
        { TotalSeconds: < 9.95 } => FormattableString.Invariant($"{span.TotalSeconds:0.0} s"),
        { TotalSeconds: < 59.5 } => FormattableString.Invariant($"{span.TotalSeconds:0} s"),
        { TotalMinutes: < 60 } => FormattableString.Invariant($"{(int)span.TotalMinutes} min {span.Seconds} s"),
        _ => FormattableString.Invariant($"{(int)span.TotalHours} h {span.Minutes} min"),
    };
}
