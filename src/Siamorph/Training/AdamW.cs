using Siamorph.Acceleration;
using TorchSharp;
using static TorchSharp.torch;

namespace Siamorph.Training;

/// <summary>The numbers of AdamW besides the learning rate.</summary>
public sealed record AdamWOptions
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
public sealed class AdamW : IOptimizer
{
    private readonly List<Slot> _slots;
    private readonly AdamWOptions _options;
    private readonly bool _fused;

    /// <summary>Prepares zero moments for every parameter.</summary>
    /// <param name="parameters">Names, unique, and the tensors themselves, of any shape, one floating type, one device.</param>
    /// <param name="options">The numbers besides the learning rate.</param>
    /// <param name="fused">False takes the ordinary operators even where the fused kernel is there.</param>
    /// <exception cref="ArgumentException">A name occurs twice.</exception>
    public AdamW(IReadOnlyList<(string Name, Tensor Parameter)> parameters, AdamWOptions? options = null, bool fused = true)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        _options = options ?? new AdamWOptions();
        _fused = fused && Dispatcher.IsAvailable;
        using var grad = no_grad();
        _slots = [.. parameters.Select(p => new Slot(p.Name, p.Parameter))];
        var twice = _slots.GroupBy(s => s.Name).FirstOrDefault(g => g.Count() > 1);
        if (twice is not null) throw new ArgumentException($"Two parameters are called {twice.Key}.", nameof(parameters));
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
        using Scalar one = 1;
        var active = new List<(Slot Slot, Tensor Gradient)>(_slots.Count);
        foreach (var slot in _slots)
        {
            if (slot.Parameter.grad is not { } gradient) continue;
            slot.Steps.add_(one);
            active.Add((slot, gradient));
        }
        var alike = _fused ? active.Where(a => a.Slot.HasLayoutOf(a.Gradient)).ToList() : [];
        if (alike.Count > 0) StepFused(alike, learningRate);
        foreach (var (slot, gradient) in alike.Count == 0 ? active : active.Except(alike)) StepOne(slot, gradient, learningRate);
    }

    /// <summary>Moments and step counts, to be saved: "(name).exp_avg", "(name).exp_avg_sq", "(name).step". Not copies.</summary>
    public IReadOnlyDictionary<string, Tensor> State() => _slots.SelectMany(s => s.State()).ToDictionary(p => p.Key, p => p.Value);

    /// <summary>Copies saved moments and step counts into this optimizer.</summary>
    /// <exception cref="WeightsMismatchException">A tensor is missing or has another shape.</exception>
    public void Load(IReadOnlyDictionary<string, Tensor> state)
    {
        ArgumentNullException.ThrowIfNull(state);
        using var grad = no_grad();
        foreach (var (key, tensor) in State()) SavedTensor.CopyTo(tensor, state, key, "optimizer state");
    }

    /// <summary>Frees the moments; the parameters are the caller's.</summary>
    public void Dispose()
    {
        foreach (var slot in _slots) slot.Dispose();
    }

    private void StepFused(List<(Slot Slot, Tensor Gradient)> active, double learningRate)
    {
        Dispatcher.Call("aten::_fused_adamw_", "",
        [
            Dispatcher.Of([.. active.Select(a => a.Slot.Parameter)]),
            Dispatcher.Of([.. active.Select(a => a.Gradient)]),
            Dispatcher.Of([.. active.Select(a => a.Slot.Mean)]),
            Dispatcher.Of([.. active.Select(a => a.Slot.Square)]),
            Dispatcher.Of(Array.Empty<Tensor>()), // largest squares: for amsgrad only
            Dispatcher.Of([.. active.Select(a => a.Slot.Steps)]),
            Dispatcher.Of(learningRate),
            Dispatcher.Of(_options.Beta1),
            Dispatcher.Of(_options.Beta2),
            Dispatcher.Of(_options.WeightDecay),
            Dispatcher.Of(_options.Epsilon),
            Dispatcher.Of(false), // amsgrad
            Dispatcher.Of(false), // maximize
            Dispatcher.None,      // gradient scale
            Dispatcher.None,      // found infinite
        ]);
    }

    private void StepOne(Slot slot, Tensor gradient, double learningRate)
    {
        var step = slot.Steps.item<float>();
        var meanCorrection = 1 - Math.Pow(_options.Beta1, step);
        var squareCorrection = 1 - Math.Pow(_options.Beta2, step);
        slot.Parameter.mul_(1 - learningRate * _options.WeightDecay);
        slot.Mean.mul_(_options.Beta1).add_(gradient, alpha: 1 - _options.Beta1);
        slot.Square.mul_(_options.Beta2).addcmul_(gradient, gradient, 1 - _options.Beta2);
        var root = slot.Square.sqrt().div_(Math.Sqrt(squareCorrection)).add_(_options.Epsilon);
        slot.Parameter.addcdiv_(slot.Mean, root, -learningRate / meanCorrection);
    }

    // What the optimizer keeps for one parameter; outlives every dispose scope.
    private sealed class Slot(string name, Tensor parameter) : IDisposable
    {
        public string Name => name;
        public Tensor Parameter => parameter;
        public Tensor Mean { get; } = zeros_like(parameter).DetachFromDisposeScope();
        public Tensor Square { get; } = zeros_like(parameter).DetachFromDisposeScope();
        public Tensor Steps { get; } = zeros([], float32, parameter.device).DetachFromDisposeScope();

        // The fused kernel walks raw memory.
        public bool HasLayoutOf(Tensor gradient) => gradient.dtype == parameter.dtype
            && (gradient.is_contiguous() && parameter.is_contiguous() && Mean.is_contiguous()
                || gradient.stride().SequenceEqual(parameter.stride()) && Mean.stride().SequenceEqual(parameter.stride()));

        public IEnumerable<KeyValuePair<string, Tensor>> State() =>
            [new($"{name}.exp_avg", Mean), new($"{name}.exp_avg_sq", Square), new($"{name}.step", Steps)];

        public void Dispose()
        {
            Mean.Dispose();
            Square.Dispose();
            Steps.Dispose();
        }
    }
}
