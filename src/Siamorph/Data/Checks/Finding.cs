namespace Siamorph.Data.Checks;

/// <summary>How much a finding matters.</summary>
public enum FindingSeverity
{
    /// <summary>Worth a look; training works.</summary>
    Warning,

    /// <summary>Training would fail or its result mislead.</summary>
    Error,
}

/// <summary>Something noticed in a dataset.</summary>
/// <param name="Code">One of <see cref="FindingCodes"/>.</param>
/// <param name="Severity">Warning or error.</param>
/// <param name="Subject">Id of the pair, or path of the file within the folder.</param>
/// <param name="Message">What was found and what to do, one line.</param>
public sealed record Finding(string Code, FindingSeverity Severity, string Subject, string Message)
{
    /// <summary>The other pair, where two are concerned.</summary>
    public string? Other { get; init; }

    internal static Finding Error(string code, string subject, string message, string? other = null) =>
        new(code, FindingSeverity.Error, subject, message) { Other = other };

    internal static Finding Warning(string code, string subject, string message, string? other = null) =>
        new(code, FindingSeverity.Warning, subject, message) { Other = other };
}

/// <summary>The kinds of findings, as they appear in reports.</summary>
internal static class FindingCodes
{
    /// <summary>An image has no mask.</summary>
    public const string MissingMask = "missing-mask";

    /// <summary>A mask has no image.</summary>
    public const string MissingImage = "missing-image";

    /// <summary>The manifest names a file that isn't there.</summary>
    public const string MissingFile = "missing-file";

    /// <summary>A file in the folder that the manifest does not name.</summary>
    public const string UnlistedFile = "unlisted-file";

    /// <summary>Several images or masks share a stem; one was taken.</summary>
    public const string AmbiguousStem = "ambiguous-stem";

    /// <summary>A folder with images of which none was read.</summary>
    public const string UnreadFolder = "unread-folder";

    /// <summary>Several folders could be the one that is meant.</summary>
    public const string AmbiguousFolder = "ambiguous-folder";

    /// <summary>Images in a medical format that is not read, such as DICOM or NIfTI.</summary>
    public const string FormatNotRead = "format-not-read";

    /// <summary>A file that can't be decoded: damaged, cut off, too large, or no image.</summary>
    public const string Unreadable = "unreadable";

    /// <summary>Image and mask differ in size.</summary>
    public const string SizeMismatch = "size-mismatch";

    /// <summary>The image asks viewers to turn it; the mask doesn't know.</summary>
    public const string Rotated = "rotated";

    /// <summary>The mask has grey levels between background and lesion.</summary>
    public const string NonBinaryMask = "non-binary-mask";

    /// <summary>The mask has grey levels, which are read as probabilities.</summary>
    public const string SoftMask = "soft-mask";

    /// <summary>Annotators of one image disagree widely.</summary>
    public const string AnnotatorDisagreement = "annotator-disagreement";

    /// <summary>The mask went through a lossy codec; it is binarised at 127.</summary>
    public const string RingedMask = "ringed-mask";

    /// <summary>The mask holds several class numbers, which are taken as one.</summary>
    public const string SeveralClasses = "several-classes";

    /// <summary>No pixel is a lesion.</summary>
    public const string EmptyMask = "empty-mask";

    /// <summary>No mask of the set marks anything, though files hold something.</summary>
    public const string AllMasksEmpty = "all-masks-empty";

    /// <summary>The mask lies in the transparency channel, or was read in another way that one should know of.</summary>
    public const string UnusualMask = "unusual-mask";

    /// <summary>The image is nearly black, of one colour, or largely at its brightest level.</summary>
    public const string DarkImage = "dark-image", ConstantImage = "constant-image", ClippedImage = "clipped-image";

    /// <summary>Every pixel is a lesion.</summary>
    public const string FullMask = "full-mask";

    /// <summary>Background and lesion seem to be exchanged.</summary>
    public const string InvertedMask = "inverted-mask";

    /// <summary>Two images have the same pixels.</summary>
    public const string Duplicate = "duplicate";

    /// <summary>Two images look alike.</summary>
    public const string NearDuplicate = "near-duplicate";

    /// <summary>Images of different splits are the same or look alike, so the test is not blind.</summary>
    public const string SplitLeak = "split-leak";

    /// <summary>A patient or sequence is in more than one split.</summary>
    public const string GroupLeak = "group-leak";

    /// <summary>The same image has different masks.</summary>
    public const string ConflictingMasks = "conflicting-masks";
}
