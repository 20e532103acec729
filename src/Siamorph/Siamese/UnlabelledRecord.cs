using System.Security.Cryptography;
using System.Text;
using Siamorph.Data;
using Siamorph.Training;

namespace Siamorph.Siamese;

/// <summary>
/// <c>unlabelled.json</c> of a run: which images without masks base training learned from, and which it must not see.
/// </summary>
/// <param name="Folder">Full path.</param>
/// <param name="Count">Images learned from.</param>
/// <param name="NamesHash">SHA-256 of their names, hexadecimal: a run goes on with the same list only.</param>
/// <param name="LeftOut">Images that were the same as held-out ones or looked like them.</param>
internal sealed record UnlabelledRecord(string Folder, int Count, string NamesHash, IReadOnlyList<UnlabelledLeak> LeftOut)
{
    /// <summary>SHA-256 of their files, hexadecimal; null in runs of older versions.</summary>
    public string? FilesHash { get; init; }

    private const string FileName = "unlabelled.json";

    /// <summary>Writes the record of a run that begins; compares with it where the run goes on.</summary>
    /// <exception cref="InvalidOptionsException">The folder holds other images by now.</exception>
    public static void Keep(UnlabelledImages images, RunFolder run, bool resume)
    {
        var path = Path.Combine(run.Path, FileName);
        var names = string.Join('\n', images.Images.Select(i => i.Id));
        var record = new UnlabelledRecord(images.Folder, images.Images.Count,
            Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(names))), images.LeftOut)
        {
            FilesHash = ContentHash.Of(string.Join('\n', images.Images.Select(i => ContentHash.OfFile(i.ImagePath)))),
        };
        if (!resume || !File.Exists(path)) OptionsFile.Save(path, record);
        else if (OptionsFile.Load<UnlabelledRecord>(path) is var begun && begun.NamesHash != record.NamesHash)
            throw new InvalidOptionsException(
                $"{images.Folder}: holds {record.Count} usable images, but {begun.Count} when the run started. Restore the "
                    + $"folder, or start a new run.");
        else if (begun.FilesHash is { } hash && hash != record.FilesHash)
            throw new InvalidOptionsException(
                $"{images.Folder}: the images have changed since the run started. Restore the folder, or start a new run.");
    }
}
