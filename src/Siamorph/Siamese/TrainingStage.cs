using System.Text.Json.Nodes;
using Siamorph.Data;
using Siamorph.Diffusion;
using Siamorph.Distributed;
using Siamorph.Models;
using Siamorph.Training;
using Siamorph.Training.Optimizers;
using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Siamese;

/// <summary>What a stage keeps on disk beside its checkpoints.</summary>
/// <param name="Latents">Moments of the images; null where the codec is quick anyway.</param>
/// <param name="MomentsPath">Where the optimizer's moments go; null keeps them in memory.</param>
/// <param name="Group">The processes that train together.</param>
internal sealed record StageFiles(LatentCache? Latents, string? MomentsPath, IProcessGroup Group);

/// <summary>
/// One stage of training: which weights it trains, and one optimizer step after another. Step k is a function of the
/// weights, the optimizer's state, the seed and k, so a stage that is resumed goes on bit for bit.
/// </summary>
internal abstract class TrainingStage : IDisposable
{
    // What any batch may report, so that ranks with different batches agree on what they sum.
    private static readonly string[] Reported = ["total", "mask", "image", "consistency", "augmentation"];

    private readonly IProcessGroup _group;
    private readonly MasterWeights _weights;
    private readonly LossScale _lossScale;
    private readonly IOptimizer _optimizer;
    private readonly Ema? _ema;

    protected TrainingStage(string name, SiamesePipeline pipeline, PairedDataset data, StageOptions options,
        IReadOnlyList<(string, Tensor)> parameters, StageFiles? files)
    {
        (Name, Pipeline, Options) = (name, pipeline, options);
        _group = files?.Group ?? SingleProcess.Instance;
        RefuseUneven();
        Batches = new GeneratorBatches(pipeline, data, options, pipeline.Options.Seed.Derive(name), files?.Latents);
        foreach (var tensor in pipeline.Tensors().Values) tensor.requires_grad = false;
        foreach (var (_, parameter) in parameters) parameter.requires_grad = true;
        _weights = new MasterWeights(parameters);
        _lossScale = new LossScale(pipeline.Options.Precision == Precision.Float16);
        _optimizer = Optimizer(_weights.Masters, new AdamWOptions { WeightDecay = options.WeightDecay }, files?.MomentsPath);
        if (options.EmaDecay > 0) _ema = new Ema(_weights.Masters, options.EmaDecay);
    }

    /// <summary>"base" or "siamese".</summary>
    public string Name { get; }

    public StageOptions Options { get; }

    protected SiamesePipeline Pipeline { get; }

    protected GeneratorBatches Batches { get; }

    /// <summary>One optimizer step.</summary>
    /// <returns>The losses, the gradient's norm and the learning rate by name.</returns>
    /// <exception cref="SiamorphException">The loss is no number.</exception>
    public IReadOnlyDictionary<string, double> Step(long step)
    {
        using var scope = NewDisposeScope();
        _weights.ZeroGrad();
        var values = Accumulate(step);
        if (values.Values.Any(v => !double.IsFinite(v)))
            throw new SiamorphException($"{Name} training, step {step}: the loss is not a number (NaN). Lower "
                + $"{Name}.learningRate or set {Name}.clipNorm.");
        _weights.TakeGradients(_lossScale.Value);
        if (Options.ClipNorm > 0 || Pipeline.Options.Precision == Precision.Float16)
            values["gradientNorm"] = GradientClip.ClipNorm(_weights.Masters.Select(p => p.Master), Options.ClipNorm > 0
                ? Options.ClipNorm : double.PositiveInfinity);
        values["learningRate"] = Options.Schedule.At(step, Options.Steps);
        if (!_lossScale.Accept(double.IsFinite(values.GetValueOrDefault("gradientNorm")))) return values;
        _optimizer.Step(values["learningRate"]);
        _weights.Publish();
        _ema?.Update();
        return values;
    }

