namespace Siamorph.Tests.Reference;

/// <summary>Layers whose weights are found by their checkpoint keys.</summary>
internal abstract class KeyedNetwork(NamedWeights weights)
{
    private readonly HashSet<string> _frozen = [];

    /// <summary>While this runs, weights whose keys begin so are constants.</summary>
    public T Freezing<T>(string prefix, Func<T> compute)
    {
        var added = _frozen.Add(prefix);
        var result = compute();
        if (added) _frozen.Remove(prefix);
        return result;
    }

    protected Grid Weight(string key, params int[] shape)
    {
        var weight = weights[key, shape];
        return _frozen.Any(f => key.StartsWith(f, StringComparison.Ordinal)) ? weight.Constant : weight;
    }

    /// <summary>A convolution that keeps the size, or divides it by the stride.</summary>
    protected Grid Convolution(string key, Grid x, int width, int side, int stride = 1, bool bias = true) => x.Convolve(
        Weight($"{key}.weight", width, x.Shape[1], side, side), bias ? Weight($"{key}.bias", width) : null, stride, side / 2,
            side / 2);

    protected Grid Linear(string key, Grid x, int width, bool bias = true) =>
        x.Linear(Weight($"{key}.weight", width, x.Shape[^1]), bias ? Weight($"{key}.bias", width) : null);

    protected Grid GroupNorm(string key, Grid x, double epsilon) =>
        x.GroupNorm(Weight($"{key}.weight", x.Shape[1]), Weight($"{key}.bias", x.Shape[1]), epsilon);

    protected Grid LayerNorm(string key, Grid x, double epsilon = 1e-5) =>
        x.LayerNorm(Weight($"{key}.weight", x.Shape[^1]), Weight($"{key}.bias", x.Shape[^1]), epsilon);

    /// <summary>In training by the batch's own statistics, otherwise by the stored ones.</summary>
    protected Grid BatchNorm(string key, Grid x, bool training)
    {
        var (channels, gain, shift) = (x.Shape[1], Weight($"{key}.weight", x.Shape[1]), Weight($"{key}.bias", x.Shape[1]));
        var (mean, variance) =
            (Weight($"{key}.running_mean", channels).Constant, Weight($"{key}.running_var", channels).Constant);
        return training ? x.BatchNorm(gain, shift) : x.Normed(mean, variance, gain, shift);
    }
}
