using System.Text.Json.Nodes;
using Siamorph.Data;
using Siamorph.Diffusion;
using Siamorph.Training;
using static TorchSharp.torch;

namespace Siamorph.Siamese;

/// <summary>
/// One stage of training: which weights it trains, and one optimizer step after another. Step k is a function of the
/// weights, the optimizer's state, the seed and k, so a stage that is resumed goes on bit for bit.
/// </summary>
internal abstract class TrainingStage : IDisposable
{
    private readonly IReadOnlyList<(string Name, Tensor Parameter)> _parameters;
    private readonly AdamW _optimizer;
    private readonly Ema? _ema;

    protected TrainingStage(string name, SiamesePipeline pipeline, PairedDataset data, StageOptions options, IReadOnlyList<(string, Tensor)> parameters)
    {
        (Name, Pipeline, Options, _parameters) = (name, pipeline, options, parameters);
        Batches = new TrainingBatches(pipeline, data, options, new Seed(pipeline.Options.Seed).Derive(name));
        foreach (var tensor in pipeline.Tensors().Values) tensor.requires_grad = false;
        foreach (var (_, parameter) in parameters) parameter.requires_grad = true;
        _optimizer = new AdamW(parameters, new AdamWOptions { WeightDecay = options.WeightDecay });
        if (options.EmaDecay > 0) _ema = new Ema(parameters, options.EmaDecay);
    }

    /// <summary>"base" or "siamese".</summary>
    public string Name { get; }

    public StageOptions Options { get; }

    protected SiamesePipeline Pipeline { get; }

    protected TrainingBatches Batches { get; }

    /// <summary>One optimizer step.</summary>
    /// <returns>The losses, the gradient's norm and the learning rate by name.</returns>
    /// <exception cref="SiamorphException">The loss is no number.</exception>
    public IReadOnlyDictionary<string, double> Step(long step)
    {
        using var scope = NewDisposeScope();
        _optimizer.ZeroGrad();
        var values = new Dictionary<string, double>(Gradients(step));
        if (values.Values.Any(v => !double.IsFinite(v)))
            throw new SiamorphException($"Stage {Name}, step {step}: the loss is no number any more. Lower {Name}.learningRate or set {Name}.clipNorm.");
        if (Options.ClipNorm > 0) values["gradientNorm"] = GradientClip.ClipNorm(_parameters.Select(p => p.Parameter), Options.ClipNorm);
        values["learningRate"] = Options.Schedule.At(step, Options.Steps);
        _optimizer.Step(values["learningRate"]);
        _ema?.Update();
        return values;
    }

    /// <summary>The averaged weights until the result is disposed, for previews; the weights themselves where there are none.</summary>
    public IDisposable? SwapAverages() => _ema?.Swap();

    /// <summary>Makes the averaged weights the weights: the end of a stage.</summary>
    public void KeepAverages()
    {
        if (_ema is not null) Pipeline.ApplyAverages(_ema.State());
    }

    /// <summary>Writes a checkpoint from which the run goes on.</summary>
    public void Save(string folder, long step)
    {
        var parts = new Dictionary<string, IReadOnlyDictionary<string, Tensor>>
        {
            ["model"] = Pipeline.Tensors(),
            ["optimizer"] = _optimizer.State(),
        };
        if (_ema is not null) parts["ema"] = _ema.State();
        var state = Pipeline.State();
        state["stage"] = Name;
        state["step"] = step;
        state["averageUpdates"] = _ema?.Updates ?? 0;
        Checkpoint.Save(folder, parts, state);
    }

    /// <summary>Takes weights, averages and optimizer from a checkpoint of this stage.</summary>
    public void Restore(LoadedCheckpoint checkpoint)
    {
        Pipeline.Apply(checkpoint["model"], checkpoint.Folder);
        _optimizer.Load(checkpoint["optimizer"]);
        _ema?.Load(checkpoint["ema"], (long)(checkpoint.State["averageUpdates"] ?? JsonValue.Create(0L)));
    }

    public void Dispose()
    {
        _optimizer.Dispose();
        _ema?.Dispose();
    }

    /// <summary>Leaves the gradient of the step's loss in the parameters.</summary>
    protected abstract IReadOnlyDictionary<string, double> Gradients(long step);
}

/// <summary>Stage base: the plain UNet learns the images, prompts included; Stable Diffusion's role for the CPU presets.</summary>
internal sealed class BaseStage(SiamesePipeline pipeline, PairedDataset data)
    : TrainingStage("base", pipeline, data, pipeline.Options.Base, Trained(pipeline))
{
    protected override IReadOnlyDictionary<string, double> Gradients(long step)
    {
        var (batch, _) = Batches.At(step, Pipeline.Prompts.Encode);
        var unet = Pipeline.Model.UNet;
        var noisy = Pipeline.Process.AddNoise(batch.CleanLatent, batch.Timesteps, batch.Noise);
        var prediction = unet.Decode(unet.Encode(noisy, batch.Timesteps, batch.Context), batch.Context);
        var weights = LossWeights.Of(Pipeline.Options.Losses.Weighting, Pipeline.Process.Schedule, batch.Timesteps);
        var loss = SiameseLosses.Denoising(prediction, Pipeline.Process.TargetOf(batch.CleanLatent, batch.Noise), weights).mean();
        loss.backward();
        return new Dictionary<string, double> { ["total"] = loss.item<float>() };
    }

    private static List<(string, Tensor)> Trained(SiamesePipeline pipeline) =>
    [
        .. pipeline.Model.UNet.named_parameters().Select(p => ($"model.diffusion_model.{p.name}", (Tensor)p.parameter)),
        .. pipeline.Tensors().Where(t => t.Key.StartsWith("cond_stage_model.", StringComparison.Ordinal)).Select(t => (t.Key, t.Value)),
    ];
}

/// <summary>Stage siamese: ControlNet and the UNet's decoder under the four losses; encoder and prompts stay.</summary>
internal sealed class SiameseStage(SiamesePipeline pipeline, PairedDataset data)
    : TrainingStage("siamese", pipeline, data, pipeline.Options.Siamese, Trained(pipeline))
{
    private readonly SiameseStep _step = new(pipeline.Model, pipeline.Process, pipeline.Options.Losses);

    protected override IReadOnlyDictionary<string, double> Gradients(long step)
    {
        var (batch, _) = Batches.At(step, EncodePrompts);
        var result = _step.Run(batch, step, Options.Steps);
        result.Backward();
        return result.ToScalars(Pipeline.Options.Losses);
    }

    private Tensor EncodePrompts(IReadOnlyList<string> prompts)
    {
        using var noGrad = no_grad();
        return Pipeline.Prompts.Encode(prompts);
    }

    private static List<(string, Tensor)> Trained(SiamesePipeline pipeline) =>
        [.. pipeline.Model.TrainableParameters(pipeline.Options.DecoderLocked).Select(p => (p.Name, (Tensor)p.Parameter))];
}
