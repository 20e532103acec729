namespace Siamorph;

/// <summary>
/// Keeps a second process out of a folder while one writes there. The operating system holds the lock on the open file
/// <c>.lock</c>, so it ends with the process, however that ends; the file itself stays and says nothing.
/// </summary>
public sealed class FolderLock : IDisposable
{
    /// <summary>The file that is locked; a folder that holds nothing else counts as empty.</summary>
    public const string FileName = ".lock";

    private const int HeldOnLinux = 11, HeldOnMac = 35, HeldOnWindows = unchecked((int)0x80070020);

    private readonly FileStream _file;

    private FolderLock(FileStream file) => _file = file;

    /// <summary>Locks a folder, which is made where it is missing.</summary>
    /// <exception cref="SiamorphException">Another process (or another call of this one) writes there, or the folder can't be written.</exception>
    public static FolderLock Take(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        var path = Path.Combine(folder, FileName);
        try
        {
            Directory.CreateDirectory(folder);
            return new FolderLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException e) when (e.HResult is HeldOnLinux or HeldOnMac or HeldOnWindows)
        {
            throw new SiamorphException($"{folder}: another process works in this folder. Wait for it, or choose another folder.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SiamorphException($"{folder}: can't be written ({e.Message.TrimEnd('.')}). Check its rights or choose another folder.", e);
        }
    }

    /// <summary>Whether a folder holds anything beside the lock.</summary>
    public static bool IsEmpty(string folder) =>
        !Directory.Exists(folder) || Directory.EnumerateFileSystemEntries(folder).All(e => Path.GetFileName(e) == FileName);

    /// <summary>Lets others in.</summary>
    public void Dispose() => _file.Dispose();
}
