namespace Siamorph.Experiment;

/// <summary>A path with a name, typed as NAME=PATH.</summary>
/// <param name="Name">Before the first "="; empty without one.</param>
/// <param name="Path">After it.</param>
internal readonly record struct NamedPath(string Name, string Path)
{
    /// <summary>Takes a text apart; blanks around both parts are nothing.</summary>
    public static NamedPath Of(string text) => text.IndexOf('=', StringComparison.Ordinal) is >= 0 and var at
        ? new(text[..at].Trim(), text[(at + 1)..].Trim()) : new("", "");

    /// <summary>The same text with a full path.</summary>
    public static string Full(string text) => $"{Of(text).Name}={System.IO.Path.GetFullPath(Of(text).Path)}";

    /// <summary>What is wrong with a list of them.</summary>
    /// <param name="option">Whose list it is.</param>
    /// <param name="texts">As typed.</param>
    /// <param name="kind">What the path names, such as FOLDER.</param>
    /// <param name="example">A right one.</param>
    public static IEnumerable<string> Faults(string option, IReadOnlyList<string> texts, string kind, string example)
    {
        foreach (var text in texts.Where(t => Of(t) is not { Name.Length: > 0, Path.Length: > 0 }))
            yield return $"{option}: '{text}' is not of the form NAME={kind}. Write, for example, {example}.";
        if (texts.Select(t => Of(t).Name).Distinct(StringComparer.OrdinalIgnoreCase).Count() < texts.Count)
            yield return $"{option}: a name comes twice.";
    }
}
