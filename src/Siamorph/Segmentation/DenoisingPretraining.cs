using System.Text.Json.Nodes;
using Siamorph.Data;
using Siamorph.Segmentation.Batches;
using Siamorph.Segmentation.Networks;
using Siamorph.Training;
using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Segmentation;

/// <summary>
/// Trains a segmentation network on images without masks before it sees any: it has to name the noise that was added to them
/// (denoising pretraining, Brempong et al. 2022, arXiv 2205.11423). What it learns is where its training with masks begins.
/// </summary>
internal static class DenoisingPretraining
{
    /// <summary>The weights in a run folder; written last.</summary>
    public const string FileName = "pretrained.safetensors";

    /// <summary>Deviation of the noise, where images lie in [-1, 1] (the paper's 0.22).</summary>
    public const double NoiseLevel = 0.22;

    private const int LogEvery = 10;

    /// <summary>
    /// Trains for <see cref="SegmentationOptions.Steps"/> steps and writes <see cref="FileName"/>; goes on where an earlier call
    /// was stopped.
    /// </summary>
    /// <param name="options">Network, optimizer, batch, augmentation, seed: as for the training that follows.</param>
    /// <param name="images">What to learn from, of the options' size; masks are not looked at.</param>
    /// <param name="runFolder">Where to write.</param>
    /// <param name="monitor">Sees every step and may stop the run, which saves a checkpoint first.</param>
    /// <returns>Full path of the weights.</returns>
    /// <exception cref="SiamorphException">The options are at fault, the folder can't be written, or the loss is not a
    /// number.</exception>
    /// <exception cref="OperationCanceledException">The monitor asked to stop.</exception>
    public static string Run(SegmentationOptions options, PairedDataset images, string runFolder, IMonitor monitor)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(monitor);
        options = options.Validate() with { SyntheticFraction = null, MaxSyntheticPerReal = null, SyntheticWarmup = 0 };
        if (images.Size != options.ImageSize)
            throw new InvalidOptionsException(
                $"The images were loaded at {images.Size}, imageSize is {options.ImageSize}. Load them at that size.");
        var run = new RunFolder(runFolder);
        using var alone = FolderLock.Take(runFolder);
        var file = Path.GetFullPath(Path.Combine(runFolder, FileName));
        var begun = File.Exists(run.LogPath);
        if (!begun) run.Begin(options);
        else if (run.Options<SegmentationOptions>() != options)
            throw new InvalidOptionsException(
                $"{runFolder}: the run was started with other options, see {run.OptionsPath}. Use those, or choose "
                    + $"another folder.");
        DataRecord.Keep(run, [("images", images.Pairs)], begun, monitor);
        if (File.Exists(file)) return file;
        using var session = new Session(options, images);
        session.Restore(run);
        using (var log = new TrainingLog(run, keepThrough: session.Step)) Train(options, session, run, log, monitor);
        session.Write(file);
        return file;
    }

    private static void Train(SegmentationOptions options, Session session, RunFolder run, TrainingLog log, IMonitor monitor)
    {
        using var stage = monitor.Begin("Pretraining segmentation", options.Steps);
        using var heap = NoCollectionRegion.Enter();
        while (session.Step < options.Steps)
        {
            if (monitor.Cancellation.IsCancellationRequested)
            {
                session.Save(run);
                monitor.Cancellation.ThrowIfCancellationRequested();
            }
            var loss = session.Advance();
            var step = session.Step;
            if (step % LogEvery == 0 || step == options.Steps) log.Add(step, new Dictionary<string, double> { ["loss"] = loss });
            if (options.CheckpointEvery > 0 && step % options.CheckpointEvery == 0 && step < options.Steps) session.Save(run);
            stage.Report(step, FormattableString.Invariant($"loss {loss:0.000}"));
            heap.StepDone();
        }
    }

    private sealed class Session : IDisposable
    {
        private readonly SegmentationOptions _options;
        private readonly Placement _place;
        private readonly SegmentationBatches _batches;
        private readonly SegmentationNetwork _network;
        private readonly RecipeOptimizer _optimizer;
        private readonly RecipeSchedule _schedule;
        private readonly Ema? _averages;

        public Session(SegmentationOptions options, PairedDataset images)
        {
            (_options, _place, _schedule) = (options, Placement.On(options.Device), new(options));
            _batches = new(images, options);
            _network = NetworkFactory.Create(options.Network with { Classes = options.Network.ImageChannels });
            InitialWeights.Draw(_network, options.Seed.Derive("weights"));
            if (options.Backbone is { } backbone) BackboneWeights.Load(_network, backbone);
            _place.Move(_network);
            _optimizer = new(_network, options);
            _averages = SegmentationSession.AveragesOf(_network, options);
        }

        public int Step { get; private set; }

        // The mean squared error of the noise that the network names.
        public double Advance()
        {
            using var scope = NewDisposeScope();
            var batch = _batches.Batch(Step);
            using var generator = _options.Seed.Derive("noise").Derive(Step).Generator();
            var noise = _place.Put(randn(batch.Images.shape, generator: generator));
            _network.train();
            _network.Noise.Begin(_options.Seed.Derive("layers").Derive(Step));
            var heads = _network.Heads(_network.Normalised(_place.Put(batch.Images) + noise * NoiseLevel));
            var loss = heads.Select(h => (Operators.ScaleTo(h, noise, _network.AlignCorners) - noise).square().mean())
                .Aggregate((a, b) => a + b);
            var value = loss.to_type(ScalarType.Float32).item<float>();
            if (!float.IsFinite(value)) throw new SiamorphException(
                $"The pretraining loss is {value} at step {Step + 1}. Lower the learning rate, or set a clip norm.");
            _optimizer.Descend(loss, _schedule.At(Step, []));
            _averages?.Update();
            Step++;
            return value;
        }

        public void Save(RunFolder run)
        {
            var parts = new Dictionary<string, WeightTable>
            {
                ["model"] = WeightTable.Of(StateDict.Of(_network)), ["optimizer"] = _optimizer.State(),
            };
            if (_averages is not null) parts["ema"] = _averages.State();
            Checkpoint.Save(run.Checkpoint(Step), parts, new JsonObject
            {
                ["step"] = Step, ["emaUpdates"] = _averages?.Updates ?? 0,
            });
            Checkpoint.Prune(run.Path, keep: 1);
        }

        public void Restore(RunFolder run)
        {
            Checkpoint.Prune(run.Path, keep: 1);
            if (Checkpoint.Latest(run.Path) is not { } folder) return;
            using var checkpoint = Checkpoint.Load(folder);
            StateDict.Apply(_network, checkpoint["model"], folder);
            _optimizer.Load(checkpoint["optimizer"]);
            _averages?.Load(checkpoint["ema"], checkpoint.State["emaUpdates"]!.GetValue<long>());
            Step = checkpoint.State["step"]!.GetValue<int>();
        }

        public void Write(string file)
        {
            using var averaged = _averages?.Swap();
            SafeTensors.Write(file, StateDict.Of(_network), new Dictionary<string, string>
            {
                ["kind"] = "siamorph segmentation pretraining", ["network"] = _options.Network.Name,
            });
        }

        public void Dispose()
        {
            _averages?.Dispose();
            _optimizer.Dispose();
            _network.Dispose();
        }
    }
}
