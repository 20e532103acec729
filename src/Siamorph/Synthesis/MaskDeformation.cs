using Siamorph.Imaging;

namespace Siamorph.Synthesis;

/// <summary>How a mask is varied before an image is drawn from it. Everything off leaves masks as they are.</summary>
public sealed record MaskDeformationOptions
{
    /// <summary>
    /// Mirrors half of the masks left to right, and half top to bottom, each only where the model was trained on pairs mirrored
    /// that way: other masks are outside of what it has seen.
    /// </summary>
    public bool Flip { get; init; }

    // What the model was trained with.
    internal (bool LeftRight, bool TopBottom) Mirrors { get; init; }

    /// <summary>Largest rotation about the lesion's centre, in degrees.</summary>
    public double Rotation { get; init; }

    /// <summary>Largest change of size, as a share: 0.2 gives a factor between 1/1.2 and 1.2.</summary>
    public double Scale { get; init; }

    /// <summary>Largest displacement of the elastic deformation, as a share of the mask's width.</summary>
    public double Elastic { get; init; }

    /// <summary>Share of masks to which the lesion of another mask is added, in [0,1].</summary>
    public double Recombination { get; init; }

    /// <summary>True when masks are used as they are.</summary>
    public bool IsOff => !Flip && Rotation == 0 && Scale == 0 && Elastic == 0 && Recombination == 0;

    internal IEnumerable<string> Faults()
    {
        if (Rotation is not (>= 0 and <= 180))
            yield return FormattableString.Invariant($"deformation.rotation is {Rotation}; give 0 to 180 degrees.");
        if (Scale is not (>= 0 and <= 1)) yield return FormattableString.Invariant($"deformation.scale is {Scale}; give 0 to 1.");
        if (Elastic is not (>= 0 and <= 0.2))
            yield return FormattableString.Invariant($"deformation.elastic is {Elastic}; give 0 to 0.2.");
        if (Recombination is not (>= 0 and <= 1))
            yield return FormattableString.Invariant($"deformation.recombination is {Recombination}; give 0 to 1.");
    }
}

/// <summary>
/// Varies masks, seeded and kept plausible: a variant that is empty, that shrank below a third or grew beyond thrice the
/// original's area, or that lost more than half of its lesion over the border, is drawn again, and after some tries the
/// mask is used as it is.
/// </summary>
internal static class MaskDeformation
{
    private const int Tries = 8;

    /// <summary>A variant of a mask.</summary>
    /// <param name="mask">Any size; left as it is.</param>
    /// <param name="other">A mask of the same size that may lend its lesion.</param>
    /// <param name="options">What may happen.</param>
    /// <param name="seed">Decides what does.</param>
    /// <returns>The variant and, for the manifest, what was done; "none" where nothing was.</returns>
    /// <exception cref="ArgumentException">The masks differ in size.</exception>
    public static (LabelMap Mask, string Description) Apply(
        LabelMap mask, LabelMap other, MaskDeformationOptions options, Seed seed)
    {
        ArgumentNullException.ThrowIfNull(mask);
        ArgumentNullException.ThrowIfNull(other);
        ArgumentNullException.ThrowIfNull(options);
        if (mask.Size != other.Size) throw new ArgumentException($"The masks are {mask.Size} and {other.Size}.", nameof(other));
        if (options.IsOff) return (mask, "none");
        for (var attempt = 0; attempt < Tries; attempt++)
        {
            var random = seed.Derive("deformation").Derive(attempt).Random();
            var warp = MaskWarp.Draw(options, random, mask);
            var varied = warp.Apply(mask);
            if (!IsPlausible(mask, varied)) continue;
            if (!random.Chance(options.Recombination)) return (varied, warp.Description);
            var joined = Join(varied, MaskWarp.Draw(options, random, other).Apply(other));
            if (IsPlausible(mask, joined)) return (joined, $"{warp.Description}, joined");
        }
        return (mask, "none");
    }

    /// <summary>
    /// The same for an image and its mask, moved alike: what lies beyond the border is the image mirrored there, in both of them.
    /// </summary>
    internal static (RgbImage Image, LabelMap Mask, string Description) Apply(
        RgbImage image, LabelMap mask, MaskDeformationOptions options, Seed seed)
    {
        for (var attempt = 0; attempt < Tries && !options.IsOff; attempt++)
        {
            var warp = MaskWarp.Draw(options, seed.Derive("deformation").Derive(attempt).Random(), mask);
            var varied = warp.Apply(mask, mirrored: true);
            if (IsPlausible(mask, varied)) return (warp.Apply(image), varied, warp.Description);
        }
        return (image, mask, "none");
    }

    private static bool IsPlausible(LabelMap original, LabelMap varied)
    {
        var (before, after) = (Area(original), Area(varied));
        if (before == 0) return after == 0;
        return after * 3 >= before && after <= before * 3 && after * 10 <= varied.Labels.Length * 9
            && BorderArea(varied) <= Math.Max(BorderArea(original), after / 2);
    }

    private static int Area(LabelMap mask) => mask.Labels.Count(l => l != 0);

    private static int BorderArea(LabelMap mask)
    {
        var (width, height) = (mask.Size.Width, mask.Size.Height);
        var count = 0;
        for (var i = 0; i < mask.Labels.Length; i++)
        {
            var (x, y) = (i % width, i / width);
            if (mask.Labels[i] != 0 && (x == 0 || y == 0 || x == width - 1 || y == height - 1)) count++;
        }
        return count;
    }

    private static LabelMap Join(LabelMap a, LabelMap b) => new(a.Size, [.. a.Labels.Zip(b.Labels, Math.Max)]);
}
