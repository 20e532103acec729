namespace Siamorph.Evaluation.Masks;

/// <summary>
/// What is measured of a prediction, or as means of a set of them. Dice and IoU follow the protocol; what is decided is
/// decided at 0.5.
/// </summary>
internal abstract record MaskMetrics
{
    /// <summary>
    /// Dice of the protocol, in [0,1]; of a set over thresholds the mean of the mean curve. Likewise <see cref="Iou"/>.
    /// </summary>
    public required double Dice { get; init; }

    /// <inheritdoc cref="Dice"/>
    public required double Iou { get; init; }

    /// <summary>Dice of the decision at 0.5, in [0,1]; likewise the next five.</summary>
    public required double DiceAtHalf { get; init; }

    /// <inheritdoc cref="DiceAtHalf"/>
    public required double IouAtHalf { get; init; }

    /// <summary>IoU at 0.5 where it reaches 0.65, else 0 (the ranking score of ISIC 2018).</summary>
    public required double ThresholdedIou { get; init; }

    /// <summary>Share of the claimed pixels that are right.</summary>
    public required double Precision { get; init; }

    /// <summary>Share of the true pixels that are claimed; also called sensitivity.</summary>
    public required double Recall { get; init; }

    /// <summary>Share of the background that is left alone.</summary>
    public required double Specificity { get; init; }

    /// <summary>Mean absolute error of the map, in [0,1].</summary>
    public required double Mae { get; init; }

    /// <summary>S-measure of the map, in [0,1].</summary>
    public required double SMeasure { get; init; }

    /// <summary>E-measure, mean over 256 thresholds.</summary>
    public required double MeanEMeasure { get; init; }

    /// <summary>E-measure at the best threshold; of a set, of the mean curve.</summary>
    public required double MaxEMeasure { get; init; }

    /// <summary>Weighted F-measure of the map, in [0,1].</summary>
    public required double WeightedF { get; init; }

    /// <summary>
    /// 95th percentile of both borders' distances pooled, in pixels; 0 where both masks are empty, the diagonal where one is.
    /// </summary>
    public required double Hd95 { get; init; }

    /// <summary>
    /// The larger of the two directions' 95th percentiles, in pixels; images with an empty mask are left out, null where none is
    /// left.
    /// </summary>
    public required double? Hd95MaxDirected { get; init; }

    /// <summary>Mean of the two directions' mean distances, in pixels; over the same images.</summary>
    public required double? AverageSurfaceDistance { get; init; }

    /// <summary>Boundary F-measure of DAVIS, in [0,1].</summary>
    public required double BoundaryF { get; init; }

    /// <summary>Boundary IoU, in [0,1].</summary>
    public required double BoundaryIou { get; init; }
}
