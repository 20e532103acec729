using System.Diagnostics;
using Siamorph.Data;
using Siamorph.Experiment.Stages;
using Siamorph.Segmentation;
using Siamorph.Siamese;
using static TorchSharp.torch;

namespace Siamorph.Experiment.Scheduling;

/// <summary>Does a few real steps of each kind of work and takes the time.</summary>
internal static class SpeedMeasurement
{
    private const int SegmentationSteps = 6, DrawnImages = 8, DrawnSteps = 2;
    private const int Enough = 32; // a few pairs say as much about speed as all of them

    public static StageSpeeds Run(ExperimentPlan plan, string folder, IMonitor monitor)
    {
        monitor.Note("Measuring the speed of this machine …");
        var seconds = new Dictionary<WorkKind, double>
        {
            [WorkKind.SegmentationStep] = SegmentationStep(plan.Options.Segmentation, plan, folder, monitor),
        };
        // A look at an image is about a third of its part in a training step.
        seconds[WorkKind.CorruptedImage] = seconds[WorkKind.SegmentationStep] / (3 * plan.Options.Segmentation.BatchSize);
        if (plan.Stages.OfType<GeneratorStage>().FirstOrDefault() is { } generator)
        {
            using var data = generator.Options.Load([.. generator.Pairs.Take(Enough)], new SpeedMonitor(monitor));
            (seconds[WorkKind.BaseStep], seconds[WorkKind.SiameseStep]) =
                SiameseTrainer.MeasureStepSeconds(generator.Options, data, steps: 3);
            seconds[WorkKind.SyntheticImage] =
                Image(plan.Stages.OfType<SynthesisStage>().First(s => s.Generator is not null), data);
        }
        return new StageSpeeds
        {
            SecondsPerUnit = seconds,
            SecondsPerNetworkStep = plan.Options.OtherNetworks.ToDictionary(n => n,
                n => SegmentationStep(plan.Options.SegmentationOf(n), plan, Path.Combine(folder, n), monitor)),
        };
    }

    private static double SegmentationStep(SegmentationOptions trained, ExperimentPlan plan, string folder, IMonitor monitor)
    {
        var options = trained with { Steps = SegmentationSteps, ValidateEvery = SegmentationSteps, CheckpointEvery = 0 };
        using var train = options.Load([.. plan.Train.Take(Enough)], new SpeedMonitor(monitor));
        using var validation = PairedDataset.Load([.. plan.Validation.Take(Enough)], options.ImageSize,
            new SpeedMonitor(monitor));
        var pace = new SpeedMonitor(monitor);
        var clock = Stopwatch.StartNew();
        SegmentationTrainer.Run(options, train, validation, folder, pace);
        return pace.SecondsPerUnit(SegmentationSteps) ?? clock.Elapsed.TotalSeconds / SegmentationSteps;
    }

    private static double Image(SynthesisStage stage, PairedDataset data)
    {
        var options = stage.Generator!.Options;
        using var pipeline = new SiamesePipeline(options, data.Pairs.Select(p => p.Prompt));
        pipeline.Codec.Fit(data.Images);
        pipeline.MoveTo(Placement.Of(stage.Options.Device, stage.Options.Precision));
        var sampling = stage.Options.Resolve(options.Sampling);
        var sampler = new MaskDiffusionSampler(pipeline, sampling with { Steps = DrawnSteps });
        var prompts = Enumerable.Range(0, DrawnImages).Select(i => data.Pairs[i % data.Count].Prompt).ToList();
        var seeds = prompts.Select((_, i) => new Seed(0).Derive(i)).ToList();
        using var scope = NewDisposeScope();
        var masks = zeros(DrawnImages, 1, options.ImageSize, options.ImageSize);
        sampler.Sample(masks, prompts, seeds); // warms up
        var clock = Stopwatch.StartNew();
        sampler.Sample(masks, prompts, seeds);
        return clock.Elapsed.TotalSeconds / DrawnSteps * sampling.Steps / DrawnImages;
    }
}
