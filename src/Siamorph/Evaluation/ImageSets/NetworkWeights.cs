using System.Security.Cryptography;
using Siamorph.Weights;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Siamorph.Evaluation.ImageSets;

/// <summary>
/// The tensors of a weight file by their published keys, and the layers that read them. Sizes are those of the file, so a
/// narrower network of the same layout works as well. Batch normalisation is folded into its convolution.
/// </summary>
internal sealed class NetworkWeights : IDisposable
{
    private readonly Dictionary<string, Tensor> _tensors;
    private readonly Dictionary<string, (Tensor Weight, Tensor? Bias)> _folded = [];

    /// <summary>Takes over tensors that were read or made elsewhere.</summary>
    /// <param name="tensors">By key; disposed with this object.</param>
    /// <param name="source">What to call them in an error, such as the file's name.</param>
    /// <param name="hash">SHA-256 of the file, hexadecimal.</param>
    public NetworkWeights(IReadOnlyDictionary<string, Tensor> tensors, string source, string hash = "")
    {
        ArgumentNullException.ThrowIfNull(tensors);
        _tensors = tensors.ToDictionary(p => p.Key, p => p.Value.DetachFromDisposeScope());
        (Source, Hash) = (source, hash);
    }

    /// <summary>The file's name, for results and errors.</summary>
    public string Source { get; }

    /// <summary>SHA-256 of the file, hexadecimal.</summary>
    public string Hash { get; }

    /// <summary>Every key.</summary>
    public IEnumerable<string> Keys => _tensors.Keys;

    /// <summary>Reads a weight file.</summary>
    /// <exception cref="WeightsFormatException">The file is missing, damaged or of no known format.</exception>
    public static NetworkWeights Load(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (!File.Exists(path)) throw new WeightsFormatException(
            $"{path}: the file does not exist. Give the weights of the network.");
        using var scope = NewDisposeScope();
        using var stream = File.OpenRead(path);
        using var file = WeightsFile.Open(path);
        return new(file.ReadAll(ScalarType.Float32), Path.GetFileName(path), Convert.ToHexStringLower(SHA256.HashData(stream)));
    }

    /// <summary>Whether the file has that key.</summary>
    public bool Has(string key) => _tensors.ContainsKey(key);

    /// <summary>A tensor in float32.</summary>
    /// <exception cref="WeightsMismatchException">The file lacks the key.</exception>
    public Tensor this[string key] => _tensors.TryGetValue(key, out var tensor)
        ? tensor
        : throw new WeightsMismatchException(
            $"{Source}: the tensor '{key}' is missing. Use the published weights of this network.");

    /// <summary>Moves all tensors.</summary>
    internal void MoveTo(Placement place)
    {
        foreach (var key in _tensors.Keys.ToList())
        {
            var moved = place.Put(_tensors[key]);
            if (moved.Handle == _tensors[key].Handle) continue;
            _tensors[key].Dispose();
            _tensors[key] = moved.DetachFromDisposeScope();
        }
        foreach (var pair in _folded.Values) pair.Dispose();
        _folded.Clear();
    }

    /// <summary>The same tensors under other names; keys that become null are left out.</summary>
    public NetworkWeights Renamed(Func<string, string?> rename)
    {
        ArgumentNullException.ThrowIfNull(rename);
        var renamed = new Dictionary<string, Tensor>();
        foreach (var (key, tensor) in _tensors) if (rename(key) is { } name) renamed[name] = tensor;
        return new(renamed, Source, Hash);
    }

    /// <summary>A convolution by its key, with the batch normalisation of another key folded in where it is given.</summary>
    internal Tensor Conv(Tensor x, string key, string? norm = null, long stride = 1, bool same = true, long groups = 1,
        double eps = 1e-3)
    {
        var (weight, bias) = Folded(key, norm, eps);
        long[] padding = same ? [weight.shape[2] / 2, weight.shape[3] / 2] : [0, 0];
        if (x.shape[1] != weight.shape[1] * groups)
            throw new WeightsMismatchException(
                $"{Source}: '{key}' takes {weight.shape[1] * groups} channels, but gets {x.shape[1]}. Use the published weights "
                    + $"of this network.");
        return F.conv2d(x, weight, bias, strides: [stride, stride], padding: padding, groups: groups);
    }

    internal Tensor Linear(Tensor x, string key) =>
        F.linear(x, this[$"{key}.weight"], Has($"{key}.bias") ? this[$"{key}.bias"] : null);

    internal Tensor LayerNorm(Tensor x, string key) =>
        F.layer_norm(x, [x.shape[^1]], this[$"{key}.weight"], this[$"{key}.bias"], 1e-5);

    /// <summary>Frees the tensors.</summary>
    public void Dispose()
    {
        foreach (var tensor in _tensors.Values) tensor.Dispose();
        foreach (var pair in _folded.Values) pair.Dispose();
        _folded.Clear();
    }

    private (Tensor Weight, Tensor? Bias) Folded(string key, string? norm, double eps)
    {
        if (norm is null) return (this[$"{key}.weight"], Has($"{key}.bias") ? this[$"{key}.bias"] : null);
        if (_folded.TryGetValue(key, out var ready)) return ready;
        using var scope = NewDisposeScope();
        var scale = this[$"{norm}.weight"] / (this[$"{norm}.running_var"] + eps).sqrt();
        var weight = this[$"{key}.weight"] * scale.reshape(-1, 1, 1, 1);
        var bias = this[$"{norm}.bias"] - this[$"{norm}.running_mean"] * scale;
        return _folded[key] = (weight.DetachFromDisposeScope(), bias.DetachFromDisposeScope());
    }
}

internal static class TensorPairs
{
    public static void Dispose(this (Tensor First, Tensor? Second) pair)
    {
        pair.First.Dispose();
        pair.Second?.Dispose();
    }
}
