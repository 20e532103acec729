using Siamorph.Diffusion;
using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Siamese.WeightFiles;

/// <summary>The names under which weights are written.</summary>
internal enum WeightsLayout
{
    /// <summary>The authors' keys, one safetensors file.</summary>
    Authors,

    /// <summary>diffusers' keys, one file for each part.</summary>
    Diffusers,

    /// <summary>The names of the input.</summary>
    Same,
}

/// <summary>Element type of written weights.</summary>
internal enum WeightsPrecision
{
    /// <summary>That of the input.</summary>
    Same,

    /// <summary>Single.</summary>
    F32,

    /// <summary>Half.</summary>
    F16,

    /// <summary>bfloat16.</summary>
    BF16,
}

/// <summary>What `weights convert` is told.</summary>
internal sealed record ConvertOptions
{
    /// <summary>Names of the result.</summary>
    public WeightsLayout Layout { get; init; }

    /// <summary>Element type of the result; whole numbers stay.</summary>
    public WeightsPrecision Precision { get; init; }

    /// <summary>
    /// File or folder that gives the tensors which the input lacks, such as the base model of a trained ControlNet.
    /// </summary>
    public string Base { get; init; } = "";

    /// <summary>Parts to write; none named writes all that are there.</summary>
    public IReadOnlyList<CheckpointPart> Parts { get; init; } = [];
}

/// <summary>What was written.</summary>
/// <param name="Files">Every file.</param>
/// <param name="Tensors">How many tensors they hold.</param>
/// <param name="Notes">What was left out or added, and what other programs can't read.</param>
internal sealed record ConvertReport(IReadOnlyList<string> Files, int Tensors, IReadOnlyList<string> Notes);

/// <summary>Writes weights of any format that is read as safetensors, one tensor in memory at a time.</summary>
internal static class WeightsConverter
{
    private const string SafeTensorsFile = ".safetensors";

    /// <summary>Converts a file or folder.</summary>
    /// <param name="input">Any that <see cref="WeightsFile.Open"/> reads, or a run of `train`: the whole model, as it would be
    /// sampled from.</param>
    /// <param name="output">A file; for several parts in diffusers' layout a folder.</param>
    /// <param name="options">Layout, element type, base, parts.</param>
    /// <exception cref="SiamorphException">The input can't be read, doesn't hold what is asked for, or the output can't be
    /// written.</exception>
    public static ConvertReport Convert(string input, string output, ConvertOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (Path.GetFullPath(input) == Path.GetFullPath(output))
            throw new InvalidOptionsException($"{output}: input and output are the same file.");
        using var file = ConvertSource.Open(input);
        using var baseFile = options.Base.Length > 0 ? ConvertSource.Open(options.Base) : null;
        if (options.Layout == WeightsLayout.Same) return Same(file, baseFile?.Weights, output, options);
        var checkpoint = DiffusionCheckpoint.Of(file.Weights);
        if (checkpoint.Layouts.Count == 0)
            throw new WeightsMismatchException(
                $"{input}: holds no part of a diffusion model. To change the format alone, use --layout same.");
        var notes = new List<string>(file.Notes);
        if (checkpoint.Leftover.Count > 0)
            notes.Add($"{checkpoint.Leftover.Count} tensors of no known part were left out: "
                + $"{Some(checkpoint.Leftover.Select(e => e.Name))}");
        var whole = baseFile is null ? checkpoint
            : DiffusionCheckpoint.Of(Joined(checkpoint.Weights, DiffusionCheckpoint.Of(baseFile.Weights).Weights));
        return options.Layout == WeightsLayout.Authors ? Authors(whole, output, options, notes)
            : Diffusers(whole, input, output, options, notes);
    }

    private static ConvertReport Same(ConvertSource file, WeightTable? baseFile, string output, ConvertOptions options)
    {
        var table = baseFile is null ? file.Weights : Joined(file.Weights, baseFile);
        return Write([(output, table)], options, [.. file.Notes]);
    }

