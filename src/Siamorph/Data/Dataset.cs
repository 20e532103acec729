using Siamorph.Data.Checks;

namespace Siamorph.Data;

/// <summary>The pairs of a folder.</summary>
/// <param name="Folder">Full path of the folder they were read from or written to.</param>
/// <param name="Pairs">The pairs, in the order of the manifest, or by name where there is none.</param>
public sealed record Dataset(string Folder, IReadOnlyList<ImageMaskPair> Pairs)
{
    private const int Named = 3;

    /// <summary>
    /// What was noticed while the folder was listed, such as a mask without an image; no file was opened for it.
    /// </summary>
    public IReadOnlyList<Finding> Findings { get; init; } = [];

    /// <summary>How the folder is laid out: "manifest", "prompt lines", "nnU-Net" or "images and masks".</summary>
    public string Layout { get; init; } = "manifest";

    /// <summary>Full paths of images that have no mask, so they are in no pair.</summary>
    public IReadOnlyList<string> Unmasked { get; init; } = [];

    /// <summary>
    /// The pairs of one split; all pairs where the folder is not split and <paramref name="split"/> is "train".
    /// </summary>
    /// <param name="split">"train", "val" or "test".</param>
    public IReadOnlyList<ImageMaskPair> Of(string split) =>
        split == "train" && Pairs.All(p => p.Split is null) ? Pairs : [.. Pairs.Where(p => p.Split == split)];

    /// <summary>One line: what was read, and what was left out and why.</summary>
    public string Summary()
    {
        var folders = Pairs.SelectMany(p => new[] { p.ImagePath, p.MaskPath }).Where(p => p.Length > 0)
            .Select(p => Path.GetDirectoryName(p)!).Distinct()
            .Select(f => Path.GetRelativePath(Folder, f).Replace('\\', '/'))
            .Select(f => f == "." ? "the folder itself" : $"{f}/").ToList();
        var from = folders.Count == 0 ? ""
            : $" from {string.Join(", ", folders.Take(2 * Named))}"
            + $"{(folders.Count > 2 * Named ? $" and {folders.Count - 2 * Named} more folders" : "")}";
        var counts = Pairs.CountBy(p => p.Split ?? "no split").OrderBy(s => s.Key, StringComparer.Ordinal)
            .Select(s => $"{s.Key} {s.Value}");
        var splits = Pairs.Any(p => p.Split is not null) ? $" ({string.Join(", ", counts)})" : "";
        var left = Findings.GroupBy(f => f.Code)
            .Select(g => $"{Why(g.Key, g.Count())} ({string.Join(", ", g.Take(Named).Select(f => f.Subject))}"
            + $"{(g.Count() > Named ? ", …" : "")})").ToList();
        return $"{Folder}: read {Count(Pairs.Count, "pair")}{from}{splits}; left out: "
            + $"{(left.Count == 0 ? "nothing" : string.Join(", ", left))}.";
    }

    private static string Why(string code, int count) => code switch
    {
        FindingCodes.MissingMask => Count(count, "image") + " without a mask",
        FindingCodes.MissingImage => Count(count, "mask") + " without an image",
        FindingCodes.MissingFile => Count(count, "file") + " that is named and not there",
        FindingCodes.UnlistedFile => Count(count, "picture") + " that the manifest does not name",
        FindingCodes.AmbiguousStem => Count(count, "picture") + " with the name of another",
        FindingCodes.UnreadFolder => Count(count, "folder") + " with images that was not read",
        FindingCodes.FormatNotRead => Count(count, "medical format") + " that is not read",
        FindingCodes.AmbiguousFolder => Count(count, "choice") + " between folders",
        _ => $"{code}: {count}",
    };

    private static string Count(int number, string what) => number == 1 ? $"1 {what}" : $"{number} {what}s";
}
