using Siamorph.Evaluation.Masks;
using Siamorph.Imaging;

namespace Siamorph.Evaluation.Radiomics;

/// <summary>
/// The radiomic vector of FRD-lite: 26 texture features of a region (raw grey, bins 16 levels wide) and 10 of shape and boundary.
/// </summary>
internal static class CompactRadiomics
{
    private const double BinWidth = 16;

    private static readonly string[] FirstOrder =
        ["Mean", "Median", "10Percentile", "90Percentile", "InterquartileRange", "MeanAbsoluteDeviation", "Variance", "Skewness",
        "Kurtosis", "Entropy", "Uniformity"];

    private static readonly string[] Cooccurrence =
        ["Contrast", "Correlation", "JointEnergy", "JointEntropy", "Id", "Idm", "ClusterShade", "ClusterTendency",
        "DifferenceEntropy", "Imc1"];

    private static readonly string[] Runs =
        ["ShortRunEmphasis", "LongRunEmphasis", "GrayLevelNonUniformityNormalized", "RunLengthNonUniformityNormalized",
        "RunPercentage"];

    /// <summary>Names of <see cref="Texture"/>, in its order.</summary>
    public static IReadOnlyList<string> TextureNames { get; } =
        [.. FirstOrder.Select(n => $"firstorder.{n}"), .. Cooccurrence.Select(n => $"glcm.{n}"),
        .. Runs.Select(n => $"glrlm.{n}")];

    /// <summary>Names of <see cref="Shape"/>, in its order.</summary>
    public static IReadOnlyList<string> ShapeNames { get; } =
        ["area_fraction", "perimeter_over_sqrt_area", "sphericity", "eccentricity", "solidity", "extent", "elongation",
        "gradient_ratio", "band3_contrast", "region_mean_difference"];

    /// <summary>26 texture features of a region; what is undefined there is not a number.</summary>
    public static double[] Texture(RadiomicRegion region)
    {
        ArgumentNullException.ThrowIfNull(region);
        var bins = region.BinsOfWidth(BinWidth);
        var (first, pairs, runs) = (FirstOrderFeatures.Of(region, bins), GlcmFeatures.Of(region.Size, bins, withMcc: false),
            GlrlmGlszmFeatures.Runs(region.Size, bins));
        static IEnumerable<double> Of(IReadOnlyDictionary<string, double> features, string[] names) =>
            names.Select(n => features.GetValueOrDefault(n, double.NaN));
        return [.. Of(first, FirstOrder), .. Of(pairs, Cooccurrence), .. Of(runs, Runs)];
    }

    /// <summary>10 features of shape and boundary; null where the mask is empty or covers all.</summary>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public static double[]? Shape(GreyImage image, LabelMap mask)
    {
        if (RegionShape.Of(mask) is not { } shape || BoundaryContrast.Of(image, mask) is not { } boundary) return null;
        return
        [
            shape.AreaFraction, shape.MeshPerimeter / Math.Sqrt(shape.MeshSurface), shape.Sphericity, shape.Eccentricity,
            shape.Solidity,
            shape.Extent, shape.Elongation, boundary.GradientRatio, boundary.BandContrast, boundary.RegionDifference,
        ];
    }
}
