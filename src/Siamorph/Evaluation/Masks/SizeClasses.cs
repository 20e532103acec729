using System.Globalization;

namespace Siamorph.Evaluation.Masks;

/// <summary>Classes of lesions by their share of the image: none, small, medium, large.</summary>
/// <param name="Small">Below this share a lesion is small.</param>
/// <param name="Large">From this share on it is large.</param>
internal sealed record SizeClasses(double Small, double Large)
{
    /// <summary>Small below 2 %, large from 10 % of the image on.</summary>
    public static SizeClasses Default { get; } = new(0.02, 0.10);

    /// <summary>The name of an empty truth.</summary>
    public const string None = "none";

    /// <summary>Every class in order of size, the bounds in the name.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public IReadOnlyList<string> Names =>
        [None, $"small (below {Percent(Small)})", $"medium ({Percent(Small)} to {Percent(Large)})",
        $"large (from {Percent(Large)})"];

    /// <summary>The class of an area.</summary>
    /// <param name="share">Share of the image, in [0,1].</param>
    public string NameOf(double share) => Names[share <= 0 ? 0 : share < Small ? 1 : share < Large ? 2 : 3];

    private static string Percent(double share) => (100 * share).ToString("0.##", CultureInfo.InvariantCulture) + " %";
}
