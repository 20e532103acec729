using System.Text.RegularExpressions;

namespace Siamorph.Data.Folders;

/// <summary>Endings of file names that tell a mask from its image.</summary>
internal static partial class MaskNames
{
    // Longest first.
    private static readonly string[] Suffixes =
        ["_segmentation", "-segmentation", "_groundtruth", "_ground_truth", "_manual1", "_manual", "_label", "_mask", "-mask",
        "_gt", "_seg"];

    // Of images, where masks lack them (DRIVE).
    private static readonly string[] ImageSuffixes = ["_training", "_test"];

    /// <summary>
    /// The file's name without its ending, and without what makes it a mask: "benign (1)" of "benign (1)_mask_1.png".
    /// </summary>
    public static string Stem(string path)
    {
        var stem = NormalisedName.Of(Path.GetFileNameWithoutExtension(path));
        if (Numbered().Match(stem) is { Success: true } match) stem = match.Groups["mask"].Value;
        var suffix = Array.Find(Suffixes, s => stem.EndsWith(s, StringComparison.OrdinalIgnoreCase));
        return suffix is null ? stem : stem[..^suffix.Length];
    }

    /// <summary>The ending says that it is a mask.</summary>
    public static bool IsMask(string path) =>
        Stem(path).Length < NormalisedName.Of(Path.GetFileNameWithoutExtension(path)).Length;

    /// <summary>A second, third, … lesion of an image, in a file of its own: _mask_1, _mask_2.</summary>
    public static bool IsFurther(string path) => Numbered().IsMatch(Path.GetFileNameWithoutExtension(path));

    /// <summary>An image's name without an ending that its mask lacks; null where there is none.</summary>
    public static string? WithoutImageSuffix(string stem) =>
        Array.Find(ImageSuffixes, s => stem.EndsWith(s, StringComparison.OrdinalIgnoreCase)) is { } suffix
        ? stem[..^suffix.Length] : null;

    /// <summary>An image of neither kind that data sets bring along, such as ISIC's superpixels.</summary>
    public static bool IsNeither(string path) =>
        Path.GetFileNameWithoutExtension(path).EndsWith("_superpixels", StringComparison.OrdinalIgnoreCase);

    [GeneratedRegex(@"^(?<mask>.+[_-]mask)[_-]\d{1,2}$", RegexOptions.IgnoreCase)]
    private static partial Regex Numbered();
}
