using static TorchSharp.torch;

namespace Siamorph.Weights;

/// <summary>How the keys of a weight file and of a model differ.</summary>
/// <param name="Missing">Keys of the model that the file lacks.</param>
/// <param name="Unexpected">Keys of the file that the model lacks.</param>
/// <param name="Misshapen">Keys of both whose shapes differ, with both shapes.</param>
internal sealed record StateDictDifference(
    IReadOnlyList<string> Missing, IReadOnlyList<string> Unexpected, IReadOnlyList<string> Misshapen)
{
    /// <summary>True when nothing differs.</summary>
    public bool IsEmpty => Missing.Count + Unexpected.Count + Misshapen.Count == 0;
}

/// <summary>Parameters and buffers of a module by their checkpoint keys.</summary>
internal static class StateDict
{
    /// <summary>The module's own tensors (not copies) by key.</summary>
    public static IReadOnlyDictionary<string, Tensor> Of(nn.Module module)
    {
        ArgumentNullException.ThrowIfNull(module);
        return module.state_dict();
    }

    /// <summary>Compares keys and shapes.</summary>
    public static StateDictDifference Diff(nn.Module module, IReadOnlyDictionary<string, Tensor> weights) =>
        Diff(Of(module), WeightTable.Of(weights));

    /// <summary>Compares keys and shapes with stored weights, none of which is read.</summary>
    public static StateDictDifference Diff(nn.Module module, WeightTable weights) => Diff(Of(module), weights);

    /// <summary>Compares keys and shapes of a model's own tensors with those of stored weights, none of which is read.</summary>
    public static StateDictDifference Diff(IReadOnlyDictionary<string, Tensor> own, WeightTable weights)
    {
        ArgumentNullException.ThrowIfNull(own);
        ArgumentNullException.ThrowIfNull(weights);
        return new(
            [.. own.Keys.Where(k => !weights.Contains(k)).Order(StringComparer.Ordinal)],
            [.. weights.Names.Where(k => !own.ContainsKey(k)).Order(StringComparer.Ordinal)],
            [.. own.Where(p => weights.TryGet(p.Key, out var w) && !w.Shape.SequenceEqual(p.Value.shape))
                   .Select(p => $"{p.Key} (file {weights[p.Key].ShapeText}, model {Shape(p.Value)})")
                   .Order(StringComparer.Ordinal)]);
    }

    /// <summary>Copies weights into the module, converting the element type; every key must fit.</summary>
    /// <param name="module">Receives the values in place.</param>
    /// <param name="weights">By key; shapes equal to the module's.</param>
    /// <param name="source">What to call the weights in an error, such as the file's path.</param>
    /// <exception cref="WeightsMismatchException">Keys are missing, unexpected or misshapen; the message names them.</exception>
    public static void Apply(nn.Module module, IReadOnlyDictionary<string, Tensor> weights, string source) =>
        Apply(Of(module), WeightTable.Of(weights), source);

    /// <summary>
    /// The same from stored weights, read one tensor at a time: little more memory is needed than the module's own.
    /// </summary>
    /// <param name="module">Receives the values in place.</param>
    /// <param name="weights">By key, such as a <see cref="WeightsFile"/>; shapes equal to the module's.</param>
    /// <param name="source">What to call the weights in an error, such as the file's path.</param>
    /// <exception cref="WeightsMismatchException">Keys are missing, unexpected or misshapen; the message names them.</exception>
    /// <exception cref="WeightsFormatException">The file is damaged.</exception>
    public static void Apply(nn.Module module, WeightTable weights, string source) => Apply(Of(module), weights, source);

    /// <summary>
    /// Copies stored weights into tensors of the same keys and shapes, one at a time, converting the element type.
    /// </summary>
    /// <param name="own">Receive the values in place.</param>
    /// <param name="weights">By key.</param>
    /// <param name="source">What to call the weights in an error, such as the file's path.</param>
    /// <exception cref="WeightsMismatchException">Keys are missing, unexpected or misshapen; the message names them.</exception>
    /// <exception cref="WeightsFormatException">The file is damaged.</exception>
    public static void Apply(IReadOnlyDictionary<string, Tensor> own, WeightTable weights, string source)
    {
        ThrowIfDifferent(Diff(own, weights), source);
        using var noGrad = no_grad();
        foreach (var (key, tensor) in own)
        {
            using var stored = weights.Read(key);
            tensor.copy_(stored);
        }
    }

    /// <summary>The entries under a prefix such as "control_model.", with the prefix removed.</summary>
    public static IReadOnlyDictionary<string, Tensor> Under(this IReadOnlyDictionary<string, Tensor> weights, string prefix)
    {
        ArgumentNullException.ThrowIfNull(weights);
        return weights.Where(p => p.Key.StartsWith(prefix, StringComparison.Ordinal))
            .ToDictionary(p => p.Key[prefix.Length..], p => p.Value);
    }

    private static void ThrowIfDifferent(StateDictDifference difference, string source)
    {
        if (!difference.IsEmpty) throw new WeightsMismatchException(
            $"{source}: the weights don't fit the model:{Describe(difference)}");
    }

    private static string Describe(StateDictDifference difference) =>
        Part("missing", difference.Missing) + Part("unexpected", difference.Unexpected)
        + Part("other shape", difference.Misshapen);

    private static string Part(string title, IReadOnlyList<string> keys)
    {
        const int shown = 5;
        if (keys.Count == 0) return "";
        var more = keys.Count > shown ? $" and {keys.Count - shown} more" : "";
        return $" {title}: {string.Join(", ", keys.Take(shown))}{more};";
    }

    private static string Shape(Tensor tensor) => $"[{string.Join(",", tensor.shape)}]";
}
