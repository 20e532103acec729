using Siamorph.Imaging;

namespace Siamorph.Data.Folders;

/// <summary>
/// A folder with all that lies below it, by name: images, and files of medical formats that are not read. Hidden files and
/// folders are passed over, and so are earlier versions of edited masks, and a link that leads back to a folder already seen.
/// </summary>
internal sealed class FolderTree
{
    private const int Deepest = 32;
    private static readonly string[] Passed = ["__MACOSX", "Thumbs.db", "desktop.ini"];
    private static readonly string[] Medical =
        [".dcm", ".dicom", ".ima", ".nii", ".nii.gz", ".mha", ".mhd", ".nrrd", ".svs", ".ndpi"];

    private FolderTree(string path, IReadOnlyList<string> pictures, IReadOnlyList<string> foreign,
        IReadOnlyList<FolderTree> folders) =>
        (Path, Pictures, Foreign, Folders) = (path, pictures, foreign, folders);

    public string Path { get; }

    public string Name => System.IO.Path.GetFileName(Path);

    /// <summary>Image files directly inside, by name.</summary>
    public IReadOnlyList<string> Pictures { get; }

    /// <summary>Files directly inside that are medical images in formats that are not read.</summary>
    public IReadOnlyList<string> Foreign { get; }

    public IReadOnlyList<FolderTree> Folders { get; }

    /// <summary>This folder and all below it.</summary>
    public IEnumerable<FolderTree> All => Folders.SelectMany(f => f.All).Prepend(this);

    /// <exception cref="IOException">A folder can't be listed.</exception>
    public static FolderTree Of(string folder) => Of(folder, [], 0);

    /// <summary>The same without some of the folders directly inside.</summary>
    public FolderTree Without(IReadOnlyCollection<FolderTree> folders) =>
        folders.Count == 0 ? this : new(Path, Pictures, Foreign, [.. Folders.Except(folders)]);

    public static bool IsHidden(string path) =>
        System.IO.Path.GetFileName(path) is var name
        && (name.StartsWith('.') || Passed.Contains(name, StringComparer.OrdinalIgnoreCase));

    private static FolderTree Of(string folder, HashSet<string> seen, int depth)
    {
        seen.Add(Real(folder));
        string[] files = [.. Directory.EnumerateFiles(folder).Where(f => !IsHidden(f)).Order(StringComparer.Ordinal)];
        var below = new List<FolderTree>();
        if (depth < Deepest)
            foreach (var inner in Directory.EnumerateDirectories(folder).Where(d => !IsHidden(d) && !MaskEdits.IsArchive(d))
                .Order(StringComparer.Ordinal))
                if (!seen.Contains(Real(inner))) below.Add(Of(inner, seen, depth + 1));
        return new(folder, [.. files.Where(ImageFile.IsPicture)], [.. files.Where(IsMedical)], below);
    }

    private static string Real(string folder)
    {
        try
        {
            return Directory.ResolveLinkTarget(folder, returnFinalTarget: true)?.FullName ?? System.IO.Path.GetFullPath(folder);
        }
        catch (IOException)
        {
            return System.IO.Path.GetFullPath(folder); // a link in a circle; listing it says so
        }
    }

    private static bool IsMedical(string path)
    {
        if (Medical.Any(e => path.EndsWith(e, StringComparison.OrdinalIgnoreCase))) return true;
        return System.IO.Path.GetExtension(path).Length == 0 && IsDicom(path);
    }

    // "DICM" after 128 bytes (DICOM PS3.10).
    private static bool IsDicom(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            Span<byte> start = stackalloc byte[132];
            return file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) == start.Length
                && start[128..].SequenceEqual("DICM"u8);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
