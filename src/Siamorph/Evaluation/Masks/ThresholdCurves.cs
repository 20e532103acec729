namespace Siamorph.Evaluation.Masks;

/// <summary>
/// The six counts-based measures and the E-measure of one image at 256 thresholds, as PraNet's evaluation takes them.
/// Column t stands for threshold (255 − t) / 255: column 0 is the strictest, column 255 calls the whole image foreground.
/// </summary>
/// <param name="Dice">256 values in [0,1]; likewise the next four.</param>
/// <param name="Iou">Intersection over union.</param>
/// <param name="Precision">Share of the claimed pixels that are right.</param>
/// <param name="Sensitivity">Share of the true pixels that are found.</param>
/// <param name="Specificity">Share of the background that is left alone.</param>
/// <param name="EMeasure">Enhanced-alignment measure; slightly above 1 at best.</param>
/// <remarks>The F-measure with β = 1 of this protocol equals <paramref name="Dice"/>.</remarks>
internal sealed record ThresholdCurves(
    IReadOnlyList<double> Dice, IReadOnlyList<double> Iou, IReadOnlyList<double> Precision,
    IReadOnlyList<double> Sensitivity, IReadOnlyList<double> Specificity, IReadOnlyList<double> EMeasure)
{
    /// <summary>Number of thresholds.</summary>
    public const int Thresholds = 256;

    /// <summary>The curve of curves: means over images, threshold by threshold.</summary>
    /// <exception cref="ArgumentException">There is no image.</exception>
    public static ThresholdCurves Mean(IReadOnlyCollection<ThresholdCurves> images)
    {
        ArgumentNullException.ThrowIfNull(images);
        if (images.Count == 0) throw new ArgumentException("No image to average.", nameof(images));
        double[] Of(Func<ThresholdCurves, IReadOnlyList<double>> curve) =>
            [.. Enumerable.Range(0, Thresholds).Select(t => images.Average(image => curve(image)[t]))];
        return new(Of(c => c.Dice), Of(c => c.Iou), Of(c => c.Precision), Of(c => c.Sensitivity), Of(c => c.Specificity),
            Of(c => c.EMeasure));
    }
}
