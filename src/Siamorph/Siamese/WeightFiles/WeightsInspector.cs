using Siamorph.Weights;

namespace Siamorph.Siamese.WeightFiles;

/// <summary>How a part of a file agrees with the same part of a preset.</summary>
/// <param name="Part">Which part.</param>
/// <param name="Layout">The layout of its names, "original" or "diffusers".</param>
/// <param name="Tensors">How many it has.</param>
/// <param name="Bytes">Their size as stored.</param>
/// <param name="Preset">The preset that it fits best.</param>
/// <param name="Missing">Keys of the preset that the file lacks.</param>
/// <param name="Unexpected">Keys of the file that the preset lacks.</param>
/// <param name="Misshapen">Keys of both with different shapes, with both shapes.</param>
internal sealed record PartInspection(
    CheckpointPart Part, string Layout, int Tensors, long Bytes, string Preset,
    IReadOnlyList<string> Missing, IReadOnlyList<string> Unexpected, IReadOnlyList<string> Misshapen)
{
    /// <summary>True when every key and shape is the preset's.</summary>
    public bool Fits => Missing.Count + Unexpected.Count + Misshapen.Count == 0;
}

/// <summary>One tensor of a file, for a list.</summary>
/// <param name="Name">Its key.</param>
/// <param name="DType">Element type, as safetensors names it.</param>
/// <param name="Shape">Sizes, outermost first.</param>
internal sealed record InspectedTensor(string Name, string DType, IReadOnlyList<long> Shape);

/// <summary>What a weight file holds, what it is good for, and what is wrong with it.</summary>
/// <param name="Path">The file or folder.</param>
/// <param name="Format">How it is stored.</param>
/// <param name="What">What it is, in a few words.</param>
/// <param name="Advice">What it can be used for, or what to do about it.</param>
/// <param name="Tensors">Every tensor as stored.</param>
/// <param name="Elements">Numbers in all.</param>
/// <param name="Bytes">Their size as stored.</param>
/// <param name="DTypes">Number of tensors by element type.</param>
/// <param name="Parts">The parts of a diffusion model in it.</param>
/// <param name="Leftover">Tensors that belong to no part, by the beginning of their names, with their number.</param>
/// <param name="Metadata">Free text that the writer left.</param>
/// <param name="Notes">What was passed over or renamed.</param>
internal sealed record WeightsInspection(
    string Path, WeightsFormat Format, string What, string Advice, IReadOnlyList<InspectedTensor> Tensors,
    long Elements, long Bytes,
    IReadOnlyDictionary<string, int> DTypes, IReadOnlyList<PartInspection> Parts, IReadOnlyDictionary<string, int> Leftover,
    IReadOnlyDictionary<string, string> Metadata, IReadOnlyList<string> Notes);

/// <summary>Looks into weight files without reading their values.</summary>
internal static class WeightsInspector
{
    /// <summary>Says what a file holds and which preset it fits.</summary>
    /// <exception cref="WeightsFormatException">It is missing, cut off, damaged, or no weight file.</exception>
    public static WeightsInspection Inspect(string path)
    {
        var run = RunCheckpoint.At(path);
        using var file = WeightsFile.Open(run?.ModelPath ?? path);
        var moments = IsOptimizerState(file);
        var checkpoint = DiffusionCheckpoint.Of(moments ? new WeightTable([]) : file);
        var presets = checkpoint.Layouts.Count == 0 ? []
            : Variants(checkpoint).ToDictionary(v => v.Name, v => CheckpointKeys.Of(v.Options));
        var parts = checkpoint.Layouts.OrderBy(l => l.Key).Select(l => Compare(checkpoint, l.Key, l.Value, presets)).ToList();
        // What a run doesn't train, it doesn't store.
        if (run?.BaseWeights is not null) parts = [.. parts.Select(p => p with { Missing = [] })];
        var (what, advice) = run is not null ? Judge(run)
            : moments ? ("the optimizer's state of a training run, no weights",
            "`--resume` alone reads it; for the weights, name the run folder.")
            : (parts.Count == 0 ? LoraInspector.Judge(file) : null) ?? Judge(parts);
        return new(
            path, file.Format, what, advice,
            [.. file.Entries.Select(e => new InspectedTensor(e.Name, SafeTensors.NameOf(e.DType), e.Shape))],
            file.Entries.Sum(e => e.Elements), file.Entries.Sum(e => e.Bytes),
            Counted(file.Entries.Select(e => SafeTensors.NameOf(e.DType))), parts,
            Counted(run is null ? checkpoint.Leftover.Select(e => Beginning(e.Name)) : []),
            file.Metadata, file.Notes);
    }

    private static (string What, string Advice) Judge(RunCheckpoint run)
    {
        if (!run.IsSiamese) return ($"a checkpoint of `segment train` ({run.Progress})",
            "`segment predict` takes its run folder; `segment train --resume` continues it.");
        var parts = run.BaseWeights is { } below ? $", what it trains on top of {below}" : "";
        return ($"a checkpoint of `train` ({run.Progress}){parts}",
            "`synthesize RUN` generates images with it, `train --resume` continues it, and `weights convert RUN OUT` writes the "
                + "whole model as one file for other programs.");
    }

    private static bool IsOptimizerState(WeightTable file) => file.Entries.Count > 0 && file.Names.All(n =>
        n.EndsWith(".exp_avg", StringComparison.Ordinal) || n.EndsWith(".exp_avg_sq", StringComparison.Ordinal)
        || n.EndsWith(".step", StringComparison.Ordinal));

    private const string Plain = " (plain hint encoder)";

