namespace Siamorph.Experiment.Stages;

/// <summary>A part of a stage's work.</summary>
/// <param name="Units">Steps or images, as the part reports them.</param>
/// <param name="Pace">Which measured speed applies.</param>
/// <param name="Network">Which segmentation network works; null is the first.</param>
internal sealed record WorkPhase(long Units, WorkKind Pace, string? Network = null);

/// <summary>Kinds of work whose speed is measured before an experiment starts.</summary>
internal enum WorkKind
{
    BaseStep,
    SiameseStep,
    SyntheticImage,
    SegmentationStep,
    CorruptedImage,
}
