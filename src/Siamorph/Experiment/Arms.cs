using System.Globalization;
using System.Text.Json.Nodes;
using Siamorph.Synthesis;

namespace Siamorph.Experiment;

/// <summary>The arms there are; a design file may define more.</summary>
public static class Arms
{
    /// <summary>The baseline: the real pairs alone.</summary>
    public static ArmDefinition RealOnly { get; } = new()
    {
        Name = "real",
        Title = "real only",
        Description = "The real training pairs alone.",
    };

    /// <summary>The real pairs and those of Siamese-Diffusion, each pair equally often.</summary>
    public static ArmDefinition RealPlusSynthetic { get; } = new()
    {
        Name = "real+synthetic",
        Title = "real + synthetic",
        Description = "The real training pairs and the synthetic ones, every pair sampled equally often.",
        Added = AddedPairs.Synthetic,
    };

    /// <summary>Real pairs, duplicated until there are as many as with synthetic ones.</summary>
    public static ArmDefinition Duplicated { get; } = new()
    {
        Name = "duplicated",
        Title = "real, duplicated",
        Description = "The real training pairs and copies of them, as many as the synthetic pairs of the other arms, mixed in "
            + "the same way. "
            + "With equal steps it should do as the baseline does: a difference here is chance.",
        Added = AddedPairs.Copies,
    };

    /// <summary>Real pairs under strong classical augmentation.</summary>
    public static ArmDefinition Classical { get; } = new()
    {
        Name = "classical",
        Title = "real, strong augmentation",
        Description = "The real training pairs alone, varied strongly: flips, rotations by any angle, size, colour, light, "
            + "elastic deformation.",
        Segmentation =
            Changes(
                """{ "augmentation": { "brightness": 0.3, "contrast": 0.3, "colour": 0.15, "rotation": 30, "zoom": 0.25, "elastic": 0.04 } }"""),
    };

    /// <summary>Real pairs under light augmentation: what the strong one, which all other arms get, is worth.</summary>
    public static ArmDefinition LightAugmentation { get; } = new()
    {
        Name = "light-augmentation",
        Title = "real, light augmentation",
        Description = "The real training pairs alone, varied lightly: flips, quarter turns, a little brightness and contrast.",
        Segmentation =
            Changes(
                """{ "augmentation": { "brightness": 0.15, "contrast": 0.15, "colour": 0, "rotation": 0, "zoom": 0, "elastic": 0 } }"""),
    };

    /// <summary>Real pairs, and such with the lesion of another pasted in; no generator.</summary>
    public static ArmDefinition CopyPaste => Named("copy-paste");

    /// <summary>Real and synthetic pairs whose masks were shuffled.</summary>
    public static ArmDefinition WrongMasks { get; } = RealPlusSynthetic with
    {
        Name = "wrong-masks",
        Title = "real + wrong masks",
        Description =
            "As real + synthetic, but every synthetic image has the mask of another: a control that must lower the score.",
        WrongMasks = true,
    };

    /// <summary>Real pairs and synthetic ones that passed the quality gate.</summary>
    public static ArmDefinition Gated { get; } = RealPlusSynthetic with
    {
        Name = "gated",
        Title = "real + gated synthetic",
        Description = "As real + synthetic, but more pairs were generated and the quality gate selected among them.",
        Gate = true,
    };

    /// <summary>Of the pairs that passed the gate, those that are hardest for networks trained on real pairs.</summary>
    public static ArmDefinition GatedHard { get; } = Gated with
    {
        Name = "gated-hard",
        Title = "real + gated, hardest",
        Description = "As real + gated synthetic, but among the pairs that passed, those that networks trained on real pairs "
            + "find hardest were kept.",
        Selection = GateSelection.Difficulty,
    };

    /// <summary>Synthetic pairs alone.</summary>
    public static ArmDefinition SyntheticOnly { get; } = RealPlusSynthetic with
    {
        Name = "synthetic-only",
        Title = "synthetic only",
        Description = "The synthetic pairs alone; no real pairs are trained on.",
        UsesReal = false,
    };

