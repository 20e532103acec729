using Siamorph.Imaging;

namespace Siamorph.Study;

/// <summary>How a reader study is made and evaluated; fixed before the first answer.</summary>
internal sealed record StudyOptions
{
    /// <summary>Images of each kind: so many real and as many synthetic ones.</summary>
    public int Images { get; init; } = 50;

    /// <summary>Readers that are planned; more or fewer may take part.</summary>
    public int Readers { get; init; } = 8;

    /// <summary>Size of every image; where none is given, that of the synthetic ones.</summary>
    public ImageSize? Size { get; init; }

    /// <summary>Splits that real images are taken from; the generator must not have been trained on them.</summary>
    public IReadOnlyList<string> Splits { get; init; } = ["test"];

    /// <summary>Practice images, real and synthetic in turn; their answers are not evaluated.</summary>
    public int Practice { get; init; } = 6;

    /// <summary>Share of the images that are asked about twice, to see whether readers agree with themselves.</summary>
    public double RepeatShare { get; init; } = 0.1;

    /// <summary>Scrambled images, which no attentive reader takes for real.</summary>
    public int CatchItems { get; init; } = 4;

    /// <summary>Readers who take more of these for real are left out.</summary>
    public int CatchMisses { get; init; } = 1;

    /// <summary>Images of each kind that readers outline.</summary>
    public int OutlineImages { get; init; } = 10;

    /// <summary>Accuracies so near to one half count as chance.</summary>
    public double Margin { get; init; } = 0.1;

    /// <summary>Synthetic images may be rated lower by so many points of five and still count as no worse.</summary>
    public double QualityMargin { get; init; } = 0.5;

    /// <summary>Days between two sessions of a reader at least.</summary>
    public int DaysBetweenSessions { get; init; } = 14;

    /// <summary>
    /// Report of the experiment that says whether these pairs help, as seen from the study's folder; the study's report links to
    /// it.
    /// </summary>
    public string? Experiment { get; init; }

    /// <summary>Seed of what is chosen and of every order.</summary>
    public Seed Seed { get; init; } = new(1);

    /// <summary>Checks all options.</summary>
    /// <exception cref="InvalidOptionsException">Lists every fault.</exception>
    public void Validate()
    {
        var faults = new List<string>();
        void Demand(bool holds, string fault)
        {
            if (!holds) faults.Add(fault);
        }

        Demand(Images is >= 2 and <= 1000, $"images is {Images}; give 2 to 1000 of each kind.");
        Demand(Readers is >= 1 and <= 1000, $"readers is {Readers}; give 1 to 1000.");
        Demand(Size is not { } s || (s.Width is >= 16 and <= 4096 && s.Height is >= 16 and <= 4096),
            $"size is {Size}; give 16 to 4096 pixels each way.");
        Demand(Splits.Count > 0 && Splits.All(p => p.Length > 0), "splits is empty; name at least one, such as test.");
        Demand(Practice is >= 0 and <= 100, $"practice is {Practice}; give 0 to 100.");
        Demand(RepeatShare is >= 0 and <= 0.25, FormattableString.Invariant($"repeatShare is {RepeatShare}; give 0 to 0.25."));
        Demand(CatchItems is >= 0 and <= 20, $"catchItems is {CatchItems}; give 0 to 20.");
        Demand(CatchMisses >= 0, $"catchMisses is {CatchMisses}; give 0 or more.");
        Demand(OutlineImages >= 0 && OutlineImages <= Images,
            $"outlineImages is {OutlineImages}; give 0 to {Images}, the images of each kind.");
        Demand(Margin is > 0 and < 0.5, FormattableString.Invariant($"margin is {Margin}; give a share above 0 and below 0.5."));
        Demand(QualityMargin is > 0 and <= 4,
            FormattableString.Invariant($"qualityMargin is {QualityMargin}; give more than 0, at most 4 points."));
        Demand(DaysBetweenSessions >= 0, $"daysBetweenSessions is {DaysBetweenSessions}; give 0 or more.");
        if (faults.Count > 0) throw new InvalidOptionsException(faults);
    }
}
