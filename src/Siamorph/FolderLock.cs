using System.Text.RegularExpressions;

namespace Siamorph;

/// <summary>
/// Keeps a second process out of a folder while one writes there. The operating system holds the lock on the open file
/// <c>.lock</c>, so it ends with the process, however that ends; the file itself stays and says nothing. Whoever takes the
/// lock removes the unfinished files that a killed process left.
/// </summary>
internal sealed partial class FolderLock : IDisposable
{
    /// <summary>The file that is locked; a folder that holds nothing else counts as empty.</summary>
    public const string FileName = ".lock";

    private const int Deepest = 8, Attempts = 5, PauseMilliseconds = 20;
    private const int HeldOnLinux = 11, HeldOnMac = 35, HeldOnWindows = unchecked((int)0x80070020);

    private readonly FileStream _file;

    private FolderLock(FileStream file) => _file = file;

    /// <summary>Locks a folder, which is made where it is missing.</summary>
    /// <exception cref="SiamorphException">Another process (or another call of this one) writes there, or the folder can't be
    /// written.</exception>
    public static FolderLock Take(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        try
        {
            Directory.CreateDirectory(folder);
            var held = new FolderLock(Open(Path.Combine(folder, FileName)));
            Sweep(folder, 0);
            return held;
        }
        catch (IOException e) when (e.HResult is HeldOnLinux or HeldOnMac or HeldOnWindows)
        {
            throw new SiamorphException($"{folder}: another process works in this folder. Wait for it, or choose another folder.",
                e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SiamorphException(
                $"{folder}: can't be written ({e.Message.TrimEnd('.')}). Check its rights or choose another folder.", e);
        }
    }

    private static FileStream OpenOnce(string path) => new(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);

    // Whoever only looks whether the lock is held has it for a moment, too.
    private static FileStream Open(string path)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return OpenOnce(path);
            }
            catch (IOException e) when (attempt < Attempts && e.HResult is HeldOnLinux or HeldOnMac or HeldOnWindows)
            {
                Thread.Sleep(PauseMilliseconds);
            }
        }
    }

    /// <summary>
    /// The same, where several processes will share a folder by locks: some file systems of clusters grant every lock to everyone
    /// (Lustre without <c>flock</c>), which is tried here by asking twice.
    /// </summary>
    /// <exception cref="SiamorphException">As <see cref="Take"/>, or locks do nothing there.</exception>
    public static FolderLock TakeTested(string folder) => TakeTested(folder, OpenOnce);

    internal static FolderLock TakeTested(string folder, Func<string, FileStream> openAgain)
    {
        var held = Take(folder);
        try
        {
            openAgain(Path.Combine(folder, FileName)).Dispose();
        }
        catch (IOException)
        {
            return held; // as it should be
        }
        held.Dispose();
        throw new SiamorphException(
            $"{folder}: file locks do nothing on this file system, so two processes could spoil each other's work. Choose a "
                + $"folder elsewhere, or have it mounted with locks (Lustre: -o flock).");
    }

    /// <summary>Whether a folder holds anything beside the lock.</summary>
    public static bool IsEmpty(string folder) =>
        !Directory.Exists(folder) || Directory.EnumerateFileSystemEntries(folder).All(e => Path.GetFileName(e) == FileName);

    [GeneratedRegex(@"\.(\d+-)?[0-9a-f]{32}\.partial$")]
    private static partial Regex Unfinished();

    // Removes files that a killed process was writing; below folders that have a lock of their own only where nobody holds it.
    private static void Sweep(string folder, int depth)
    {
        foreach (var file in Directory.EnumerateFiles(folder, "*.partial").Where(f => Unfinished().IsMatch(f)).ToList())
            File.Delete(file);
        if (depth >= Deepest) return;
        foreach (var inner in new DirectoryInfo(folder).EnumerateDirectories()
            .Where(d => d.LinkTarget is null && !Unfinished().IsMatch(d.Name)).ToList())
            if (!IsHeld(inner.FullName)) Sweep(inner.FullName, depth + 1);
    }

    /// <summary>Whether a process works in a folder just now. Several may look at once.</summary>
    public static bool IsHeld(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path)) return false;
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    /// <summary>Lets others in.</summary>
    public void Dispose() => _file.Dispose();
}
