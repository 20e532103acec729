namespace Siamorph.Weights;

/// <summary>Two names for every part of a network: that of the authors' checkpoints and that of the diffusers layout.</summary>
/// <param name="pairs">Module names of both layouts; what follows them (".weight") is the same in both.</param>
/// <param name="aliases">Older diffusers names, read but never written.</param>
internal sealed class KeyMap(
    IEnumerable<(string Original, string Diffusers)> pairs, IEnumerable<(string Original, string Diffusers)>? aliases = null)
{
    private readonly Dictionary<string, string> _toDiffusers = pairs.ToDictionary(p => p.Original, p => p.Diffusers);
    private readonly Dictionary<string, string> _toOriginal = pairs.Concat(aliases ?? [])
        .ToDictionary(p => p.Diffusers, p => p.Original);

    /// <summary>The diffusers key; null for a key that the network doesn't have.</summary>
    public string? ToDiffusers(string key) => Replaced(_toDiffusers, key);

    /// <summary>The authors' key; null for a key that the network doesn't have.</summary>
    public string? ToOriginal(string key) => Replaced(_toOriginal, key);

    // The longest part of the key, up to a dot, that is a module's name.
    private static string? Replaced(Dictionary<string, string> names, string key)
    {
        for (var end = key.LastIndexOf('.'); end > 0; end = key.LastIndexOf('.', end - 1))
            if (names.TryGetValue(key[..end], out var other)) return other + key[end..];
        return null;
    }
}

/// <summary>The numbers on which the names of a UNet depend.</summary>
/// <param name="Levels">Resolutions.</param>
/// <param name="Blocks">Residual blocks a level in the encoder.</param>
/// <param name="Attention">For each level, whether it has transformers.</param>
internal sealed record UNetOutline(int Levels, int Blocks, IReadOnlyList<bool> Attention)
{
    /// <summary>Read off the names of either layout; null where they are none of a UNet or ControlNet.</summary>
    public static UNetOutline? Of(IReadOnlyCollection<string> names) =>
        OfDiffusers(names) ?? OfEncoder(names) ?? OfDecoder(names);

    private static UNetOutline? OfDiffusers(IReadOnlyCollection<string> names)
    {
        var levels = Names.Count(names, "down_blocks.");
        if (levels > 0) return new(levels, Names.Count(names, "down_blocks.0.resnets."),
            Has(names, levels, i => $"down_blocks.{i}.attentions."));
        levels = Names.Count(names, "up_blocks.");
        var resnets = Names.Count(names, "up_blocks.0.resnets.");
        return resnets < 2 ? null : new(levels, resnets - 1, Has(names, levels, i => $"up_blocks.{levels - 1 - i}.attentions."));
    }

    private static UNetOutline? OfEncoder(IReadOnlyCollection<string> names)
    {
        var inputs = Names.Count(names, "input_blocks.");
        if (inputs < 2) return null;
        var halvings = Enumerable.Range(0, inputs).Where(i => names.Contains($"input_blocks.{i}.0.op.weight")).ToList();
        var step = halvings.Count > 0 ? halvings[0] : inputs;
        if (step < 2) return null;
        return new(halvings.Count + 1, step - 1, Has(names, halvings.Count + 1, i => $"input_blocks.{1 + i * step}.1."));
    }

    // Of a UNet whose decoder alone is there, as a run keeps it that trains nothing else.
    private static UNetOutline? OfDecoder(IReadOnlyCollection<string> names)
    {
        var outputs = Names.Count(names, "output_blocks.");
        var step = 1 + Enumerable.Range(0, outputs)
            .FirstOrDefault(i => names.Contains($"output_blocks.{i}.1.conv.weight")
            || names.Contains($"output_blocks.{i}.2.conv.weight"), outputs - 1);
        return outputs == 0 || step < 2 || outputs % step != 0 ? null
            : new(outputs / step, step - 1, Has(names, outputs / step, i => $"output_blocks.{outputs - (i + 1) * step}.1.norm."));
    }

    private static List<bool> Has(IReadOnlyCollection<string> names, int levels, Func<int, string> beginning) =>
        [.. Enumerable.Range(0, levels).Select(i => names.Any(n => n.StartsWith(beginning(i), StringComparison.Ordinal)))];
}

/// <summary>Counts in lists of keys.</summary>
internal static class Names
{
    /// <summary>One more than the highest number that follows the prefix.</summary>
    public static int Count(IEnumerable<string> names, string prefix)
    {
        var count = 0;
        foreach (var name in names)
        {
            if (!name.StartsWith(prefix, StringComparison.Ordinal)) continue;
            var end = name.IndexOf('.', prefix.Length);
            if (end > 0 && int.TryParse(name.AsSpan(prefix.Length, end - prefix.Length), out var number)
                && number is >= 0 and < 64)
                count = Math.Max(count, number + 1);
        }
        return count;
    }
}
