using Siamorph.Data.Phantom;
using Siamorph.Experiment.Results;
using Siamorph.Experiment.Scheduling;
using Siamorph.Imaging;
using Siamorph.Segmentation;
using Siamorph.Siamese;
using Siamorph.Training;

namespace Siamorph.Experiment;

/// <summary>What a demonstration does: the phantom it paints and the experiment it runs on it.</summary>
/// <param name="Phantom">The built-in dataset.</param>
/// <param name="Experiment">The experiment; its data folder is set by <see cref="Demo.Run"/>.</param>
/// <param name="Minutes">What it may take; on a machine too slow for that, training is shortened.</param>
/// <param name="Unlabelled">Further images, of other patients, that are given without masks; 0 for none.</param>
internal sealed record DemoPlan(PhantomOptions Phantom, ExperimentOptions Experiment, double Minutes, int Unlabelled = 0)
{
    /// <summary>The same with other patients and other seeds.</summary>
    public DemoPlan With(Seed seed) => this with
    {
        Phantom = Phantom with { Seed = seed },
        Experiment = Experiment with
        {
            Seeds = [.. Experiment.Seeds.Select(s => new Seed(unchecked(100 * seed.Value + s.Value)))],
            Split = Experiment.Split with { Seed = seed },
        },
    };
}

/// <summary>The whole loop on the built-in dataset, in one folder.</summary>
internal static class Demo
{
    private const string Marker = "demo.json";
    private const double LeastShare = 0.4; // with less there is nothing to see

    /// <summary>The demonstration proper: minutes.</summary>
    public static DemoPlan Full { get; } = new(
        new PhantomOptions { Count = 240 },
        new ExperimentOptions
        {
            RealCounts = [50],
            Seeds = [1, 2, 3],
            Split = new() { Train = 0.5, Val = 0.15, Test = 0.35 },
            Generator = Presets.Tiny with
            {
                Base = Presets.Tiny.Base with { Steps = 300 },
                Siamese = Presets.Tiny.Siamese with { Steps = 150 },
                PreviewEvery = 0,
                CheckpointEvery = 100,
            },
            // Half as wide as usual: such a network has learned what 50 pairs can teach it after 2,000 steps, and those take a
            // minute.
            Segmentation = SegmentationOptions.ForExperiments with { Network = new() { Width = 8 } },
        },
        Minutes: 10);

    /// <summary>
    /// The same loop with networks far too small and short to be of use: it shows in seconds that everything runs.
    /// </summary>
    public static DemoPlan Quick { get; } = new(
        new PhantomOptions { Count = 24, Size = new ImageSize(32, 32), FramesPerCase = 1 },
        new ExperimentOptions
        {
            RealCounts = [8],
            Seeds = [1, 2],
            Split = new() { Train = 0.5, Val = 0.25, Test = 0.25, KeepNearDuplicates = false },
            Generator = Presets.Tiny with
            {
                ImageSize = 32,
                Network = Presets.Tiny.Network with { ModelChannels = 32, Heads = 4, ContextWidth = 16, HintWidth = 4 },
                Base = Presets.Tiny.Base with { Steps = 6, BatchSize = 4, WarmupSteps = 2 },
                Siamese = Presets.Tiny.Siamese with { Steps = 6, BatchSize = 4, WarmupSteps = 2 },
                Sampling = Presets.Tiny.Sampling with { Steps = 3 },
                PreviewEvery = 0,
                CheckpointEvery = 3,
            },
            Segmentation = new SegmentationOptions
            {
                Network = new() { Width = 4 },
                ImageSize = new ImageSize(32, 32),
                Steps = 8,
                BatchSize = 4,
                ValidateEvery = 4,
            },
            BootstrapDraws = 500,
        },
        Minutes: 60);

