using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Segmentation.Networks;

/// <summary>Gives a network's backbone published weights, such as those of ImageNet classification.</summary>
internal static class BackboneWeights
{
    private static readonly string[] Prefixes =
        ["", "backbone.", "bkbone.", "resnet.", "encoder.", "module.", "module.backbone.", "state_dict."];

    /// <summary>
    /// Loads every tensor of the backbone from a file; what the file holds besides (a classifier) is passed over.
    /// </summary>
    /// <param name="network">Has a backbone.</param>
    /// <param name="path">Any file or folder of weights, see <see cref="WeightsFile"/>.</param>
    /// <returns>One line: what was loaded and what was not used.</returns>
    /// <exception cref="WeightsMismatchException">The network has no backbone, or the file lacks a tensor or has another
    /// shape.</exception>
    /// <exception cref="WeightsFormatException">The file is missing or damaged.</exception>
    public static string Load(SegmentationNetwork network, string path)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(path);
        if (network.Backbone is not { } backbone)
            throw new WeightsMismatchException($"{path}: a {network.GetName()} has no backbone to load. Leave the file out.");
        using var file = WeightsFile.Open(path);
        if (backbone is MobileEncoder mobile)
            return $"Backbone of {network.GetName()} from {path}: {mobile.Load(file, MobilePrefix(file), path).Count} tensors.";
        var own = StateDict.Of(backbone).Where(p => !IsCounter(p.Key) && !p.Key.StartsWith("fc.", StringComparison.Ordinal))
            .ToDictionary();
        var prefix = Prefixes.MaxBy(p => own.Keys.Count(k => file.Contains(p + k)))!;
        Demand(own, file, prefix, network, path);
        using var noGrad = no_grad();
        foreach (var (key, tensor) in own)
        {
            using var stored = file.Read(prefix + key);
            tensor.copy_(stored);
        }
        var unused = file.Names.Where(n => !IsCounter(n)
            && !(n.StartsWith(prefix, StringComparison.Ordinal) && own.ContainsKey(n[prefix.Length..]))).ToList();
        var rest = unused.Count == 0 ? ""
            : $", {unused.Count} not used ({string.Join(", ", unused.Take(3))}{(unused.Count > 3 ? ", …" : "")})";
        return $"Backbone of {network.GetName()} from {path}: {own.Count} tensors{rest}.";
    }

    private static string MobilePrefix(WeightsFile file) =>
        Prefixes.FirstOrDefault(p => file.Contains($"{p}features.0.0.weight")) ?? "";

    private static bool IsCounter(string key) => key.EndsWith("num_batches_tracked", StringComparison.Ordinal);

    private static void Demand(Dictionary<string, Tensor> own, WeightsFile file, string prefix, SegmentationNetwork network,
        string path)
    {
        var missing = own.Keys.Where(k => !file.Contains(prefix + k)).ToList();
        var misshapen = own.Where(p => file.TryGet(prefix + p.Key, out var e) && !e.Shape.SequenceEqual(p.Value.shape))
            .Select(p => p.Key).ToList();
        if (missing.Count + misshapen.Count == 0) return;
        static string Few(List<string> keys) =>
            $"{string.Join(", ", keys.Take(3))}{(keys.Count > 3 ? $" and {keys.Count - 3} more" : "")}";
        var faults = new[] { missing.Count > 0 ? $"missing {Few(missing)}"
            : "", misshapen.Count > 0 ? $"of another shape {Few(misshapen)}" : "" };
        throw new WeightsMismatchException(
            $"{path}: doesn't fit the backbone of {network.GetName()}: {string.Join("; ", faults.Where(f => f.Length > 0))}. Use "
                + $"weights of that architecture and size.");
    }
}
