namespace Siamorph.Data;

/// <summary>The pairs of a folder.</summary>
/// <param name="Folder">Full path of the folder they were read from or written to.</param>
/// <param name="Pairs">The pairs, in the order of the manifest, or by name where there is none.</param>
public sealed record Dataset(string Folder, IReadOnlyList<ImageMaskPair> Pairs)
{
    /// <summary>What was noticed while the folder was listed, such as a mask without an image; no file was opened for it.</summary>
    public IReadOnlyList<Finding> Findings { get; init; } = [];

    /// <summary>How the folder is laid out: "manifest", "prompt lines", "nnU-Net" or "images and masks".</summary>
    public string Layout { get; init; } = "manifest";

    /// <summary>The pairs of one split; all pairs where the folder is not split and <paramref name="split"/> is "train".</summary>
    /// <param name="split">"train", "val" or "test".</param>
    public IReadOnlyList<ImageMaskPair> Of(string split) =>
        split == "train" && Pairs.All(p => p.Split is null) ? Pairs : [.. Pairs.Where(p => p.Split == split)];
}
