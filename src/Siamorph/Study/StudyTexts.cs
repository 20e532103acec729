namespace Siamorph.Study;

/// <summary>What readers are told and asked, word for word, so that every reading page asks the same.</summary>
internal static class StudyTexts
{
    /// <summary>The consent that is used where a study brings no text of its own.</summary>
    public const string Consent =
        "You are asked to look at medical images and to judge them. This is research, not diagnosis: nothing you answer is used "
        + "for a patient. "
        + "Some of the images are made by a computer; how many is not told. A few are cut to pieces on purpose, to see that "
        + "someone is looking. "
        + "Your answers are kept under a pseudonym that you choose, with your specialty, your years of experience and what your "
        + "screen is like. "
        + "You may stop at any time, and have all your answers left out without giving a reason.";

    /// <summary>Before the first block.</summary>
    public const string Quality = "How good is this image, and how plausible is the shape of the lesion in it?";

    /// <summary>Before the second block.</summary>
    public const string Realism = "Is this a photograph of a patient, or made by a computer?";

    /// <summary>Before the third block.</summary>
    public const string Outline = "Draw the border of the lesion.";

    /// <summary>Answers 1 to 6 about realism.</summary>
    public static IReadOnlyList<string> RealismScale { get; } =
        ["definitely real", "probably real", "possibly real", "possibly synthetic", "probably synthetic", "definitely synthetic"];

    /// <summary>Answers 1 to 5 about quality and shape.</summary>
    public static IReadOnlyList<string> QualityScale { get; } = ["bad", "poor", "fair", "good", "excellent"];
}
