namespace Siamorph.Evaluation.Masks;

/// <summary>
/// How a prediction becomes Dice and IoU: the protocols that papers use, by name. Their numbers must never be mixed.
/// </summary>
internal sealed record MaskProtocol
{
    private MaskProtocol() { }

    /// <summary>What it is called on the command line.</summary>
    public required string Name { get; init; }

    /// <summary>What it does, in one sentence.</summary>
    public required string Description { get; init; }

    /// <summary>Maps are stretched to their own range before they are compared with thresholds (constant maps stay).</summary>
    public required bool Stretch { get; init; }

    /// <summary>Dice and IoU are means over 256 thresholds, not of the decision at 0.5.</summary>
    public required bool OverThresholds { get; init; }

    /// <summary>What an image without a lesion scores.</summary>
    public required string EmptyMasks { get; init; }

    /// <summary>PraNet's MATLAB evaluation, which SANet and Polyp-PVT share.</summary>
    public static MaskProtocol Pranet { get; } = new()
    {
        Name = "pranet",
        Description =
            "Maps stretched to their own range; Dice and IoU averaged over 256 thresholds, 0 included, where all is foreground.",
        Stretch = true,
        OverThresholds = true,
        EmptyMasks = AlwaysZero,
    };

    /// <summary>UACANet's Python evaluation: as PraNet's, but maps are taken as they are.</summary>
    public static MaskProtocol Uacanet { get; } = new()
    {
        Name = "uacanet",
        Description = "Maps as they are; Dice and IoU averaged over 256 thresholds, 0 included, where all is foreground.",
        Stretch = false,
        OverThresholds = true,
        EmptyMasks = AlwaysZero,
    };

    /// <summary>The decision at probability 0.5 (level 128).</summary>
    public static MaskProtocol PlainAtHalf { get; } = new()
    {
        Name = "plain@0.5",
        Description = "Maps as they are, decided at 0.5; Dice and IoU are means over images.",
        Stretch = false,
        OverThresholds = false,
        EmptyMasks = OneIfEmpty,
    };

    /// <summary>The ISIC 2018 challenge: the decision at 0.5; ranked by the IoU where it is at least 0.65, else 0.</summary>
    public static MaskProtocol Isic2018 { get; } = new()
    {
        Name = "isic2018",
        Description = "Maps as they are, decided at 0.5; the ranking score is the IoU where it reaches 0.65, else 0, as a mean "
            + "over images.",
        Stretch = false,
        OverThresholds = false,
        EmptyMasks = OneIfEmpty,
    };

    /// <summary>Every protocol.</summary>
    public static IReadOnlyList<MaskProtocol> All { get; } = [Pranet, Uacanet, PlainAtHalf, Isic2018];

    /// <summary>The protocol of that name.</summary>
    /// <exception cref="InvalidOptionsException">There is none.</exception>
    public static MaskProtocol Named(string name) =>
        All.FirstOrDefault(p => p.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
        ?? throw new InvalidOptionsException(
            $"Protocol '{name}' is unknown; there are {string.Join(", ", All.Select(p => p.Name))}.");

    private const string AlwaysZero =
        "An image without a lesion scores Dice = IoU = 0 whatever is predicted, as in the published code.";
    private const string OneIfEmpty = "An image without a lesion scores Dice = IoU = 1 if nothing is predicted, else 0.";
}
