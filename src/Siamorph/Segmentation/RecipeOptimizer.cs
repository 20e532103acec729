using Siamorph.Segmentation.Networks;
using Siamorph.Training.Optimizers;
using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Segmentation;

/// <summary>The optimizer of a recipe: parameters in groups that differ in learning rate and weight decay.</summary>
internal sealed class RecipeOptimizer : IDisposable
{
    private readonly List<(double Rate, IOptimizer Optimizer)> _groups;
    private readonly List<Tensor> _parameters;
    private readonly (double Value, double Norm) _clip;

    public RecipeOptimizer(SegmentationNetwork network, SegmentationOptions options)
    {
        (_parameters, _clip) = ([.. network.parameters()], (options.ClipValue, options.ClipNorm));
        var backbone = network.BackbonePrefix;
        double Rate(string name) => backbone.Length > 0
            && name.StartsWith(backbone, StringComparison.Ordinal) ? options.BackboneRate : 1;
        double Decay(Tensor parameter) => options.DecayNorms || parameter.dim() > 1 ? options.WeightDecay : 0;
        _groups = [.. network.named_parameters().Select(p => (p.name, Parameter: (Tensor)p.parameter))
            .GroupBy(p => (Rate: Rate(p.name), Decay: Decay(p.Parameter)))
            .Select(g => (g.Key.Rate, Make(options, g.Key.Decay, [.. g])))];
    }

    /// <summary>
    /// One update from the gradients of a loss, limited as the recipe says; the backbone's rate is its part of this one.
    /// </summary>
    /// <param name="loss">A scalar.</param>
    /// <param name="learningRate">Of this step.</param>
    public void Descend(Tensor loss, double learningRate)
    {
        foreach (var (_, optimizer) in _groups) optimizer.ZeroGrad();
        using (StepProfile.Around("backward, the rest")) loss.backward();
        using (StepProfile.Of("gradient clipping"))
        {
            if (_clip.Value > 0) GradientClip.ClipValue(_parameters, _clip.Value);
            if (_clip.Norm > 0) GradientClip.ClipNorm(_parameters, _clip.Norm);
        }
        using (StepProfile.Of("optimizer"))
            foreach (var (rate, optimizer) in _groups) optimizer.Step(learningRate * rate);
    }

    public WeightTable State() => new(_groups.SelectMany(g => g.Optimizer.State().Entries));

    public void Load(WeightTable state)
    {
        foreach (var (_, optimizer) in _groups) optimizer.Load(state);
    }

    public void Dispose()
    {
        foreach (var (_, optimizer) in _groups) optimizer.Dispose();
    }

    private static IOptimizer Make(SegmentationOptions options, double decay, IReadOnlyList<(string, Tensor)> parameters) =>
        options.Optimizer switch
    {
        SegmentationOptimizer.Sgd => new NesterovSgd(parameters, options.Momentum, decay),
        SegmentationOptimizer.RmsProp => new RmsProp(parameters, options.Momentum, decay),
        _ => new AdamW(parameters, new() { WeightDecay = decay }),
    };
}
