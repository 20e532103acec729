using static TorchSharp.torch;

namespace Siamorph.Distributed;

/// <summary>
/// The processes, called ranks, that work on one training together. All of them call the same methods in the same order.
/// </summary>
internal interface IProcessGroup
{
    /// <summary>Number of this process, from 0. Rank 0 alone writes files.</summary>
    int Rank { get; }

    /// <summary>How many there are.</summary>
    int Size { get; }

    /// <summary>Number of this process among those of its machine, from 0: it decides which graphics card is its own.</summary>
    int LocalRank => 0;

    /// <summary>Waits until all have come here.</summary>
    void Barrier();

    /// <summary>Puts the sum over all ranks in the place of each value.</summary>
    void Sum(Span<double> values);

    /// <summary>Puts the largest over all ranks in the place of each value.</summary>
    void Max(Span<double> values);

    /// <summary>Puts the sum over all ranks in the place of a tensor's values.</summary>
    /// <param name="tensor">Of the same shape and type on all ranks, on any device; changed in place.</param>
    void Sum(Tensor tensor);
}

/// <summary>This process alone.</summary>
internal sealed class SingleProcess : IProcessGroup
{
    public static SingleProcess Instance { get; } = new();

    public int Rank => 0;

    public int Size => 1;

    public void Barrier()
    {
    }

    public void Sum(Span<double> values)
    {
    }

    public void Max(Span<double> values)
    {
    }

    public void Sum(Tensor tensor)
    {
    }
}

/// <summary>What training does with a group.</summary>
internal static class ProcessGroupExtensions
{
    /// <summary>Whether any rank says yes.</summary>
    public static bool Any(this IProcessGroup group, bool mine)
    {
        Span<double> value = [mine ? 1 : 0];
        group.Max(value);
        return value[0] > 0;
    }

    /// <summary>Whether a number is the same on all ranks.</summary>
    public static bool AllSame(this IProcessGroup group, long mine)
    {
        Span<double> values = [mine, -mine];
        group.Max(values);
        return values[0] == -values[1];
    }

    /// <summary>Sums named numbers; a name that only some ranks have counts as 0 on the others.</summary>
    /// <param name="group">The ranks.</param>
    /// <param name="values">Changed in place.</param>
    /// <param name="names">All names that any rank may have.</param>
    /// <param name="scale">What sums are multiplied by.</param>
    public static void Sum(this IProcessGroup group, IDictionary<string, double> values, IReadOnlyList<string> names,
        double scale)
    {
        if (group.Size == 1) return;
        var numbers = new double[2 * names.Count]; // values, then whether there is one
        for (var i = 0; i < names.Count; i++)
            (numbers[i], numbers[names.Count + i]) =
                (values.TryGetValue(names[i], out var v) ? v : 0, values.ContainsKey(names[i]) ? 1 : 0);
        group.Sum(numbers);
        for (var i = 0; i < names.Count; i++)
            if (numbers[names.Count + i] > 0) values[names[i]] = numbers[i] * scale;
    }

    /// <summary>
    /// Sums gradients. A weight that got one on any rank gets one on all, so that optimizers agree on what moves.
    /// </summary>
    /// <param name="group">The ranks.</param>
    /// <param name="weights">The same on all ranks.</param>
    /// <param name="scale">What sums are multiplied by.</param>
    public static void SumGradients(this IProcessGroup group, IReadOnlyList<Tensor> weights, double scale)
    {
        if (group.Size == 1) return;
        using var noGradient = no_grad();
        var has = new double[weights.Count];
        for (var i = 0; i < has.Length; i++) has[i] = weights[i].grad is null ? 0 : 1;
        group.Max(has);
        for (var i = 0; i < has.Length; i++)
        {
            if (has[i] == 0) continue;
            using var scope = NewDisposeScope();
            if (weights[i].grad is null) weights[i].grad = zeros_like(weights[i]).DetachFromDisposeScope();
            var gradient = weights[i].grad!;
            group.Sum(gradient);
            if (scale != 1) gradient.mul_(scale);
        }
    }
}