    /// <summary>Every arm that needs no definition in the design file, the baseline first.</summary>
    public static IReadOnlyList<ArmDefinition> All { get; } =
    [
        RealOnly, RealPlusSynthetic, Duplicated, Classical, LightAugmentation, WrongMasks, Gated, GatedHard, SyntheticOnly,
        RealPlusSynthetic with
        {
            Name = "mask-only",
            Title = "real + mask-only ablation",
            Description =
                "As real + synthetic, but the generator has no image branch, no noise consistency and no online augmentation.",
            Generator = Changes("""{ "losses": { "image": 0, "consistency": 0, "augmentation": 0 } }"""),
        },
        RealPlusSynthetic with
        {
            Name = "no-dense-hint",
            Title = "real + plain hints",
            Description = "As real + synthetic, but the generator reads masks through ControlNet's plain hint encoder in place "
                + "of Dense Hint Input.",
            Generator = Changes("""{ "network": { "hintEncoder": "plain" } }"""),
        },
        RealPlusSynthetic with
        {
            Name = "no-online-augmentation",
            Title = "real + no online augmentation",
            Description = "As real + synthetic, but the generator is trained without online augmentation.",
            Generator = Changes("""{ "losses": { "augmentation": 0 } }"""),
        },
        RealPlusSynthetic with
        {
            Name = "deformed",
            Title = "real + deformed masks",
            Description = "As real + synthetic, but from masks that were randomly rotated, scaled and elastically deformed.",
            Synthesis = Changes("""{ "deformation": { "flip": true, "rotation": 30, "scale": 0.2, "elastic": 0.03 } }"""),
        },
        RealPlusSynthetic with
        {
            Name = "one-per-real",
            Title = "real + at most one synthetic each",
            Description = "As real + synthetic, with at most one synthetic pair for each real one in a batch.",
            Segmentation = Changes("""{ "maxSyntheticPerReal": 1 }"""),
        },
        RealPlusSynthetic with
        {
            Name = "half-weight",
            Title = "real + synthetic at half weight",
            Description = "As real + synthetic, with half the loss weight for synthetic pairs.",
            Segmentation = Changes("""{ "syntheticWeight": 0.5 }"""),
        },
        RealPlusSynthetic with
        {
            Name = "warm-up",
            Title = "synthetic, then both",
            Description = "The first third of the steps sees synthetic pairs alone, the rest real and synthetic ones.",
            Segmentation = Changes("""{ "syntheticWarmup": 0.3333 }"""),
        },
        new()
        {
            Name = "cutmix",
            Title = "real, CutMix",
            Description =
                "The real training pairs alone; half of the images get a rectangle of another one, with its part of the mask.",
            Segmentation = Changes("""{ "augmentation": { "cutMix": 0.5 } }"""),
        },
        RealPlusSynthetic with
        {
            Name = "cutmix+synthetic",
            Title = "real + synthetic, CutMix",
            Description = "As real + synthetic; half of the images get a rectangle of another one, real or synthetic, with its "
                + "part of the mask.",
            Segmentation = Changes("""{ "augmentation": { "cutMix": 0.5 } }"""),
        },
        RealPlusSynthetic with
        {
            Name = "synthetic-first",
            Title = "synthetic, then real",
            Description = "The first half of the steps sees synthetic pairs alone, the second half real ones alone.",
            Segmentation = Changes("""{ "syntheticWarmup": 0.5, "syntheticFraction": 0 }"""),
        },
        new()
        {
            Name = "continued",
            Title = "real only, twice the steps",
            Description =
                "The real training pairs alone, for twice as many steps as the other arms: what more training is worth.",
            StepFactor = 2,
        },
        RealPlusSynthetic with
        {
            Name = "equal-exposures",
            Title = "real + synthetic, equal exposures",
            Description = "As real + synthetic for twice as many steps, so that real images are seen as often as in the "
                + "baseline; to be compared with continued.",
            StepFactor = 2,
        },
        new()
        {
            Name = "mean-teacher",
            Title = "real + mean teacher",
            Description = "The real training pairs, and images without masks on which the network is trained to agree with the "
                + "running average of its weights, under CutMix. No generator.",
            MeanTeacher = true,
        },
        new()
        {
            Name = "denoising-pretrained",
            Title = "real, pretrained by denoising",
            Description = "The real training pairs alone, after pretraining for as many steps to denoise the real images and "
                + "those without masks.",
            DenoisingPretrained = true,
        },
        new()
        {
            Name = "pseudo-labels",
            Title = "real + pseudo-labels",
            Description = "The real training pairs, and the images without masks with the masks that the baseline's network "
                + "predicts for them. No generator.",
            Added = AddedPairs.PseudoLabels,
        },
        new()
        {
            Name = "synthetic-teacher",
            Title = "real + pseudo-labels of real + synthetic",
            Description = "As pseudo-labels, with masks predicted by the network of real + synthetic: there the synthetic pairs "
                + "serve to label images, and the network itself learns from real images alone.",
            Added = AddedPairs.PseudoLabels,
            Teacher = RealPlusSynthetic.Name,
        },
        new()
        {
            Name = "second-teacher",
            Title = "real + pseudo-labels, second round",
            Description = "As pseudo-labels, with masks predicted by the network of pseudo-labels: what a second round is worth "
                + "without a generator, to be compared with synthetic-teacher.",
            Added = AddedPairs.PseudoLabels,
            Teacher = "pseudo-labels",
        },
        RealPlusSynthetic with
        {
            Name = "predicted-shapes",
            Title = "real + synthetic from predicted masks",
            Description = "As real + synthetic, but generated from the real masks and from the masks that the baseline's network "
                + "predicts for the images without masks.",
            PredictedShapes = true,
            Synthesis = Changes($$"""{ {{Moved}} }"""),
        },
        RealPlusSynthetic with
        {
            Name = "labelled-generator",
            Title = "real + synthetic, generator of pseudo-labels too",
            Description = "As real + synthetic, but the generator learns from the images without masks as well, under the masks "
                + "that the baseline's network predicts for them, as probabilities.",
            LabelledGenerator = true,
        },
        RealPlusSynthetic with
        {
            Name = "new-shapes",
            Title = "real + synthetic from new shapes",
            Description = "As real + synthetic, but generated from new masks of a statistical shape model of the real ones.",
            Synthesis = Changes($$"""{ "shapes": 5000, {{Moved}} }"""),
        },
        RealPlusSynthetic with
        {
            Name = "predicted-shapes+teacher",
            Title = "real + synthetic from predicted masks + mean teacher",
            Description = "As predicted-shapes, with masks predicted by the network of mean-teacher, and mean teacher on the "
                + "images without masks: what synthetic pairs add to it.",
            PredictedShapes = true,
            MeanTeacher = true,
            Teacher = "mean-teacher",
            Synthesis = Changes($$"""{ {{Moved}} }"""),
        },
        .. Starts.Select(s => RealPlusSynthetic with
        {
            Name = s.Name, Title = s.Title, Description = s.Description, Synthesis = Changes(s.Changes),
        }),
        .. new[] { 0.25, 0.5, 2, 3 }.Select(AtRatio),
    ];

