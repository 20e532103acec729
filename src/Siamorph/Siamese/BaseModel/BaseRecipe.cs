using System.Text.Json.Nodes;
using Siamorph.Training;

namespace Siamorph.Siamese.BaseModel;

/// <summary>What a base model is trained on, and how: the role that Stable Diffusion has for the paper's model.</summary>
internal sealed record BaseRecipe
{
    /// <summary>Name in the file and the card.</summary>
    public string Name { get; init; } = "siamorph-base";

    /// <summary>Preset whose model it is.</summary>
    public string Preset { get; init; } = "tiny";

    /// <summary>Options of the training that differ from the preset's, such as <c>{"base":{"steps":20000}}</c>.</summary>
    public JsonObject? Generator { get; init; }

    /// <summary>Images of the built-in simulator, with exact masks: both stages learn from them.</summary>
    public IReadOnlyList<BasePhantoms> Phantoms { get; init; } = [];

    /// <summary>Images without masks: base training learns from them.</summary>
    public IReadOnlyList<BaseImages> Images { get; init; } = [];

    /// <summary>What the model must not be used for, for the card; one sentence each.</summary>
    public IReadOnlyList<string> NotFor { get; init; } = [];

    /// <summary>Checks all of it.</summary>
    /// <returns>This.</returns>
    /// <exception cref="InvalidOptionsException">Lists every fault.</exception>
    public BaseRecipe Validate()
    {
        var faults = new List<string>();
        if (!Presets.All.TryGetValue(Preset, out var preset))
            faults.Add($"preset: '{Preset}' is unknown; there are {string.Join(", ", Presets.All.Keys)}.");
        else if (preset.TextModel is not null) faults.Add($"preset: '{Preset}' has its own base, Stable Diffusion.");
        if (Phantoms.Count == 0) faults.Add("phantoms: give at least one set; siamese training needs their masks.");
        if (Phantoms.Any(p => p.Count < 1)) faults.Add("phantoms: count has to be 1 or more.");
        foreach (var images in Images.Where(i => i.Folder.Length == 0 || i.Licence.Length == 0 || i.Source.Length == 0))
            faults.Add($"images '{images.Folder}': folder, licence and source have to be given; weights are shipped with them.");
        return faults.Count == 0 ? this : throw new InvalidOptionsException(faults);
    }

    /// <summary>The preset's options with those of <see cref="Generator"/>.</summary>
    internal TrainOptions Options() => OptionsFile.Changed(Presets.All[Preset], Generator, "generator");
}

/// <summary>A set of the simulator's images.</summary>
/// <param name="Count">How many.</param>
/// <param name="Seed">Which.</param>
/// <param name="Devices">How many of its endoscopes take part, 1…4.</param>
internal sealed record BasePhantoms(int Count, ulong Seed = 1, int Devices = 3);

/// <summary>A folder of images.</summary>
/// <param name="Folder">Below the folder that the build is given.</param>
/// <param name="Prompt">What they show, such as "dermoscopy"; each modality its own.</param>
/// <param name="Licence">Under which they may be learned from.</param>
/// <param name="Source">Whom to name.</param>
internal sealed record BaseImages(string Folder, string Prompt, string Licence, string Source);
