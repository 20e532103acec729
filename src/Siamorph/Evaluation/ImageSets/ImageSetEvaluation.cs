namespace Siamorph.Evaluation.ImageSets;

/// <summary>What a user chooses about comparing two sets of images.</summary>
public sealed record ImageEvaluationOptions
{
    /// <summary>
    /// Weight file of a feature network: FID-Inception, MobileNetV2 or a CLIP image tower. Empty: measures that need one are not
    /// computed.
    /// </summary>
    public string FeatureWeights { get; init; } = "";

    /// <summary>Weight file of a CLIP image tower for CMMD and CLIP-I, where another network gives the features.</summary>
    public string ClipWeights { get; init; } = "";

    /// <summary>Weight file of AlexNet, VGG16 or SqueezeNet 1.1 for LPIPS.</summary>
    public string LpipsTrunk { get; init; } = "";

    /// <summary>Weight file of LPIPS' linear layers for that trunk.</summary>
    public string LpipsLinear { get; init; } = "";

    /// <summary>Run folder of a segmenter trained on real images alone, for the agreement of images with their masks.</summary>
    public string Segmenter { get; init; } = "";

    /// <summary>Folder in which features are kept by content; empty keeps none.</summary>
    public string Cache { get; init; } = "";

    /// <summary>Samples in a subset of the KID, at most half of the smaller set.</summary>
    public int KidSubsetSize { get; init; } = 1000;

    /// <summary>Subsets of the KID.</summary>
    public int KidSubsets { get; init; } = 100;

    /// <summary>Neighbours of precision, recall, density and coverage.</summary>
    public int Neighbours { get; init; } = 5;

    /// <summary>Side in pixels to which images are resized for radiomics, LPIPS and MS-SSIM.</summary>
    public int Side { get; init; } = 256;

    /// <summary>Pairs of images at most for LPIPS and MS-SSIM.</summary>
    public int Pairs { get; init; } = 200;

    /// <summary>Draws subsets and pairs.</summary>
    public Seed Seed { get; init; } = new(1);

    /// <summary>Where networks run.</summary>
    public ComputeDevice Device { get; init; }

    /// <summary>Checks the values.</summary>
    /// <exception cref="InvalidOptionsException">A value is out of range; the message lists all.</exception>
    public void Validate()
    {
        var faults = new List<string>();
        if (KidSubsetSize < 2) faults.Add($"kidSubsetSize is {KidSubsetSize}; give 2 or more.");
        if (KidSubsets < 1) faults.Add($"kidSubsets is {KidSubsets}; give 1 or more.");
        if (Neighbours < 1) faults.Add($"neighbours is {Neighbours}; give 1 or more.");
        if (Side < StructuralSimilarity.SmallestSide)
            faults.Add($"side is {Side}; give {StructuralSimilarity.SmallestSide} or more pixels.");
        if (Pairs < 1) faults.Add($"pairs is {Pairs}; give 1 or more.");
        if (LpipsTrunk.Length > 0 != LpipsLinear.Length > 0)
            faults.Add("Only one of lpipsTrunk and lpipsLinear is given; give both files, or neither.");
        if (faults.Count > 0) throw new InvalidOptionsException(faults);
    }
}

/// <summary>Which way a measure is better.</summary>
public enum Better
{
    /// <summary>Small values.</summary>
    Lower,

    /// <summary>Large values.</summary>
    Higher,

    /// <summary>Neither: it describes.</summary>
    Neither,
}

/// <summary>One measure of two sets.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Value">The number; null where it was not computed.</param>
/// <param name="Note">How it was taken, or "not computed: needs …".</param>
/// <param name="Better">Which way is better.</param>
public sealed record SetMetric(string Name, double? Value, string Note, Better Better);

/// <summary>An image's place on the map of features.</summary>
/// <param name="Id">Name.</param>
/// <param name="Synthetic">Which set.</param>
/// <param name="X">First principal component.</param>
/// <param name="Y">Second principal component.</param>
/// <param name="NearestReal">Distance to the nearest other real image, in feature space.</param>
public sealed record MapPoint(string Id, bool Synthetic, double X, double Y, double NearestReal);

/// <summary>How many images went through one kind of feature in a second.</summary>
/// <param name="Name">Kind of feature.</param>
/// <param name="Computed">Images whose vector was computed now.</param>
/// <param name="Known">Images whose vector was kept from before.</param>
/// <param name="Seconds">Time taken.</param>
public sealed record FeatureSpeed(string Name, int Computed, int Known, double Seconds);

/// <summary>Two sets of images compared.</summary>
public sealed record ImageSetEvaluation
{
    /// <summary>The options it was made with.</summary>
    public required ImageEvaluationOptions Options { get; init; }

    /// <summary>Folder of the real images.</summary>
    public required string Real { get; init; }

    /// <summary>Folder of the synthetic images.</summary>
    public required string Synthetic { get; init; }

    /// <summary>Real images.</summary>
    public required int RealCount { get; init; }

    /// <summary>Synthetic images.</summary>
    public required int SyntheticCount { get; init; }

    /// <summary>Networks that took part: name, file, hash, preparation.</summary>
    public required IReadOnlyList<string> Networks { get; init; }

    /// <summary>Every measure, computed or not.</summary>
    public required IReadOnlyList<SetMetric> Measures { get; init; }

    /// <summary>Shapes of lesions: how the distributions differ. Empty without masks.</summary>
    public required IReadOnlyList<ValueDistance> Morphology { get; init; }

    /// <summary>Places of images on a map of their features.</summary>
    public required IReadOnlyList<MapPoint> Map { get; init; }

    /// <summary>Which features the map shows.</summary>
    public required string MapOf { get; init; }

    /// <summary>Speeds.</summary>
    public required IReadOnlyList<FeatureSpeed> Speeds { get; init; }
}
