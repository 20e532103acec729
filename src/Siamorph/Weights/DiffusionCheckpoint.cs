using static TorchSharp.torch;

namespace Siamorph.Weights;

/// <summary>A part of a latent diffusion model, as files hold them together or apart.</summary>
internal enum CheckpointPart
{
    /// <summary>The denoiser.</summary>
    UNet,

    /// <summary>ControlNet with its hint encoder.</summary>
    ControlNet,

    /// <summary>The autoencoder between images and latents.</summary>
    Autoencoder,

    /// <summary>The text model.</summary>
    TextEncoder,

    /// <summary>The constants of the noise schedule, which the authors' files repeat.</summary>
    Schedule,
}

/// <summary>
/// Weights of a latent diffusion model under the authors' keys, whatever the layout they came in: Stable Diffusion's original
/// single file, the authors' merged checkpoint, a diffusers folder, or one of these parts alone.
/// </summary>
internal sealed class DiffusionCheckpoint
{
    private static readonly (string Prefix, CheckpointPart Part)[] Sections =
    [
        ("model.diffusion_model.", CheckpointPart.UNet), ("control_model.", CheckpointPart.ControlNet),
        ("first_stage_model.", CheckpointPart.Autoencoder), ("cond_stage_model.transformer.", CheckpointPart.TextEncoder),
        ("unet.", CheckpointPart.UNet), ("controlnet.", CheckpointPart.ControlNet), ("vae.", CheckpointPart.Autoencoder),
        ("text_encoder.", CheckpointPart.TextEncoder),
    ];

    // A part that stands alone in its file is told by a name that only it has.
    private static readonly (string Beginning, CheckpointPart Part)[] Signs =
    [
        ("controlnet_", CheckpointPart.ControlNet), ("zero_convs.", CheckpointPart.ControlNet),
        ("output_blocks.", CheckpointPart.UNet),
        ("up_blocks.", CheckpointPart.UNet), ("text_model.", CheckpointPart.TextEncoder),
        ("embeddings.token_embedding.", CheckpointPart.TextEncoder), ("encoder.down.", CheckpointPart.Autoencoder),
        ("encoder.down_blocks.", CheckpointPart.Autoencoder),
    ];

    private const string TextModel = "text_model.";
    private static readonly string[] TextParts = ["embeddings.", "encoder.layers.", "final_layer_norm."];

    private readonly Dictionary<CheckpointPart, string> _layouts = [];

    private DiffusionCheckpoint(WeightTable weights) => (Weights, Leftover) = Translate(weights);

    /// <summary>Names of the schedule's constants in the authors' files.</summary>
    public static IReadOnlyList<string> ScheduleNames { get; } =
    [
        "betas", "alphas_cumprod", "alphas_cumprod_prev", "sqrt_alphas_cumprod", "sqrt_one_minus_alphas_cumprod",
        "log_one_minus_alphas_cumprod", "sqrt_recip_alphas_cumprod", "sqrt_recipm1_alphas_cumprod", "posterior_variance",
        "posterior_log_variance_clipped", "posterior_mean_coef1", "posterior_mean_coef2", "logvar",
    ];

    /// <summary>Every recognised tensor under the authors' key.</summary>
    public WeightTable Weights { get; }

    /// <summary>Tensors that belong to none of the parts, under the names that they have in the file.</summary>
    public IReadOnlyList<WeightEntry> Leftover { get; }

    /// <summary>The parts that are there, and the layout that each came in ("original" or "diffusers").</summary>
    public IReadOnlyDictionary<CheckpointPart, string> Layouts => _layouts;

    /// <summary>Recognises the parts of a table of weights; nothing is read.</summary>
    public static DiffusionCheckpoint Of(WeightTable weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        return new(weights);
    }

    /// <summary>The prefix of a part's keys in the authors' layout; empty for the schedule.</summary>
    public static string PrefixOf(CheckpointPart part) => part == CheckpointPart.Schedule ? "" : Sections[(int)part].Prefix;

    /// <summary>One part, its keys without the prefix, as its module has them.</summary>
    public WeightTable Part(CheckpointPart part) => part == CheckpointPart.Schedule
        ? new(Weights.Entries.Where(e => ScheduleNames.Contains(e.Name)))
        : Weights.Under(PrefixOf(part));

    /// <summary>One part under diffusers' keys, as a file of its own has them.</summary>
    /// <exception cref="WeightsMismatchException">The part isn't there.</exception>
    public WeightTable InDiffusersLayout(CheckpointPart part)
    {
        var own = Part(part);
        if (own.Entries.Count == 0) throw new WeightsMismatchException($"The weights hold no {part}.");
        if (part == CheckpointPart.TextEncoder) return own;
        var map = MapOf(part, [.. own.Names])
            ?? throw new WeightsMismatchException($"The names of the {part} are of no known network.");
        return new(own.Entries.Select(e => e.As(
            map.ToDiffusers(e.Name) ?? e.Name,
            part == CheckpointPart.Autoencoder && AutoencoderKeys.IsPointConvolution(e.Name)
                && e.Shape is [var o, var i, 1, 1] ? [o, i] : null)));
    }

