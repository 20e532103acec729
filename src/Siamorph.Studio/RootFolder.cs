namespace Siamorph.Studio;

/// <summary>
/// The folder that the Studio may show and write, and nothing beside it, whatever a request or a manifest names.
/// </summary>
internal sealed class RootFolder
{
    /// <summary>Larger files are never read.</summary>
    public const long LargestFile = 512L << 20;

    public RootFolder(string path)
    {
        Path = System.IO.Path.GetFullPath(path).TrimEnd('/');
        if (!Directory.Exists(Path)) throw new SiamorphException(
            $"{path}: the folder does not exist. Give an existing one with --root.");
        Path = Real(Path);
        State = System.IO.Path.Combine(Path, ".studio");
    }

    public string Path { get; }

    /// <summary>The Studio's own files: jobs and small images. It may be deleted.</summary>
    public string State { get; }

    /// <summary>The full path of something below the root, named as in links.</summary>
    /// <exception cref="StudioException">It leads elsewhere, or is not there.</exception>
    public string Resolve(string? relative)
    {
        var full = Place(relative);
        if (!File.Exists(full) && !Directory.Exists(full)) throw StudioException.Missing($"\"{relative}\"");
        return Inside(full) ? full : throw Outside();
    }

    /// <summary>The same of something that may be made yet; the nearest folder that exists has to lie below the root.</summary>
    /// <exception cref="StudioException">It leads elsewhere.</exception>
    public string ResolveNew(string? relative)
    {
        var full = Place(relative);
        var there = full;
        while (!File.Exists(there) && !Directory.Exists(there) && there.Length > Path.Length)
            there = System.IO.Path.GetDirectoryName(there)!;
        return Inside(there) ? full : throw Outside();
    }

    /// <summary>How links name it: below the root, with slashes.</summary>
    public string RelativeOf(string full) => System.IO.Path.GetRelativePath(Path, full).Replace('\\', '/');

    /// <summary>Whether what a path leads to, all links followed, lies below the root.</summary>
    public bool Inside(string full)
    {
        var real = Real(full);
        return real == Path || real.StartsWith(Path + System.IO.Path.DirectorySeparatorChar, StringComparison.Ordinal);
    }

    /// <summary>Reads a regular file below the root.</summary>
    /// <exception cref="StudioException">It lies elsewhere, is missing, a pipe or device, or too large.</exception>
    public byte[] ReadBytes(string full)
    {
        if (!Inside(full)) throw Outside();
        try
        {
            using var handle = SystemCalls.OpenRegular(full) ?? throw new StudioException(404, "That is no file.");
            using var stream = new FileStream(handle, FileAccess.Read);
            if (stream.Length > LargestFile) throw new StudioException(413, $"Files above {LargestFile >> 20} MB are not shown.");
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            return bytes;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw StudioException.Missing("The file");
        }
    }

    private string Place(string? relative)
    {
        if (string.IsNullOrEmpty(relative) || relative == ".") return Path;
        if (relative.Contains('\0', StringComparison.Ordinal) || relative.Contains('\\', StringComparison.Ordinal)
            || System.IO.Path.IsPathRooted(relative)
            || relative.Split('/').Any(p => p is ".."))
            throw Outside();
        return System.IO.Path.GetFullPath(System.IO.Path.Combine(Path, relative));
    }

    // Every link on the way is followed, not that at its end alone.
    private static string Real(string full)
    {
        var real = System.IO.Path.GetPathRoot(full)!;
        foreach (var part in full[real.Length..]
            .Split(System.IO.Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries))
        {
            real = System.IO.Path.Combine(real, part);
            if (Target(real) is { } target) real = Real(target);
        }
        return real;
    }

    private static string? Target(string path)
    {
        try
        {
            return new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName;
        }
        catch (IOException)
        {
            return "/dev/null"; // links that lead in a circle lead nowhere
        }
    }

    private static StudioException Outside() =>
        new(403, "That lies outside the Studio's folder. Start the Studio with another --root to see it.");
}
