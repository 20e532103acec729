using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Training.Optimizers;

/// <summary>
/// <see cref="AdamW"/> whose moments lie in a file: twice the size of the trained weights that needs no memory. A step reads,
/// updates and writes them one parameter after another; the numbers are the same bit for bit.
/// </summary>
internal sealed class AdamWOnDisk : IOptimizer
{
    private readonly AdamWUpdate _update;
    private readonly MomentFile _file;
    private readonly List<Slot> _slots = [];

    /// <summary>Prepares zero moments for every parameter.</summary>
    /// <param name="parameters">Names, unique, and the tensors themselves, of any shape, one floating type, one device.</param>
    /// <param name="options">The numbers besides the learning rate.</param>
    /// <param name="path">The file, replaced where there is one and removed on <see cref="Dispose"/>: a checkpoint has a copy of
    /// its own.</param>
    /// <exception cref="ArgumentException">A name occurs twice.</exception>
    /// <exception cref="SiamorphException">The disk has no room for it.</exception>
    public AdamWOnDisk(IReadOnlyList<(string Name, Tensor Parameter)> parameters, AdamWOptions options, string path)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        AdamWUpdate.ThrowIfNameTwice(parameters);
        _update = new(options, fused: true);
        using var grad = no_grad();
        var end = 0L;
        foreach (var (name, parameter) in parameters)
        {
            var bytes = parameter.numel() * parameter.element_size();
            _slots.Add(new(name, parameter, zeros([], float32, parameter.device).DetachFromDisposeScope(), Mean: end,
                Square: end + bytes));
            end += 2 * bytes;
        }
        _file = new MomentFile(path, end);
    }

    public void ZeroGrad()
    {
        foreach (var slot in _slots) slot.Parameter.grad = null;
    }

    public void Step(double learningRate)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(learningRate);
        using var grad = no_grad();
        foreach (var slot in _slots)
        {
            using var scope = NewDisposeScope();
            if (slot.Parameter.grad is not { } gradient) continue;
            var moments = new AdamWMoments(slot.Parameter, gradient, Read(slot, slot.Mean), Read(slot, slot.Square), slot.Steps);
            _update.Apply([moments], learningRate);
            _file.Write(slot.Mean, moments.Mean);
            _file.Write(slot.Square, moments.Square);
        }
    }

    public WeightTable State() => new(_slots.SelectMany(s => new WeightEntry[]
    {
        new($"{s.Name}.exp_avg", s.Parameter.dtype, s.Parameter.shape, () => Read(s, s.Mean)),
        new($"{s.Name}.exp_avg_sq", s.Parameter.dtype, s.Parameter.shape, () => Read(s, s.Square)),
        new($"{s.Name}.step", ScalarType.Float32, [], s.Steps.alias),
    }));

    public void Load(WeightTable state)
    {
        ArgumentNullException.ThrowIfNull(state);
        using var grad = no_grad();
        foreach (var slot in _slots)
        {
            using var scope = NewDisposeScope();
            var moment = empty_like(slot.Parameter).contiguous();
            foreach (var (key, place) in new[] { ("exp_avg", slot.Mean), ("exp_avg_sq", slot.Square) })
            {
                SavedTensor.CopyTo(moment, state, $"{slot.Name}.{key}", "optimizer state");
                _file.Write(place, moment);
            }
            SavedTensor.CopyTo(slot.Steps, state, $"{slot.Name}.step", "optimizer state");
        }
    }

    public void Dispose()
    {
        foreach (var slot in _slots) slot.Steps.Dispose();
        _file.Dispose();
    }

    private Tensor Read(Slot slot, long place)
    {
        using var scope = NewDisposeScope();
        return _file.Read(place, slot.Parameter.shape, slot.Parameter.dtype).to(slot.Parameter.device).MoveToOuterDisposeScope();
    }

    // Places are bytes from the beginning of the file.
    private sealed record Slot(string Name, Tensor Parameter, Tensor Steps, long Mean, long Square);
}