    private (WeightTable, IReadOnlyList<WeightEntry>) Translate(WeightTable weights)
    {
        var (found, leftover) = (new List<WeightEntry>(), new List<WeightEntry>());
        var alone = Alone(weights);
        foreach (var group in weights.Entries.GroupBy(e => SectionOf(e.Name, alone)))
        {
            if (group.Key is { } section) Translate(section.Part, [.. group.Select(e => e.As(e.Name[section.Prefix.Length..]))],
                found, leftover, section.Prefix);
            else leftover.AddRange(group);
        }
        AddPositions(found);
        return (new(found), leftover);
    }

    private static CheckpointPart? Alone(WeightTable weights)
    {
        if (weights.Names.Any(n => Array.Exists(Sections, s => n.StartsWith(s.Prefix, StringComparison.Ordinal)))) return null;
        var sign = Array.FindIndex(Signs, s => weights.Names.Any(n => n.StartsWith(s.Beginning, StringComparison.Ordinal)));
        return sign < 0 ? null : Signs[sign].Part;
    }

    private static (string Prefix, CheckpointPart Part)? SectionOf(string name, CheckpointPart? alone)
    {
        var section = Array.FindIndex(Sections, s => name.StartsWith(s.Prefix, StringComparison.Ordinal));
        if (section >= 0) return Sections[section];
        if (ScheduleNames.Contains(name)) return ("", CheckpointPart.Schedule);
        return alone is { } part ? ("", part) : null;
    }

    private void Translate(CheckpointPart part, List<WeightEntry> entries, List<WeightEntry> found, List<WeightEntry> leftover,
        string prefix)
    {
        var names = entries.Select(e => e.Name).ToHashSet();
        var map = part is CheckpointPart.Schedule or CheckpointPart.TextEncoder ? null : MapOf(part, names);
        var diffusers = map is not null
            && names.Any(n => n.StartsWith("down_blocks.", StringComparison.Ordinal)
            || n.StartsWith("up_blocks.", StringComparison.Ordinal)
            || n.StartsWith("encoder.down_blocks.", StringComparison.Ordinal));
        var known = entries.Select(e => (Entry: e, Name: Name(part, map, diffusers, e.Name))).ToList();
        leftover.AddRange(known.Where(k => k.Name is null).Select(k => k.Entry.As(prefix + k.Entry.Name)));
        found.AddRange(known.Where(k => k.Name is not null).Select(k => Translated(part, k.Entry, k.Name!)));
        if (known.Exists(k => k.Name is not null)) _layouts[part] = diffusers ? "diffusers" : "original";
    }

    private static string? Name(CheckpointPart part, KeyMap? map, bool diffusers, string name) => part switch
    {
        CheckpointPart.Schedule => name,
        CheckpointPart.TextEncoder => name.StartsWith(TextModel, StringComparison.Ordinal) ? name
            // As newer programs write it
            : Array.Exists(TextParts, p => name.StartsWith(p, StringComparison.Ordinal)) ? TextModel + name : null,
        _ when map is null => null,
        _ => diffusers ? map.ToOriginal(name) : map.ToDiffusers(name) is null ? null : name,
    };

    private static WeightEntry Translated(CheckpointPart part, WeightEntry entry, string name)
    {
        var key = PrefixOf(part) + name;
        return part == CheckpointPart.Autoencoder && AutoencoderKeys.IsPointConvolution(name) && entry.Shape is [var o, var i]
            ? entry.As(key, [o, i, 1, 1])
            : entry.As(key);
    }

    // Newer text models don't store the numbers of their positions; the authors' files do.
    private static void AddPositions(List<WeightEntry> found)
    {
        var embeddings = PrefixOf(CheckpointPart.TextEncoder) + "text_model.embeddings.";
        if (found.Exists(e => e.Name == embeddings + "position_ids")) return;
        var table = found.Find(e => e.Name == embeddings + "position_embedding.weight");
        if (table is { Shape: [var positions, _] })
            found.Add(new(embeddings + "position_ids", ScalarType.Int64, [1, positions],
                () => arange(positions, dtype: int64).unsqueeze(0)));
    }

    private static KeyMap? MapOf(CheckpointPart part, IReadOnlyCollection<string> names) => part switch
    {
        CheckpointPart.Autoencoder => AutoencoderKeys.Of(names),
        CheckpointPart.UNet => UNetOutline.Of(names) is { } outline ? UNetKeys.UNet(outline) : null,
        CheckpointPart.ControlNet => UNetOutline.Of(names) is { } outline ? UNetKeys.ControlNet(outline, names) : null,
        _ => null,
    };
}
