using System.Diagnostics;
using Siamorph.Acceleration;
using Siamorph.Data;
using Siamorph.Data.Phantom;
using Siamorph.Diffusion;
using Siamorph.Imaging;
using Siamorph.Models;
using Siamorph.Training.Optimizers;
using static TorchSharp.torch;

namespace Siamorph.Siamese.Benchmark;

/// <summary>The work to be timed.</summary>
internal sealed record StepBenchmarkOptions
{
    /// <summary>Width of the first level.</summary>
    public int ModelChannels { get; init; } = 64;

    /// <summary>Width of each level as a multiple of the first.</summary>
    public IReadOnlyList<int> ChannelMultipliers { get; init; } = [1, 2, 4, 4];

    /// <summary>Residual blocks a level.</summary>
    public int ResidualBlocks { get; init; } = 1;

    /// <summary>Attention heads.</summary>
    public int Heads { get; init; } = 8;

    /// <summary>Channels of a context token.</summary>
    public int ContextWidth { get; init; } = 64;

    /// <summary>Context tokens.</summary>
    public int ContextLength { get; init; } = 77;

    /// <summary>Channels of the latent.</summary>
    public int LatentChannels { get; init; } = 4;

    /// <summary>Height and width of the latent.</summary>
    public int LatentSize { get; init; } = 32;

    /// <summary>Hint pixels to one of the latent.</summary>
    public int CodecFactor { get; init; } = 8;

    /// <summary>Downsampling factors that have spatial transformers.</summary>
    public IReadOnlyList<int> AttentionFactors { get; init; } = [1, 2, 4];

    /// <summary>Channels after the first convolution of the hint encoder.</summary>
    public int HintWidth { get; init; } = 16;

    /// <summary>Samples a step.</summary>
    public int Batch { get; init; } = 4;

    /// <summary>Threads.</summary>
    public int Threads { get; init; } = 2;

    /// <summary>Where the networks run.</summary>
    public ComputeDevice Device { get; init; }

    /// <summary>Type of the networks' weights and activations.</summary>
    public Precision Precision { get; init; }

    /// <summary>The sizes of a preset.</summary>
    public static StepBenchmarkOptions Of(TrainOptions preset)
    {
        ArgumentNullException.ThrowIfNull(preset);
        var n = preset.Network;
        return new()
        {
            ModelChannels = n.ModelChannels, ChannelMultipliers = n.ChannelMultipliers, ResidualBlocks = n.ResidualBlocks,
            Heads = n.Heads,
            ContextWidth = n.ContextWidth, LatentChannels = n.LatentChannels, LatentSize = preset.ImageSize / n.HintFactor,
            CodecFactor = n.HintFactor,
            AttentionFactors = n.AttentionFactors, HintWidth = n.HintWidth, Batch = preset.Siamese.BatchSize,
        };
    }

    /// <summary>The networks' sizes.</summary>
    /// <exception cref="InvalidOptionsException">They don't fit together.</exception>
    public DenoiserConfig ToConfig()
    {
        var config = new DenoiserConfig
        {
            LatentChannels = LatentChannels,
            ModelChannels = ModelChannels,
            ChannelMultipliers = ChannelMultipliers,
            ResidualBlocks = ResidualBlocks,
            Heads = Heads,
            ContextWidth = ContextWidth,
            HintFactor = CodecFactor,
            HintWidth = HintWidth,
            AttentionFactors = AttentionFactors,
        };
        List<string> faults = [.. config.Validate()];
        foreach (var (name, value) in new[] { ("batch", Batch), ("threads", Threads), ("contextLength", ContextLength),
            ("latentSize", LatentSize) })
            if (value < 1) faults.Add($"{name} is {value}; at least 1 is needed.");
        if (LatentSize % (1 << (ChannelMultipliers.Count - 1)) != 0)
            faults.Add($"latentSize {LatentSize} can't be halved once a level.");
        return faults.Count == 0 ? config : throw new InvalidOptionsException(faults);
    }
}

