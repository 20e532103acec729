namespace Siamorph.Data.Folders;

/// <summary>Files that a manifest names: with / or \\ between folders, in either Unicode form.</summary>
internal static class NamedFile
{
    /// <summary>Full path of the file; the path as written where there is no such file.</summary>
    /// <param name="folder">Where the naming file lies.</param>
    /// <param name="path">As written.</param>
    /// <param name="orBelow">The path may have been written from a folder further up, where a program was started.</param>
    public static string Find(string folder, string path, bool orBelow = false)
    {
        if (path.Contains('\0', StringComparison.Ordinal))
            throw new InvalidDatasetException(
                $"{folder}: a file is named with a zero character in it. Mend the line that names it.");
        var direct = Path.GetFullPath(Path.Combine(folder, path));
        if (File.Exists(direct)) return direct;
        var parts = path.Split('/', '\\');
        for (var skip = 0; skip < (orBelow ? parts.Length : 1); skip++)
            if (Below(folder, parts[skip..]) is { } found) return found;
        return direct;
    }

    // Follows the parts folder by folder, comparing names in whatever form they are stored.
    private static string? Below(string folder, string[] parts)
    {
        var at = Path.GetFullPath(folder);
        foreach (var part in parts)
        {
            var next = Path.GetFullPath(Path.Combine(at, part));
            if (!Path.Exists(next))
            {
                if (!Directory.Exists(at) || System.Text.Ascii.IsValid(part)) return null;
                next = Directory.EnumerateFileSystemEntries(at)
                    .FirstOrDefault(e => NormalisedName.Of(Path.GetFileName(e)) == NormalisedName.Of(part));
            }
            if (next is null) return null;
            at = next;
        }
        return File.Exists(at) ? at : null;
    }
}
