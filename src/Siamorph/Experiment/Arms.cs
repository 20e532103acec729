using Siamorph.Data;
using Siamorph.Siamese;
using Siamorph.Synthesis;

namespace Siamorph.Experiment;

/// <summary>One way of using real and synthetic pairs, to be compared with others. A new arm is a new entry in <see cref="Arms.All"/>.</summary>
public sealed record ArmDefinition
{
    /// <summary>Its name in options, folders and files.</summary>
    public required string Name { get; init; }

    /// <summary>Its name in sentences and charts.</summary>
    public required string Title { get; init; }

    /// <summary>What the segmentation network is trained on: one sentence.</summary>
    public required string Description { get; init; }

    /// <summary>Whether synthetic pairs have to be made for it.</summary>
    public required bool UsesSynthetic { get; init; }

    /// <summary>Makes the list of training pairs; a pair may come more than once.</summary>
    public required Func<ArmMaterial, IReadOnlyList<ImageMaskPair>> TrainingPairs { get; init; }

    /// <summary>Another generator than the experiment's own (an ablation), or null.</summary>
    public Func<TrainOptions, TrainOptions>? Generator { get; init; }

    /// <summary>Another way to synthesize than the experiment's own, or null.</summary>
    public Func<SynthesisOptions, SynthesisOptions>? Synthesis { get; init; }
}

/// <summary>What an arm may train on.</summary>
/// <param name="Real">The n real pairs of this cell.</param>
/// <param name="Synthetic">The pairs made by a generator that saw those n alone; empty for arms without.</param>
/// <param name="Seed">For arms that draw.</param>
public sealed record ArmMaterial(IReadOnlyList<ImageMaskPair> Real, IReadOnlyList<ImageMaskPair> Synthetic, Seed Seed);

/// <summary>The arms there are.</summary>
public static class Arms
{
    /// <summary>The baseline: the real pairs alone.</summary>
    public static ArmDefinition RealOnly { get; } = new()
    {
        Name = "real",
        Title = "real only",
        Description = "The real training pairs alone.",
        UsesSynthetic = false,
        TrainingPairs = material => material.Real,
    };

    /// <summary>The real pairs and the synthetic ones, each pair equally often.</summary>
    public static ArmDefinition RealPlusSynthetic { get; } = new()
    {
        Name = "real+synthetic",
        Title = "real + synthetic",
        Description = "The real training pairs and the synthetic ones, each pair drawn equally often.",
        UsesSynthetic = true,
        TrainingPairs = material => [.. material.Real, .. material.Synthetic],
    };

    /// <summary>Every arm, the baseline first.</summary>
    public static IReadOnlyList<ArmDefinition> All { get; } = [RealOnly, RealPlusSynthetic];

    /// <summary>The arm of a name.</summary>
    /// <exception cref="InvalidOptionsException">There is none.</exception>
    public static ArmDefinition Named(string name) => All.FirstOrDefault(a => a.Name == name)
        ?? throw new InvalidOptionsException($"arms: '{name}' is unknown; there are {string.Join(", ", All.Select(a => a.Name))}.");
}
