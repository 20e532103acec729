using Siamorph.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Siamorph.Training;

/// <summary>An exponential moving average of weights: less noisy than the weights themselves, and what sampling uses.</summary>
internal sealed class Ema : IDisposable
{
    private readonly double _decay;
    private readonly List<(string Name, Tensor Parameter, Tensor Average)> _entries;

    /// <summary>Starts with the weights as they are.</summary>
    /// <param name="parameters">Names, unique, and the tensors to follow.</param>
    /// <param name="decay">In [0, 1); the n-th update uses min(decay, (1 + n) / (10 + n)), so that the start is
    /// forgotten.</param>
    public Ema(IReadOnlyList<(string Name, Tensor Parameter)> parameters, double decay)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentOutOfRangeException.ThrowIfNegative(decay);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(decay, 1);
        _decay = decay;
        using var grad = no_grad();
        _entries = [.. parameters.Select(p => (p.Name, p.Parameter, p.Parameter.detach().clone().DetachFromDisposeScope()))];
    }

    /// <summary>How many updates there were. Saved beside <see cref="State"/>, since the decay depends on it.</summary>
    public long Updates { get; private set; }

    /// <summary>Moves the averages towards the weights; call after each optimizer step.</summary>
    public void Update()
    {
        var decay = Math.Min(_decay, (1.0 + Updates) / (10.0 + Updates));
        Updates++;
        using var grad = no_grad();
        using var scope = NewDisposeScope();
        using Scalar kept = decay, added = 1 - decay; // one pair for all tensors, alive until the last of them is done
        foreach (var (_, parameter, average) in _entries) average.mul_(kept).add_(parameter, alpha: added);
    }

    /// <summary>Replaces the weights by their averages until the result is disposed; don't train meanwhile.</summary>
    public IDisposable Swap() => new Swapped(_entries);

    /// <summary>The averages under the names of their weights. Not copies.</summary>
    public WeightTable State() => WeightTable.Of(_entries.ToDictionary(e => e.Name, e => e.Average));

    /// <summary>Copies saved averages into this one and takes over the count.</summary>
    /// <param name="state">What <see cref="State"/> gave.</param>
    /// <param name="updates">What <see cref="Updates"/> was.</param>
    /// <exception cref="WeightsMismatchException">An average is missing or has another shape.</exception>
    public void Load(WeightTable state, long updates)
    {
        ArgumentNullException.ThrowIfNull(state);
        using var grad = no_grad();
        foreach (var (name, _, average) in _entries) SavedTensor.CopyTo(average, state, name, "averaged weights");
        Updates = updates;
    }

    /// <summary>Frees the averages; the weights are the caller's.</summary>
    public void Dispose()
    {
        foreach (var (_, _, average) in _entries) average.Dispose();
    }

    private sealed class Swapped : IDisposable
    {
        private readonly List<(Tensor Parameter, Tensor Kept)> _kept;

        public Swapped(List<(string Name, Tensor Parameter, Tensor Average)> entries)
        {
            using var grad = no_grad();
            _kept = [.. entries.Select(e => (e.Parameter, e.Parameter.detach().clone().DetachFromDisposeScope()))];
            foreach (var (_, parameter, average) in entries) parameter.copy_(average);
        }

        public void Dispose()
        {
            using var grad = no_grad();
            foreach (var (parameter, kept) in _kept)
            {
                parameter.copy_(kept);
                kept.Dispose();
            }
            _kept.Clear();
        }
    }
}