    // The step's batches one after another; their gradients add up, each divided by their number. Ranks share the batches, or
    // where these can't be shared out evenly, every batch.
    private Dictionary<string, double> Accumulate(long step)
    {
        var count = Options.Accumulation;
        var whole = count % _group.Size == 0;
        var (first, end) = whole ? (count / _group.Size * _group.Rank, count / _group.Size * (_group.Rank + 1)) : (0, count);
        Batches.Part = whole ? null : (_group.Rank, _group.Size);
        var sums = new Dictionary<string, double>();
        for (var i = first; i < end; i++)
        {
            using var scope = NewDisposeScope();
            foreach (var (name, value) in Gradients(step, step * count + i, _lossScale.Value / count))
                sums[name] = sums.GetValueOrDefault(name) + value / count;
            if (i + 1 < end) NoCollectionRegion.Pause();
        }
        var scale = whole ? 1 : 1.0 / _group.Size;
        _group.Sum(sums, Reported, scale); // before anyone looks at them: ranks fail together
        _group.SumGradients(_weights.Weights, scale);
        return sums;
    }

    private void RefuseUneven()
    {
        if (Options.Accumulation % _group.Size == 0 || Options.BatchSize % _group.Size == 0) return;
        throw new InvalidOptionsException(
            $"{Name}: {_group.Size} ranks can share neither {Options.Accumulation} batches a step nor batches of "
                + $"{Options.BatchSize}. "
            + $"Choose a number of ranks that divides {Name}.accumulation or {Name}.batchSize.");
    }

    /// <summary>
    /// The averaged weights until the result is disposed, for previews; the weights themselves where there are none.
    /// </summary>
    public IDisposable? SwapAverages() => _ema is null ? null : new EmaScope(_ema, _weights);

    /// <summary>Makes the averaged weights the weights: the end of a stage.</summary>
    public void KeepAverages()
    {
        if (_ema is not null) Pipeline.ApplyAverages(_ema.State());
    }

    /// <summary>Writes a checkpoint from which the run goes on.</summary>
    public void Save(string folder, long step)
    {
        var parts = new Dictionary<string, WeightTable>
        {
            ["model"] = WeightTable.Of(Stored()),
            ["optimizer"] = _optimizer.State(),
        };
        if (_ema is not null) parts["ema"] = _ema.State();
        using var scope = NewDisposeScope();
        if (Lora.Tensors(Pipeline.Model.UNet) is { Count: > 0 } lora) parts["lora"] = WeightTable.Of(lora);
        var state = Pipeline.State();
        state["stage"] = Name;
        state["step"] = step;
        state["averageUpdates"] = _ema?.Updates ?? 0;
        if (_lossScale.Moves) (state["lossScale"], state["lossScaleGoodSteps"]) = (_lossScale.Value, _lossScale.GoodSteps);
        Checkpoint.Save(folder, parts, state);
    }

    /// <summary>Takes weights, averages and optimizer from a checkpoint of this stage.</summary>
    public void Restore(LoadedCheckpoint checkpoint)
    {
        Pipeline.Apply(checkpoint["model"], checkpoint.Folder);
        _weights.Load(checkpoint["model"]);
        _optimizer.Load(checkpoint["optimizer"]);
        _ema?.Load(checkpoint["ema"], (long)(checkpoint.State["averageUpdates"] ?? JsonValue.Create(0L)));
        if (_lossScale.Moves && checkpoint.State["lossScale"] is { } scale)
            _lossScale.Restore((double)scale, (int)(checkpoint.State["lossScaleGoodSteps"] ?? 0));
    }

    public void Dispose()
    {
        _optimizer.Dispose();
        _weights.Dispose();
        _ema?.Dispose();
    }

    /// <summary>Adds the gradient of a batch's loss to the parameters.</summary>
    /// <param name="step">From 0; decides what changes over a run.</param>
    /// <param name="batch">Number of the batch, from 0.</param>
    /// <param name="scale">What the gradient is multiplied by.</param>
    protected abstract IReadOnlyDictionary<string, double> Gradients(long step, long batch, double scale);

