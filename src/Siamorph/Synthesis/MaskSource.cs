using Siamorph.Data;
using Siamorph.Imaging;

namespace Siamorph.Synthesis;

/// <summary>
/// The masks to draw from, at the model's size, deformed where that is wanted: a function of mask and seed. Of a model with
/// soft labels they are levels of 255 · probability in place of class numbers.
/// </summary>
internal sealed class MaskSource(
    IReadOnlyList<ImageMaskPair> masks, ImageSize size, MaskDeformationOptions options, LabelReading labels)
{
    /// <summary>Whether masks hold probabilities.</summary>
    public bool IsSoft => labels.IsSoft;

    /// <summary>Whether masks are varied at all.</summary>
    public bool Deforms => !options.IsOff;

    /// <summary>The mask for one synthetic image, and what was done to it.</summary>
    public (LabelMap Mask, string Description) Of(int index, Seed seed)
    {
        var mask = Read(index);
        if (!Deforms) return (mask, "none");
        var partner = options.Recombination > 0 ? Read(seed.Derive("partner").Random().Next(masks.Count)) : mask;
        return MaskDeformation.Apply(mask, partner, options, seed);
    }

    /// <summary>Masks that have no file, in the order of the pairs; null reads files.</summary>
    public IReadOnlyList<LabelMap>? Drawn { get; init; }

    /// <summary>A mask as it is, at the model's size.</summary>
    public LabelMap Read(int index)
    {
        if (Drawn is not null) return Drawn[index];
        if (!IsSoft) return Resize.Mask(PairFiles.ReadMask(masks[index]), size);
        return Soft(SoftMask.Read(masks[index], labels.BoundaryWidth), size);
    }

    /// <summary>Probabilities at the model's size.</summary>
    public static LabelMap Soft(GreyImage soft, ImageSize size)
    {
        ArgumentNullException.ThrowIfNull(soft);
        var levels = soft.Size == size ? soft.Levels : Resize.Levels(soft.Levels, soft.Size, size, 1);
        // A file whose brightest level is that low would be taken for class numbers when it is read again.
        return new(size, levels.Max() <= MaskLevels.LargestClassNumber ? new byte[levels.Length] : levels);
    }
}
