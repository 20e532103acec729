namespace Siamorph;

/// <summary>Writes whole files or none: beside the target first, then renamed over it.</summary>
internal static class AtomicFile
{
    /// <summary>Writes <paramref name="path"/> through a stream; on any failure the old file, if there was one, stays.</summary>
    /// <param name="path">The file.</param>
    /// <param name="write">Writes it.</param>
    /// <param name="lasting">Whether it is on the disk when this returns. What can be made again at any time need not wait for
    /// that.</param>
    /// <exception cref="SiamorphException">The folder can't be written or the disk is full.</exception>
    public static void Write(string path, Action<Stream> write, bool lasting = true)
    {
        ArgumentNullException.ThrowIfNull(write);
        var full = Path.GetFullPath(path);
        var beside = $"{full}.{Environment.ProcessId}-{Guid.NewGuid():N}.partial";
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(full)!);
            using (var stream = new FileStream(beside, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 1 << 16))
            {
                write(stream);
                stream.Flush(flushToDisk: lasting);
            }
            File.Move(beside, full, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SiamorphException(
                $"{path}: can't be written ({e.Message.TrimEnd('.')}). Check the folder's rights and the free space.", e);
        }
        finally
        {
            if (File.Exists(beside)) File.Delete(beside);
        }
    }

    /// <summary>Writes text as UTF-8.</summary>
    /// <exception cref="SiamorphException">The folder can't be written or the disk is full.</exception>
    public static void WriteText(string path, string text) => Write(path, s => s.Write(System.Text.Encoding.UTF8.GetBytes(text)));
}
