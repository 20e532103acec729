using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Training.Optimizers;

/// <summary>An optimizer that keeps the same few tensors for each parameter.</summary>
internal abstract class SlotOptimizer : IOptimizer
{
    private readonly IReadOnlyList<(string Name, Tensor Parameter, Tensor[] Kept)> _slots;
    private readonly IReadOnlyList<string> _kept;

    /// <param name="parameters">Names, unique, and the tensors themselves.</param>
    /// <param name="kept">What is kept for each, all of its shape and zero at first.</param>
    private protected SlotOptimizer(IReadOnlyList<(string Name, Tensor Parameter)> parameters, params IReadOnlyList<string> kept)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        using var grad = no_grad();
        _kept = kept;
        _slots = [.. parameters.Select(p =>
            (p.Name, p.Parameter, kept.Select(_ => zeros_like(p.Parameter).DetachFromDisposeScope()).ToArray()))];
    }

    /// <inheritdoc/>
    public void ZeroGrad()
    {
        foreach (var (_, parameter, _) in _slots) parameter.grad = null;
    }

    /// <inheritdoc/>
    public void Step(double learningRate)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(learningRate);
        using var grad = no_grad();
        foreach (var (_, parameter, kept) in _slots)
        {
            using var scope = NewDisposeScope();
            if (parameter.grad is { } gradient) Update(parameter, gradient, kept, learningRate);
        }
    }

    /// <inheritdoc/>
    public WeightTable State() => WeightTable.Of(Kept());

    /// <inheritdoc/>
    public void Load(WeightTable state)
    {
        ArgumentNullException.ThrowIfNull(state);
        using var grad = no_grad();
        foreach (var (key, tensor) in Kept()) SavedTensor.CopyTo(tensor, state, key, "optimizer state");
    }

    /// <summary>Frees what is kept; the parameters are the caller's.</summary>
    public void Dispose()
    {
        foreach (var tensor in _slots.SelectMany(s => s.Kept)) tensor.Dispose();
        GC.SuppressFinalize(this);
    }

    private Dictionary<string, Tensor> Kept() =>
        _slots.SelectMany(s => s.Kept.Select((t, i) => KeyValuePair.Create($"{s.Name}.{_kept[i]}", t))).ToDictionary();

    private protected abstract void Update(Tensor parameter, Tensor gradient, Tensor[] kept, double learningRate);
}

/// <summary>Stochastic gradient descent with Nesterov's momentum; weight decay is part of the gradient.</summary>
internal sealed class NesterovSgd : SlotOptimizer
{
    private readonly double _momentum, _decay;

    /// <summary>Starts at rest.</summary>
    /// <param name="parameters">Names, unique, and the tensors themselves.</param>
    /// <param name="momentum">In [0, 1).</param>
    /// <param name="weightDecay">0 or more.</param>
    public NesterovSgd(IReadOnlyList<(string Name, Tensor Parameter)> parameters, double momentum = 0.9, double weightDecay = 0)
        : base(parameters, "momentum_buffer") => (_momentum, _decay) = (momentum, weightDecay);

    private protected override void Update(Tensor parameter, Tensor gradient, Tensor[] kept, double learningRate)
    {
        var g = _decay > 0 ? gradient + _decay * parameter : gradient;
        kept[0].mul_(_momentum).add_(g);
        parameter.add_(g + _momentum * kept[0], alpha: -learningRate);
    }
}

/// <summary>RMSprop with momentum, as PyTorch computes it; weight decay is part of the gradient.</summary>
internal sealed class RmsProp : SlotOptimizer
{
    private const double Smoothing = 0.99, Epsilon = 1e-8;
    private readonly double _momentum, _decay;

    /// <summary>Starts at rest.</summary>
    /// <param name="parameters">Names, unique, and the tensors themselves.</param>
    /// <param name="momentum">In [0, 1).</param>
    /// <param name="weightDecay">0 or more.</param>
    public RmsProp(IReadOnlyList<(string Name, Tensor Parameter)> parameters, double momentum = 0, double weightDecay = 0)
        : base(parameters, "square_avg", "momentum_buffer") => (_momentum, _decay) = (momentum, weightDecay);

    private protected override void Update(Tensor parameter, Tensor gradient, Tensor[] kept, double learningRate)
    {
        var g = _decay > 0 ? gradient + _decay * parameter : gradient;
        kept[0].mul_(Smoothing).addcmul_(g, g, 1 - Smoothing);
        kept[1].mul_(_momentum).addcdiv_(g, kept[0].sqrt().add_(Epsilon), 1);
        parameter.add_(kept[1], alpha: -learningRate);
    }
}