    private static IOptimizer Optimizer(IReadOnlyList<(string, Tensor)> weights, AdamWOptions options, string? momentsPath) =>
        momentsPath is null ? new AdamW(weights, options) : new AdamWOnDisk(weights, options, momentsPath);

    // Trained weights as their masters know them.
    private Dictionary<string, Tensor> Stored()
    {
        var stored = Pipeline.StoredTensors().ToDictionary();
        foreach (var (name, master) in _weights.Masters) stored[name] = master;
        return stored;
    }
}

/// <summary>Averages in the place of the weights, and in the networks where these hold 16-bit copies, until disposed.</summary>
internal sealed class EmaScope : IDisposable
{
    private readonly IDisposable _swapped;
    private readonly MasterWeights _weights;

    public EmaScope(Ema averages, MasterWeights weights)
    {
        (_swapped, _weights) = (averages.Swap(), weights);
        weights.Publish();
    }

    public void Dispose()
    {
        _swapped.Dispose();
        _weights.Publish();
    }
}

/// <summary>
/// Base training: the plain UNet learns the images, prompts included; Stable Diffusion's role for the CPU presets.
/// </summary>
internal sealed class BaseStage(SiamesePipeline pipeline, PairedDataset data, StageFiles? files = null)
    : TrainingStage("base", pipeline, data, pipeline.Options.Base, Trained(pipeline), files)
{
    protected override IReadOnlyDictionary<string, double> Gradients(long step, long number, double scale)
    {
        var (batch, _) = Batches.At(number, Pipeline.Encode);
        var unet = Pipeline.Model.UNet;
        var noisy = Pipeline.Process.AddNoise(batch.CleanLatent, batch.Timesteps, batch.Noise).to(Pipeline.Placement.Type);
        var prediction = unet.Decode(unet.Encode(noisy, batch.Timesteps, batch.Context), batch.Context).to(float32);
        var weights = LossWeights.Of(Pipeline.Options.Losses.Weighting, Pipeline.Process.Schedule, batch.Timesteps);
        var loss = SiameseLosses.Denoising(prediction, Pipeline.Process.TargetOf(batch.CleanLatent, batch.Noise, batch.Timesteps),
            weights).mean();
        (scale == 1 ? loss : loss * (float)scale).backward();
        return new Dictionary<string, double> { ["total"] = loss.item<float>() };
    }

    private static List<(string, Tensor)> Trained(SiamesePipeline pipeline) =>
    [
        .. pipeline.Model.UNet.named_parameters().Select(p => ($"model.diffusion_model.{p.name}", (Tensor)p.parameter)),
        .. pipeline.Prompts.IsPretrained ? [] : pipeline.Tensors()
        .Where(t => t.Key.StartsWith(SiamesePipeline.PromptPrefix, StringComparison.Ordinal)).Select(t => (t.Key, t.Value)),
    ];
}

/// <summary>Siamese training: ControlNet and the UNet's decoder under the four losses; encoder and prompts stay.</summary>
internal sealed class SiameseStage(SiamesePipeline pipeline, PairedDataset data, StageFiles? files = null)
    : TrainingStage("siamese", pipeline, data, pipeline.Options.Siamese, Trained(pipeline), files)
{
    private readonly SiameseStep _step = new(pipeline.Model, pipeline.Process, pipeline.Options.Losses);

    protected override IReadOnlyDictionary<string, double> Gradients(long step, long number, double scale)
    {
        var (batch, _) = Batches.At(number, EncodePrompts);
        _step.LossScale = scale;
        var result = _step.Run(batch, step, Options.Steps);
        result.Backward();
        return result.ToScalars(Pipeline.Options.Losses);
    }

    private Tensor EncodePrompts(IReadOnlyList<string> prompts)
    {
        using var noGrad = no_grad();
        return Pipeline.Encode(prompts);
    }

    private static List<(string, Tensor)> Trained(SiamesePipeline pipeline) =>
        [.. pipeline.Model.TrainableParameters(pipeline.Options.DecoderLocked).Select(p => (p.Name, (Tensor)p.Parameter))];
}
