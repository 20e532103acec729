using Siamorph.Data.Folders;
using Siamorph.Imaging;

namespace Siamorph.Evaluation.ImageSets;

/// <summary>The images of a folder, for measures that need no masks.</summary>
internal static class ImageFolder
{
    /// <summary>Image files directly inside, in order of name.</summary>
    /// <exception cref="InvalidDatasetException">The folder is missing, unreadable, or holds no image.</exception>
    public static IReadOnlyList<string> Files(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        if (!Directory.Exists(folder)) throw new InvalidDatasetException($"{folder}: the folder does not exist. Check the path.");
        try
        {
            string[] files = [.. Directory.EnumerateFiles(folder).Where(f => ImageFile.IsPicture(f) && !FolderTree.IsHidden(f))
                .Order(StringComparer.Ordinal)];
            return files.Length > 0 ? files
                : throw new InvalidDatasetException(
                    $"{folder}: no images found. Expected files with extension {string.Join(", ", ImageFile.Extensions)}.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidDatasetException($"{folder}: can't be read ({e.Message.TrimEnd('.')}). Check its rights.", e);
        }
    }
}
