using Siamorph.Data;
using Siamorph.Experiment.Results;
using Siamorph.Experiment.Stages;

namespace Siamorph.Experiment.Scheduling;

/// <summary>Does the work of the stages; the scheduler knows nothing of networks.</summary>
internal interface IStageRunner : IDisposable
{
    /// <summary>Trains what several generators begin with.</summary>
    BaseOutcome TrainBase(SharedBaseStage stage, string folder, IMonitor monitor);

    /// <summary>
    /// Trains a generator in <paramref name="folder"/>; goes on where an earlier run stopped, as do the others. It learns from
    /// <paramref name="labelled"/> beside the stage's own pairs.
    /// </summary>
    GeneratorOutcome Train(
        GeneratorStage stage, string? baseFolder, IReadOnlyList<ImageMaskPair> labelled, string folder, IMonitor monitor);

    /// <summary>
    /// Writes synthetic pairs into <paramref name="folder"/>; <paramref name="shapes"/> are drawn from beside the stage's own
    /// masks.
    /// </summary>
    SynthesisOutcome Synthesize(
        SynthesisStage stage, string? generatorFolder, IReadOnlyList<ImageMaskPair> shapes, string folder, IMonitor monitor);

    /// <summary>Trains a segmentation network to remove noise; its weights lie in <paramref name="folder"/>.</summary>
    PretrainingOutcome Pretrain(PretrainingStage stage, string folder, IMonitor monitor);

    /// <summary>Writes pseudo-labelled pairs into <paramref name="folder"/>.</summary>
    LabellingOutcome Label(LabellingStage stage, string teacherFolder, string folder, IMonitor monitor);

    /// <summary>
    /// Judges the pairs in <paramref name="syntheticFolder"/>; its manifest in <paramref name="folder"/> names each with its
    /// verdict.
    /// </summary>
    GateOutcome Judge(GateStage stage, string syntheticFolder, string folder, IMonitor monitor);

    /// <summary>Steps that an interrupted run of this stage has behind it and will not repeat.</summary>
    long StepsDone(PlannedStage stage, string folder);

    /// <summary>The pairs that <see cref="Synthesize"/> or <see cref="Judge"/> wrote.</summary>
    IReadOnlyList<ImageMaskPair> ReadSynthetic(string folder);

    /// <summary>
    /// Trains a segmentation network on the pairs, chooses its weights by the validation split, and tests it once.
    /// </summary>
    SegmentationOutcome Segment(SegmentationWork work, string folder, IMonitor monitor);

    /// <summary>Tests the network in <paramref name="networkFolder"/> on corrupted test images.</summary>
    RobustnessOutcome Corrupt(RobustnessStage stage, string networkFolder, IMonitor monitor);

    /// <summary>Tests the network in <paramref name="networkFolder"/> on sets of other hospitals.</summary>
    ExternalOutcome TestElsewhere(ExternalStage stage, string networkFolder, IMonitor monitor);

    /// <summary>Measures the speed of each kind of work by doing a little of it in <paramref name="folder"/>.</summary>
    StageSpeeds Measure(ExperimentPlan plan, string folder, IMonitor monitor);
}

/// <summary>What a shared base training came to.</summary>
/// <param name="ModelHash">SHA-256 of its last checkpoint's manifest, hexadecimal.</param>
internal sealed record BaseOutcome(string ModelHash);

/// <summary>What pretraining by denoising came to.</summary>
/// <param name="WeightsHash">SHA-256 of the weights' file, hexadecimal.</param>
internal sealed record PretrainingOutcome(string WeightsHash);

/// <summary>What pseudo-labelling came to.</summary>
/// <param name="Pairs">Images in which something was found.</param>
/// <param name="LeftOut">Images in which nothing was found.</param>
/// <param name="Hash">SHA-256 over the pairs' contents.</param>
internal sealed record LabellingOutcome(int Pairs, int LeftOut, string Hash);

/// <summary>What a segmentation network is trained and tested on.</summary>
internal sealed record SegmentationWork(
    Segmentation.SegmentationOptions Options, IReadOnlyList<ImageMaskPair> Train, IReadOnlyList<ImageMaskPair> Validation,
    IReadOnlyList<ImageMaskPair> Test);