/// <summary>What a benchmark found.</summary>
/// <param name="MedianMs">Median time of a step, milliseconds.</param>
/// <param name="MinMs">Shortest.</param>
/// <param name="MaxMs">Longest.</param>
/// <param name="Repeats">Steps timed.</param>
/// <param name="Batch">Samples a step.</param>
/// <param name="Gflop">10⁹ operations a step, see <see cref="Workload"/>.</param>
/// <param name="GemmGflops">10⁹ operations a second of a 2048³ product of that type there, median of those timed between the
/// steps.</param>
/// <param name="FractionOfGemm">Operations a second of the step, as a fraction of that.</param>
/// <param name="PeakMemoryMB">Most memory the process has held, 10⁶ bytes.</param>
/// <param name="Shares">What each operation takes of a step, where a profile was asked for.</param>
internal sealed record StepTiming(
    double MedianMs, double MinMs, double MaxMs, int Repeats, int Batch, double Gflop, double GemmGflops, double FractionOfGemm,
    double PeakMemoryMB,
    IReadOnlyList<OperationShare>? Shares);

/// <summary>What is measured beside the time.</summary>
/// <param name="Repeats">Steps to time.</param>
/// <param name="Profile">Whether operations note their share of the time, which takes a little itself.</param>
/// <param name="Monitor">Watches and may stop.</param>
internal sealed record StepMeasurement(int Repeats, bool Profile, IMonitor Monitor);

/// <summary>Times the product's own training step and DDIM step on seeded random weights and data.</summary>
internal static class StepBenchmark
{
    private const int WarmUps = 2;
    private const int MaxSteps = 3000;
    private const double LearningRate = 1e-5;
    private static readonly Seed BenchmarkSeed = new(1);

    /// <summary>
    /// Times training steps with all four losses and AdamW. Every fourth sample, and at least one, has t ≤ 200; the step is past
    /// the third of the run where online augmentation begins.
    /// </summary>
    /// <exception cref="InvalidOptionsException">The options don't fit together.</exception>
    public static StepTiming TrainStep(StepBenchmarkOptions options, StepMeasurement how)
    {
        ArgumentNullException.ThrowIfNull(options);
        using var scope = NewDisposeScope();
        var place = Placement.Of(options.Device, options.Precision);
        var model = Model(options, place);
        model.FreezeEncoder();
        var process = new ForwardProcess(new NoiseSchedule(new ScheduleOptions()), PredictionType.Epsilon);
        var step = new SiameseStep(model, process, new SiameseLossOptions());
        using var weights = new MasterWeights([.. model.TrainableParameters().Select(p => (p.Name, (Tensor)p.Parameter))]);
        using var optimizer = new AdamW(weights.Masters);
        var timesteps = Enumerable.Range(0, options.Batch).Select(i => i % 4 == 0 ? 150L : 999 - 130 * (i % 4)).ToArray();
        var batch = new SiameseBatch(Random(options, "x0", options.LatentChannels, options.LatentSize).to(place.Device),
            Random(options, "noise", options.LatentChannels, options.LatentSize).to(place.Device),
            tensor(timesteps, device: place.Device),
            place.Put(Context(options, "prompt")), place.Put(MaskHint(options)),
            place.Put(Random(options, "image", 3, options.CodecFactor * options.LatentSize).sigmoid()));

        return Measure(options, how, Work(options).TrainStep(options.Batch, timesteps.Count(t => t <= 200)), (steps, clock) =>
        {
            for (var i = 0; i < steps; i++, clock.Lap())
            {
                using var stepScope = NewDisposeScope();
                weights.ZeroGrad();
                step.Run(batch, MaxSteps / 2, MaxSteps).Backward();
                weights.TakeGradients(lossScale: 1);
                using (StepProfile.Of("optimizer")) optimizer.Step(LearningRate);
                weights.Publish();
            }
        });
    }

