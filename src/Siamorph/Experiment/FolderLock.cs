namespace Siamorph.Experiment;

/// <summary>Keeps a second process out of an experiment's folder while one works in it; the system frees it whatever happens.</summary>
internal static class FolderLock
{
    /// <exception cref="SiamorphException">Another process works there, or the folder can't be written.</exception>
    public static IDisposable Take(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
            return new FileStream(Path.Combine(folder, ".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (File.Exists(Path.Combine(folder, ".lock")))
        {
            throw new SiamorphException($"{folder}: another process works in this folder. Wait for it, or choose another folder.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SiamorphException($"{folder}: can't be written ({e.Message.TrimEnd('.')}). Check its rights or choose another folder.", e);
        }
    }
}