    // The presets, and where there is a ControlNet, the same with the hint encoder that most others have.
    private static IEnumerable<(string Name, TrainOptions Options)> Variants(DiffusionCheckpoint checkpoint)
    {
        foreach (var (name, options) in Presets.All)
        {
            yield return (name, options);
            if (checkpoint.Layouts.ContainsKey(CheckpointPart.ControlNet))
                yield return (name + Plain, options with
                {
                    Network = options.Network with { HintEncoder = Models.HintEncoderKind.Plain },
                });
        }
    }

    private static PartInspection Compare(
        DiffusionCheckpoint checkpoint, CheckpointPart part, string layout,
        Dictionary<string, IReadOnlyList<CheckpointKey>> presets)
    {
        var own = checkpoint.Part(part);
        return presets.Select(preset => Compare(own, part, layout, preset.Key, Under(preset.Value, part)))
            .OrderBy(c => c.Unexpected.Count).ThenBy(c => c.Missing.Count + c.Misshapen.Count).First();
    }

    private static PartInspection Compare(
        WeightTable own, CheckpointPart part, string layout, string preset, Dictionary<string, CheckpointKey> expected) => new(
        part, layout, own.Entries.Count, own.Entries.Sum(e => e.Bytes), preset,
        // Those constants are computed, never read
        part == CheckpointPart.Schedule ? [] : [.. expected.Keys.Where(k => !own.Contains(k))],
        [.. own.Names.Where(k => !expected.ContainsKey(k))],
        [.. own.Entries.Where(e => expected.TryGetValue(e.Name, out var key) && !key.Shape.SequenceEqual(e.Shape))
            .Select(e => $"{e.Name} (file {Shape(e.Shape)}, preset {Shape(expected[e.Name].Shape)})")]);

    private static Dictionary<string, CheckpointKey> Under(IReadOnlyList<CheckpointKey> keys, CheckpointPart part)
    {
        var prefix = DiffusionCheckpoint.PrefixOf(part);
        return keys.Where(k => part == CheckpointPart.Schedule ? DiffusionCheckpoint.ScheduleNames.Contains(k.Name)
            : k.Name.StartsWith(prefix, StringComparison.Ordinal))
            .ToDictionary(k => k.Name[prefix.Length..]);
    }

    private static (string What, string Advice) Judge(List<PartInspection> parts)
    {
        var networks = parts.Where(p => p.Part != CheckpointPart.Schedule).ToList();
        if (networks.Count == 0)
        {
            return ("no part of a diffusion model that is known here",
                "A backbone or the network of a metric belongs to the verbs that ask for one; otherwise compare the names above "
                    + "with what you expected.");
        }
        var has = networks.Select(p => p.Part).ToHashSet();
        var unfit = networks.Where(p => !p.Fits).ToList();
        var preset = networks.GroupBy(p => p.Preset).MaxBy(g => g.Count())!.Key;
        if (networks.Find(p => p.Part == CheckpointPart.ControlNet) is { Fits: true } control
            && control.Preset.EndsWith(Plain, StringComparison.Ordinal))
        {
            var (what, advice) = Judge([.. parts.Select(p => p with
            {
                Preset = p.Preset.Replace(Plain, "", StringComparison.Ordinal),
            })]);
            return ($"{what}, its ControlNet with the plain hint encoder",
                advice.Replace("--preset sd15", "--preset sd15 --network-hint-encoder plain", StringComparison.Ordinal)
                + " Its hint encoder is that of the first ControlNets, not Dense Hint Input: give --network-hint-encoder plain "
                + "wherever it is trained on.");
        }
        if (unfit.Count > 0)
            return ($"parts of a diffusion model, of which {string.Join(", ", unfit.Select(p => p.Part))} fit no preset",
                $"It can't be used as it is: see what is missing, left over or of another shape, compared with preset "
                    + $"{unfit[0].Preset}.");
        if (has.Count == 4) return ($"a whole checkpoint of Siamese-Diffusion (preset {preset})",
            "`synthesize FILE --masks FOLDER` generates images with it, `train --preset sd15 --base-weights FILE` trains "
                + "it further.");
        if (has.IsSupersetOf([CheckpointPart.UNet, CheckpointPart.ControlNet]))
            return ($"a trained UNet and ControlNet (preset {preset})",
                "Complete it with the base model that it was trained from: `weights convert FILE OUT --base BASE`.");
        if (has.IsSupersetOf([CheckpointPart.UNet, CheckpointPart.Autoencoder, CheckpointPart.TextEncoder]))
            return ($"a base model without ControlNet (preset {preset})",
                "`train --preset sd15 --base-weights FILE` trains on top of it; ControlNet will start as a copy of the "
                    + "UNet's encoder.");
        var absent = new[] { CheckpointPart.UNet, CheckpointPart.Autoencoder,
            CheckpointPart.TextEncoder }.Where(p => !has.Contains(p));
        return ($"{string.Join(", ", has)} of preset {preset}, alone",
            $"To train on top of it, {string.Join(", ", absent)} must come with it: `weights convert FILE OUT --base BASE` joins "
                + $"it with a base model.");
    }

    private static SortedDictionary<string, int> Counted(IEnumerable<string> names) =>
        new(names.GroupBy(n => n).ToDictionary(g => g.Key, g => g.Count()), StringComparer.Ordinal);

    private static string Beginning(string name) =>
        name.IndexOf('.', StringComparison.Ordinal) is var dot and > 0 ? name[..(dot + 1)] + "…" : name;

    private static string Shape(IReadOnlyList<long> shape) => $"[{string.Join(",", shape)}]";
}
