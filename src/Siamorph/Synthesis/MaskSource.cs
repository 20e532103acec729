using Siamorph.Data;
using Siamorph.Imaging;

namespace Siamorph.Synthesis;

/// <summary>The masks to draw from, at the model's size, deformed where that is wanted: a function of mask and seed.</summary>
internal sealed class MaskSource(IReadOnlyList<ImageMaskPair> masks, ImageSize size, MaskDeformationOptions options)
{
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

    private LabelMap Read(int index) => Resize.Mask(PairFiles.ReadMask(masks[index]), size);
}