    private const string Moved = "\"deformation\": { \"flip\": true, \"rotation\": 20, \"scale\": 0.2, \"elastic\": 0.02 }";

    // Where a sample starts; the first two need no generator and are the rivals of the others.
    private static IEnumerable<(string Name, string Title, string Description, string Changes)> Starts =>
    [
        ("warp-only", "real + deformed real",
            "The real training pairs and deformed copies of them, image and mask moved alike. No generator: what edited pairs "
                + "have to beat.",
            $$"""{ "start": "real", "strength": 0, {{Moved}} }"""),
        ("copy-paste", "real + copy-paste",
            "The real training pairs, and such with the lesion of another pasted in, in matched colours. No generator: what "
                + "harmonised pairs have to beat.",
            $$"""{ "start": "paste", "strength": 0, {{Moved}} }"""),
        ("edited", "real + edited real",
            "The real training pairs, and such that were deformed, noised half-way and denoised under the deformed mask.",
            $$"""{ "start": "real", {{Moved}} }"""),
        ("harmonised", "real + harmonised paste",
            "As copy-paste, but noise was added to the pasted images up to a low strength, and they were denoised under the "
                + "combined mask.",
            $$"""{ "start": "paste", {{Moved}} }"""),
        ("inpainted", "real + inpainted lesions",
            "The real training pairs, and copies into which the generator inpainted a further lesion; the rest of the image is "
                + "unchanged.",
            $$"""{ "start": "inpaint", {{Moved}} }"""),
        ("second-hint", "real + synthetic by mask and image",
            "As real + synthetic, but the mask's own image, deformed in the same way, is a second hint with weight 0.3.",
            $$"""{ "imageWeight": 0.3, {{Moved}} }"""),
    ];

    /// <summary>The arm of a name among all that need no definition.</summary>
    /// <exception cref="InvalidOptionsException">There is none.</exception>
    public static ArmDefinition Named(string name) => All.FirstOrDefault(a => a.Name == name)
        ?? throw new InvalidOptionsException(
            $"arms: '{name}' is unknown; there are {string.Join(", ", All.Select(a => a.Name))}.");

    private static ArmDefinition AtRatio(double ratio)
    {
        var text = ratio.ToString(CultureInfo.InvariantCulture);
        return RealPlusSynthetic with
        {
            Name = $"ratio-{text}",
            Title = $"real + {text} synthetic each",
            Description = $"As real + synthetic, with {text} synthetic pairs for each real one.",
            Ratio = ratio,
        };
    }

    private static JsonObject Changes(string json) => JsonNode.Parse(json)!.AsObject();
}
