using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Training.Optimizers;

/// <summary>
/// Float32 copies of trained weights that a network keeps in 16 bits (arXiv 1710.03740): the optimizer's small steps would be
/// lost in those. Weights in float32 are their own masters.
/// </summary>
internal sealed class MasterWeights : IDisposable
{
    private readonly IReadOnlyList<(string Name, Tensor Weight, Tensor Master)> _entries;

    /// <summary>Copies the weights that need it.</summary>
    /// <param name="weights">Names, unique, and the network's own tensors.</param>
    public MasterWeights(IReadOnlyList<(string Name, Tensor Weight)> weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        using var grad = no_grad();
        _entries =
            [.. weights.Select(w => (w.Name, w.Weight, w.Weight.dtype == ScalarType.Float32 ? w.Weight
            : w.Weight.detach().to(float32).DetachFromDisposeScope()))];
        Masters = [.. _entries.Select(e => (e.Name, e.Master))];
    }

    /// <summary>What the optimizer updates, float32.</summary>
    public IReadOnlyList<(string Name, Tensor Master)> Masters { get; }

    /// <summary>The network's own tensors, which get the gradients.</summary>
    public IReadOnlyList<Tensor> Weights => [.. _entries.Select(e => e.Weight)];

    /// <summary>
    /// Gives the masters the gradients of their weights, divided by the scale of the loss, and frees the weights' own.
    /// </summary>
    /// <param name="lossScale">What the loss was multiplied by.</param>
    public void TakeGradients(double lossScale)
    {
        if (lossScale == 1 && _entries.All(e => ReferenceEquals(e.Weight, e.Master))) return;
        using var grad = no_grad();
        foreach (var (_, weight, master) in _entries)
        {
            if (weight.grad is not { } gradient) continue;
            if (ReferenceEquals(weight, master)) gradient.mul_(1 / lossScale);
            else
            {
                master.grad = gradient.to(float32).mul_(1 / lossScale);
                weight.grad = null;
            }
        }
    }

    /// <summary>Forgets the gradients of weights and masters.</summary>
    public void ZeroGrad()
    {
        foreach (var (_, weight, master) in _entries) (weight.grad, master.grad) = (null, null);
    }

    /// <summary>Gives the network what the optimizer has made of the masters.</summary>
    public void Publish()
    {
        using var grad = no_grad();
        foreach (var (_, weight, master) in _entries)
            if (!ReferenceEquals(weight, master)) weight.copy_(master);
    }

    /// <summary>Takes masters from saved weights; those that are weights themselves are passed over.</summary>
    /// <exception cref="WeightsMismatchException">One is missing or has another shape.</exception>
    public void Load(WeightTable saved)
    {
        ArgumentNullException.ThrowIfNull(saved);
        using var grad = no_grad();
        foreach (var (name, weight, master) in _entries)
            if (!ReferenceEquals(weight, master)) SavedTensor.CopyTo(master, saved, name, "trained weights");
    }

    /// <summary>Frees the copies; the weights are the caller's.</summary>
    public void Dispose()
    {
        foreach (var (_, weight, master) in _entries)
            if (!ReferenceEquals(weight, master)) master.Dispose();
    }
}
