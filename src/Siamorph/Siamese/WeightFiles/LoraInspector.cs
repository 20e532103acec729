using Siamorph.Models;
using Siamorph.Weights;

namespace Siamorph.Siamese.WeightFiles;

/// <summary>Recognises LoRA files and says whether they can be used.</summary>
internal static class LoraInspector
{
    private const string Preset = "sd15";

    /// <summary>What a file is and what to do with it; null where it holds no LoRA.</summary>
    public static (string What, string Advice)? Judge(WeightTable file)
    {
        if (!file.Names.Any(n => n.Contains("lora", StringComparison.OrdinalIgnoreCase))) return null;
        var downs = file.Entries.Where(e => e.Name.EndsWith(Lora.DownSuffix, StringComparison.Ordinal)).ToList();
        if (downs.Count == 0)
            return ("LoRA in a layout that is not read",
                $"Names like {Lora.Prefix}…{Lora.DownSuffix} (kohya's layout) are needed: have the program that made it "
                    + $"export that.");
        var layers = Layers();
        var unfit = downs.Select(d => d.Name[..^Lora.DownSuffix.Length]).Where(n => !Fits(file, n, layers)).ToList();
        var ranks = downs.Select(d => d.Shape[0]).Distinct().Order().ToList();
        var what = $"LoRA of rank {string.Join(", ", ranks)} on {downs.Count} {(downs.Count == 1 ? "layer" : "layers")}";
        return unfit.Count == 0
            ? ($"{what}, all in the attention of preset {Preset}'s UNet ({layers.Count} layers)",
            "`train --lora-weights FILE` makes it part of the UNet before training.")
            : ($"{what}, of which {unfit.Count} {(unfit.Count == 1 ? "is" : "are")} in no attention of preset {Preset}'s UNet",
                $"`train --lora-weights` refuses it because of {string.Join(", ", unfit.Take(3))}"
                    + $"{(unfit.Count > 3 ? " …" : "")}: export it for the UNet's attention alone.");
    }

    private static bool Fits(WeightTable file, string name, Dictionary<string, IReadOnlyList<long>> layers) =>
        layers.TryGetValue(name, out var layer) && file.TryGet(name + Lora.UpSuffix, out var up)
        && file[name + Lora.DownSuffix].Shape is [var rank, var width, ..] && width == layer[1]
        && up.Shape is [var height, var inner, ..] && height == layer[0] && inner == rank;

    // Shapes [out, in] of the UNet's attention layers by the names that LoRA files have for them.
    private static Dictionary<string, IReadOnlyList<long>> Layers()
    {
        const string end = ".weight";
        var blocks = Presets.All[Preset].Network.ResidualBlocks;
        return CheckpointKeys.Of(Preset)
            .Where(k => k.Name.StartsWith(BaseWeights.UNetPrefix, StringComparison.Ordinal)
            && k.Name.EndsWith(end, StringComparison.Ordinal))
            .Select(k => (Name: Lora.NameOf(k.Name[BaseWeights.UNetPrefix.Length..^end.Length], blocks), k.Shape))
            .Where(k => k.Name is not null).ToDictionary(k => k.Name!, k => k.Shape);
    }
}
