namespace Siamorph.Cli;

/// <summary>What is told of a failure that nobody foresaw: one line, the rest in a file.</summary>
internal static class CrashReport
{
    /// <summary>The user's own place for such files; null where the system has none.</summary>
    public static string? DefaultFolder =>
        Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData) is { Length: > 0 } home
        ? Path.Combine(home, "siamorph") : null;

    public static string Describe(Exception e, bool verbose, string? folder)
    {
        var headline = $"unexpected failure: {e.GetType().Name}: {e.Message.Split('\n')[0].Trim()}";
        if (verbose) return $"{headline}{Environment.NewLine}{e}";
        return Keep(e, folder) is { } path ? $"{headline} (details: {path})" : $"{headline} (--verbose shows the details)";
    }

    private static string? Keep(Exception e, string? folder)
    {
        if (folder is null) return null;
        try
        {
            Directory.CreateDirectory(folder);
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
