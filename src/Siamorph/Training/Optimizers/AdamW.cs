using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Training.Optimizers;

/// <summary>The numbers of AdamW besides the learning rate.</summary>
internal sealed record AdamWOptions
{
    /// <summary>Decay of the mean of the gradients, in [0, 1).</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay of the mean of their squares, in [0, 1).</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Added to the root of that mean; above 0.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>How much of a weight is taken off each step, times the learning rate; 0 or more.</summary>
    public double WeightDecay { get; init; } = 0.01;
}

/// <summary>
/// Adam with decoupled weight decay (arXiv 1711.05101). One call of libtorch's fused kernel updates all parameters; where
/// the library lacks it, or memory layouts differ, ordinary operators do the same one tensor at a time.
/// </summary>
internal sealed class AdamW : IOptimizer
{
    private readonly List<Slot> _slots;
    private readonly AdamWUpdate _update;

    /// <summary>Prepares zero moments for every parameter.</summary>
    /// <param name="parameters">Names, unique, and the tensors themselves, of any shape, one floating type, one device.</param>
    /// <param name="options">The numbers besides the learning rate.</param>
    /// <param name="fused">False takes the ordinary operators even where the fused kernel is there.</param>
    /// <exception cref="ArgumentException">A name occurs twice.</exception>
    public AdamW(IReadOnlyList<(string Name, Tensor Parameter)> parameters, AdamWOptions? options = null, bool fused = true)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        AdamWUpdate.ThrowIfNameTwice(parameters);
        _update = new(options ?? new AdamWOptions(), fused);
        using var grad = no_grad();
        _slots = [.. parameters.Select(p => new Slot(p.Name, p.Parameter))];
    }

    /// <summary>Forgets all gradients; their memory is free until the next backward pass.</summary>
    public void ZeroGrad()
    {
        foreach (var slot in _slots) slot.Parameter.grad = null;
    }

    /// <summary>One update. Parameters without a gradient stay as they are, and so do their moments.</summary>
    /// <param name="learningRate">0 or more.</param>
    public void Step(double learningRate)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(learningRate);
        using var grad = no_grad();
        using var scope = NewDisposeScope();
        _update.Apply([.. _slots.Select(s => s.Now()).OfType<AdamWMoments>()], learningRate);
    }

    /// <summary>Moments and step counts, to be saved: "(name).exp_avg", "(name).exp_avg_sq", "(name).step". Not copies.</summary>
    public WeightTable State() => WeightTable.Of(_slots.SelectMany(s => s.State()).ToDictionary());

    /// <summary>Copies saved moments and step counts into this optimizer.</summary>
    /// <exception cref="WeightsMismatchException">A tensor is missing or has another shape.</exception>
    public void Load(WeightTable state)
    {
        ArgumentNullException.ThrowIfNull(state);
        using var grad = no_grad();
        foreach (var (key, tensor) in _slots.SelectMany(s => s.State()))
            SavedTensor.CopyTo(tensor, state, key, "optimizer state");
    }

    /// <summary>Frees the moments; the parameters are the caller's.</summary>
    public void Dispose()
    {
        foreach (var slot in _slots) slot.Dispose();
    }

    // What the optimizer keeps for one parameter; outlives every dispose scope.
    private sealed class Slot(string name, Tensor parameter) : IDisposable
    {
        private readonly Tensor _mean = zeros_like(parameter).DetachFromDisposeScope();
        private readonly Tensor _square = zeros_like(parameter).DetachFromDisposeScope();
        private readonly Tensor _steps = zeros([], float32, parameter.device).DetachFromDisposeScope();

        public Tensor Parameter => parameter;

        public AdamWMoments? Now() => parameter.grad is { } gradient ? new(parameter, gradient, _mean, _square, _steps) : null;

        public IEnumerable<KeyValuePair<string, Tensor>> State() =>
            [new($"{name}.exp_avg", _mean), new($"{name}.exp_avg_sq", _square), new($"{name}.step", _steps)];

        public void Dispose()
        {
            _mean.Dispose();
            _square.Dispose();
            _steps.Dispose();
        }
    }
}
