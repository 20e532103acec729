namespace Siamorph.Data;

/// <summary>How mask files become labels to learn from.</summary>
public enum LabelKind
{
    /// <summary>0 or 1 at every pixel, from the first mask of a pair.</summary>
    Hard,

    /// <summary>A probability at every pixel: grey levels, the mean of several annotators, a band around the outline.</summary>
    Soft,
}

/// <summary>How masks are read for training. Scores are always taken on hard masks.</summary>
/// <param name="Kind">Hard or soft.</param>
/// <param name="BoundaryWidth">
/// Width of the band in which a black-and-white mask rises from 0 to 1, centred on its outline, as a share of the shorter
/// side of the image; 0 for none.
/// </param>
public sealed record LabelReading(LabelKind Kind, double BoundaryWidth)
{
    /// <summary>The default.</summary>
    public static LabelReading Hard { get; } = new(LabelKind.Hard, 0);

    /// <summary>Whether labels are probabilities.</summary>
    public bool IsSoft => Kind == LabelKind.Soft;

    internal IEnumerable<string> Faults()
    {
        if (BoundaryWidth is not (>= 0 and <= 0.2))
            yield return FormattableString.Invariant(
                $"boundaryWidth is {BoundaryWidth}; it is a share of the shorter side, 0 to 0.2.");
        if (BoundaryWidth > 0 && !IsSoft) yield return "boundaryWidth makes soft labels: set labels to soft, or leave it out.";
    }
}