    /// <summary>Paints the phantom and runs the experiment, or goes on where an earlier run in this folder stopped.</summary>
    /// <param name="plan">What to do.</param>
    /// <param name="folder">New, empty, or of an earlier run of the same plan.</param>
    /// <param name="monitor">Told what will be done, how long it takes, and the progress.</param>
    /// <param name="crew">Processes that run stages beside this one; null for none.</param>
    /// <exception cref="SiamorphException">The folder holds something else, or can't be written.</exception>
    /// <exception cref="OperationCanceledException">The user stopped; run again to go on.</exception>
    public static ExperimentResult Run(DemoPlan plan, string folder, IMonitor monitor, WorkerPool? crew = null)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(monitor);
        Claim(plan, folder);
        var data = Path.Combine(folder, "phantom");
        if (!File.Exists(Path.Combine(data, "manifest.jsonl"))) PhantomDataset.Write(data, plan.Phantom, monitor);
        var unlabelled = plan.Unlabelled > 0 ? PaintWithoutMasks(plan, folder, monitor) : null;
        using var runner = new TorchStageRunner();
        var options = Resolve(plan, o => o with
        {
            Data = data, Generator = o.Generator with { Unlabelled = unlabelled },
        }, folder, monitor, (runner, crew?.Size ?? 1));
        return ExperimentRunner.Run(options, folder, monitor, runner, crew);
    }

    // Other patients of the same devices; their masks are thrown away.
    private static string PaintWithoutMasks(DemoPlan plan, string folder, IMonitor monitor)
    {
        var (images, painted) = (Path.Combine(folder, "unlabelled"), Path.Combine(folder, "unlabelled.painted"));
        if (Directory.Exists(images)) return images;
        PhantomDataset.Write(painted, plan.Phantom with
        {
            Count = plan.Unlabelled, Seed = plan.Phantom.Seed.Derive("without masks"),
        }, monitor);
        Directory.Delete(Path.Combine(painted, "masks"), recursive: true);
        File.Delete(Path.Combine(painted, "manifest.jsonl"));
        Directory.Move(painted, images);
        return images;
    }

    private static void Claim(DemoPlan plan, string folder)
    {
        var marker = Path.Combine(folder, Marker);
        var text = OptionsFile.ToJson(plan) + "\n";
        if (File.Exists(marker))
        {
            if (File.ReadAllText(marker) == text) return;
            throw new SiamorphException($"{folder}: contains a demo of another kind (full or quick) or version. Choose a new "
                + $"folder, or remove this one.");
        }
        if (File.Exists(folder) || (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any()))
            throw new SiamorphException($"{folder}: exists already and holds other files. Name a new folder.");
        AtomicFile.WriteText(marker, text);
    }

    // What was resolved once stays: a resumed demonstration does what it began, whatever else the machine is doing by then.
    private static ExperimentOptions Resolve(
        DemoPlan plan, Func<ExperimentOptions, ExperimentOptions> placed, string folder, IMonitor monitor,
        (TorchStageRunner Runner, int Processes) work)
    {
        var kept = Path.Combine(folder, "options.json");
        if (File.Exists(kept)) return placed(OptionsFile.LoadRecorded<ExperimentOptions>(kept));
        var options = placed(plan.Experiment);
        var seconds = ExperimentRunner.EstimateSeconds(options, folder, monitor, work.Runner) / work.Processes;
        if (seconds <= 60 * plan.Minutes) return options;
        var share = Math.Max(LeastShare, 60 * plan.Minutes / seconds);
        monitor.Note(FormattableString.Invariant(
            $"This machine is slow or busy at the moment, so the demo trains for {100 * share:0} % of its usual steps."));
        return Shortened(options, share);
    }

    private static ExperimentOptions Shortened(ExperimentOptions options, double share)
    {
        int Part(int steps) => Math.Max(10, (int)(steps * share));
        return options with
        {
            Generator = options.Generator with
            {
                Base = options.Generator.Base with { Steps = Part(options.Generator.Base.Steps) },
                Siamese = options.Generator.Siamese with { Steps = Part(options.Generator.Siamese.Steps) },
            },
            Segmentation = options.Segmentation with { Steps = Part(options.Segmentation.Steps) },
        };
    }
}
