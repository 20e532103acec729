namespace Siamorph.Cli;

/// <summary>What is told of a failure that nobody foresaw: one line, the rest in a file.</summary>
internal static class FailureRecord
{
    public static string Describe(Exception e, bool verbose)
    {
        var headline = $"unexpected failure: {e.GetType().Name}: {FirstLine(e.Message)}";
        if (verbose) return $"{headline}{Environment.NewLine}{e}";
        return Keep(e) is { } path ? $"{headline} (details: {path})" : $"{headline} (--verbose shows the details)";
    }

    private static string FirstLine(string message) => message.Split('\n')[0].Trim();

    private static string? Keep(Exception e)
    {
        var home = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData);
        if (home.Length == 0) return null;
        try
        {
            var folder = Directory.CreateDirectory(Path.Combine(home, "siamorph")).FullName;
            var path = Path.Combine(folder, "last-failure.txt");
            File.WriteAllText(path, $"{DateTimeOffset.UtcNow:u}{Environment.NewLine}{e}{Environment.NewLine}");
            return path;
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            return null; // the headline still reaches the user
        }
    }
}