    /// <summary>
    /// Times a stage's own training steps on pictures of the simulator, past the third of the run where online augmentation
    /// begins: batches, gradient clipping and averaged weights included.
    /// </summary>
    /// <param name="preset">What is trained; one that begins with seeded weights.</param>
    /// <param name="baseStage">Stage base instead of stage siamese.</param>
    /// <param name="threads">Threads.</param>
    /// <param name="how">What is measured.</param>
    public static StepTiming TrainStage(TrainOptions preset, bool baseStage, int threads, StepMeasurement how)
    {
        ArgumentNullException.ThrowIfNull(how);
        const int Pairs = 64;
        var options = StepBenchmarkOptions.Of(preset) with
        {
            Threads = threads, Device = preset.Device, Precision = preset.Precision,
        };
        var folder = Directory.CreateTempSubdirectory("siamorph-bench-").FullName;
        var before = get_num_threads();
        set_num_threads(threads); // a stage looks at their number when it is made
        try
        {
            var size = new ImageSize(preset.ImageSize, preset.ImageSize);
            using var data = PairedDataset.Load([.. PhantomDataset.Write(folder, new()
            {
                Count = Pairs, Size = size,
            }, how.Monitor).Pairs], size, how.Monitor);
            using var pipeline = new SiamesePipeline(preset, data.Pairs.Select(p => p.Prompt));
            pipeline.PrepareCodec(data.Images);
            pipeline.MoveTo(Placement.Of(preset.Device, preset.Precision));
            using TrainingStage stage = baseStage ? new BaseStage(pipeline, data) : new SiameseStage(pipeline, data);
            var work = new Workload(preset.Network, options.LatentSize, options.LatentSize, options.ContextLength);
            var augmented = options.Batch * preset.Losses.AugmentationMaxTimestep / 1000;
            using var heap = NoCollectionRegion.Enter();
            return Measure(options, how, baseStage ? 3 * options.Batch * (work.Encoder() + work.Decoder())
                : work.TrainStep(options.Batch, augmented), (steps, clock) =>
            {
                for (var i = 0; i < steps; i++, clock.Lap())
                {
                    stage.Step(stage.Options.Steps / 2 + i);
                    heap.StepDone();
                }
            });
        }
        finally
        {
            set_num_threads(before);
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Times DDIM steps with prompt guidance; the hint features are computed before, once, as in sampling.</summary>
    /// <exception cref="InvalidOptionsException">The options don't fit together.</exception>
    public static StepTiming DdimStep(StepBenchmarkOptions options, StepMeasurement how)
    {
        ArgumentNullException.ThrowIfNull(options);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var guidance = new GuidanceOptions();
        var process = new ForwardProcess(new NoiseSchedule(new ScheduleOptions()), PredictionType.Epsilon);
        var place = Placement.Of(options.Device, options.Precision);
        using var denoiser = new GuidedDenoiser(
            Model(options, place), place.Put(MaskHint(options)), place.Put(Context(options, "prompt")),
            place.Put(Context(options, "empty")), guidance);
        return Measure(options, how, Work(options).DdimStep(options.Batch, guidance), (steps, clock) =>
            new DdimSampler(process, new DdimOptions { Steps = steps })
                .Sample(Random(options, "start", options.LatentChannels, options.LatentSize).to(place.Device), denoiser.Predict,
                watch: _ => clock.Lap()));
    }

    private static StepTiming Measure(
        StepBenchmarkOptions options, StepMeasurement how, double operations, Action<int, StepClock> run)
    {
        ArgumentNullException.ThrowIfNull(how);
        var (repeats, monitor) = (how.Repeats, how.Monitor);
        if (repeats < 1) throw new InvalidOptionsException($"{repeats} repeats: at least 1 is needed.");
        var threads = get_num_threads();
        set_num_threads(options.Threads);
        try
        {
            using var stage = monitor.Begin("Timing", WarmUps + repeats);
            using var profile = how.Profile ? new StepProfile() : null;
            using var recorder = how.Profile ? OperationRecorder.TryOpen() : null;
            var clock = new StepClock(monitor, stage, Placement.Of(options.Device, options.Precision)) { Profile = profile };
            run(WarmUps + repeats, clock);
            var steps = clock.Steps.Skip(WarmUps).Order().ToList();
            var (gflop, gemm) = (operations / 1e9,
                2e-9 * Math.Pow(StepClock.ProductSize, 3) / Median([.. clock.Products.Skip(WarmUps).Order()]));
            using var process = Process.GetCurrentProcess();
            return new(1000 * Median(steps), 1000 * steps[0], 1000 * steps[^1], repeats, options.Batch, gflop, gemm,
                gflop / Median(steps) / gemm, process.PeakWorkingSet64 / 1e6, profile?.Shares(repeats, StepClock.Comparison));
        }
        finally
        {
            set_num_threads(threads);
        }
    }

    private static double Median(List<double> sorted) => (sorted[sorted.Count / 2] + sorted[(sorted.Count - 1) / 2]) / 2;

    private static Workload Work(StepBenchmarkOptions options) =>
        new(options.ToConfig(), options.LatentSize, options.LatentSize, options.ContextLength);

    // Nothing stays zero: a trained model has no zero-convolutions left.
    private static SiameseModel Model(StepBenchmarkOptions options, Placement place)
    {
        var model = new SiameseModel(options.ToConfig(), BenchmarkSeed);
        using var noGrad = no_grad();
        using var generator = BenchmarkSeed.Derive("weights").Generator();
        foreach (var parameter in model.parameters())
            using (var noise = randn(parameter.shape, generator: generator)) parameter.add_(noise, 0.01);
        place.Move(model);
        return model;
    }

    private static Tensor Random(StepBenchmarkOptions options, string purpose, int channels, int size)
    {
        using var generator = BenchmarkSeed.Derive(purpose).Generator();
        return randn([options.Batch, channels, size, size], generator: generator);
    }

    private static Tensor Context(StepBenchmarkOptions options, string purpose)
    {
        using var generator = BenchmarkSeed.Derive(purpose).Generator();
        return randn([options.Batch, options.ContextLength, options.ContextWidth], generator: generator);
    }

    private static Tensor MaskHint(StepBenchmarkOptions options) =>
        Random(options, "mask", 1, options.CodecFactor * options.LatentSize).gt(0).to(float32).expand(-1, 3, -1, -1).contiguous();

    /// <summary>Times laps, and between them a matrix product for comparison.</summary>
    private sealed class StepClock
    {
        public const int ProductSize = 2048;
        public const string Comparison = "product for comparison";
        private readonly IMonitor _monitor;
        private readonly IMonitoredStage _stage;
        private readonly Tensor _factor;
        private readonly bool _waits; // a graphics card computes while the program goes on
        private long _start = Stopwatch.GetTimestamp();

        public StepClock(IMonitor monitor, IMonitoredStage stage, Placement place)
        {
            (_monitor, _stage) = (monitor, stage);
            _factor = ones([ProductSize, ProductSize], dtype: place.Type, device: place.Device);
            _waits = place.Device.type != TorchSharp.DeviceType.CPU;
        }

        public StepProfile? Profile { get; init; }

        public List<double> Steps { get; } = [];

        public List<double> Products { get; } = [];

        public void Lap()
        {
            if (_waits) cuda.synchronize();
            Steps.Add(Stopwatch.GetElapsedTime(_start).TotalSeconds);
            using var noted = StepProfile.Of(Comparison);
            var start = Stopwatch.GetTimestamp();
            mm(_factor, _factor).Dispose();
            if (_waits) cuda.synchronize();
            Products.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
            if (Steps.Count == WarmUps) Profile?.Clear();
            _stage.Report(Steps.Count);
            _monitor.Cancellation.ThrowIfCancellationRequested();
            _start = Stopwatch.GetTimestamp();
        }
    }
}