    private static ConvertReport Authors(
        DiffusionCheckpoint checkpoint, string output, ConvertOptions options, List<string> notes)
    {
        var entries = Wanted(checkpoint, options)
            .SelectMany(p => checkpoint.Part(p).Entries.Select(e => e.As(DiffusionCheckpoint.PrefixOf(p) + e.Name))).ToList();
        if (options.Parts.Count == 0 && checkpoint.Layouts.ContainsKey(CheckpointPart.UNet)) AddSchedule(entries, notes);
        return Write([(output, new(entries))], options, notes);
    }

    private static ConvertReport Diffusers(
        DiffusionCheckpoint checkpoint, string input, string output, ConvertOptions options, List<string> notes)
    {
        var parts = Wanted(checkpoint, options).Where(p => p != CheckpointPart.Schedule).ToList();
        if (parts.Count == 0) throw new WeightsMismatchException($"{input}: holds none of the parts that diffusers has.");
        var single = output.EndsWith(SafeTensorsFile, StringComparison.OrdinalIgnoreCase);
        if (single && parts.Count > 1)
            throw new InvalidOptionsException(
                $"{output}: {parts.Count} parts go into a folder; name one, or choose a part with --parts.");
        var tables = parts.Select(p =>
            (single ? output : Path.Combine(output, Folder(p)), checkpoint.InDiffusersLayout(p))).ToList();
        if (parts.Contains(CheckpointPart.ControlNet)
            && tables.Any(t => t.Item2.Contains("controlnet_cond_embedding.0.initial_conv.weight")))
            notes.Add("diffusers' ControlNet has no Dense Hint Input: those tensors are under controlnet_cond_embedding.0 and .1,"
            + " for a hint encoder of your own; all others are where diffusers looks for them");
        return Write(tables, options, notes);
    }

    private static ConvertReport Write(List<(string Path, WeightTable Table)> files, ConvertOptions options, List<string> notes)
    {
        var type = options.Precision switch
        {
            WeightsPrecision.F32 => ScalarType.Float32, WeightsPrecision.F16 => ScalarType.Float16, WeightsPrecision.BF16 =>
                ScalarType.BFloat16,
            _ => (ScalarType?)null,
        };
        foreach (var (path, table) in files) SafeTensors.Write(path, new WeightTable(table.Entries.Select(e => e.In(type))));
        return new([.. files.Select(f => f.Path)], files.Sum(f => f.Table.Entries.Count), notes);
    }

    private static IEnumerable<CheckpointPart> Wanted(DiffusionCheckpoint checkpoint, ConvertOptions options)
    {
        if (options.Parts.Except(checkpoint.Layouts.Keys).ToList() is { Count: > 0 } missing)
            throw new WeightsMismatchException(
                $"The input has no {string.Join(", ", missing)}; it has {string.Join(", ", checkpoint.Layouts.Keys)}.");
        return options.Parts.Count > 0 ? options.Parts.Distinct() : checkpoint.Layouts.Keys.Order();
    }

    private static WeightTable Joined(WeightTable first, WeightTable rest) =>
        new([.. first.Entries, .. rest.Entries.Where(e => !first.Contains(e.Name))]);

    private static void AddSchedule(List<WeightEntry> entries, List<string> notes)
    {
        var there = entries.Select(e => e.Name).ToHashSet();
        var missing = ScheduleBuffers.Of(new NoiseSchedule(new ScheduleOptions())).Where(b => !there.Contains(b.Key)).ToList();
        if (missing.Count == 0) return;
        notes.Add($"{missing.Count} constants of the noise schedule were added, as the authors' programs expect them");
        entries.AddRange(missing.Select(b =>
            new WeightEntry(b.Key, ScalarType.Float32, [b.Value.Length], () => tensor(b.Value))));
    }

    private static string Folder(CheckpointPart part) => part switch
    {
        CheckpointPart.UNet => "unet/diffusion_pytorch_model.safetensors",
        CheckpointPart.ControlNet => "controlnet/diffusion_pytorch_model.safetensors",
        CheckpointPart.Autoencoder => "vae/diffusion_pytorch_model.safetensors",
        _ => "text_encoder/model.safetensors",
    };

    private static string Some(IEnumerable<string> names)
    {
        var list = names.ToList();
        return string.Join(", ", list.Take(3)) + (list.Count > 3 ? " …" : "");
    }
}
