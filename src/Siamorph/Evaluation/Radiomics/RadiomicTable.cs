using Siamorph.Evaluation.ImageSets;
using Siamorph.Imaging;

namespace Siamorph.Evaluation.Radiomics;

// The radiomic row of one image: whole image, lesion, shape; parts without a mask are left out.
internal static class RadiomicTable
{
    public static readonly int Texture = CompactRadiomics.TextureNames.Count, Shape = CompactRadiomics.ShapeNames.Count;

    public static int Width(bool withMasks) => withMasks ? 2 * Texture + Shape + 1 : Texture;

    public static double[] Row(SetImage image, int side, bool withMask)
    {
        var size = new ImageSize(side, side);
        var picture = image.Read();
        var grey = RadiomicRegion.Luma(Resize.Image(picture, size));
        var whole = CompactRadiomics.Texture(RadiomicRegion.Whole(grey));
        if (!withMask) return whole;
        var mask = image.ReadMask();
        if (mask.Size != picture.Size)
            throw new InvalidDatasetException(
                $"{image.MaskPath}: mask is {mask.Size}, its image {picture.Size}. Resize the mask or remove the pair.");
        mask = Resize.Mask(mask, size);
        var undefined = Enumerable.Repeat(double.NaN, Texture + Shape + 1);
        if (CompactRadiomics.Shape(grey, mask) is not { } shape) return [.. whole, .. undefined];
        return [.. whole, .. CompactRadiomics.Texture(RadiomicRegion.Of(grey, mask)), .. shape,
            RegionShape.Of(mask)!.Compactness];
    }

    public static IEnumerable<double[]> WholePicture(IEnumerable<double[]> rows) => rows.Select(r => r[..Texture]);

    public static IEnumerable<double[]> Lesion(IEnumerable<double[]> rows) => rows.Select(r => r[Texture..(2 * Texture)]);

    // Area, compactness, eccentricity, solidity and boundary contrast, by name.
    public static IEnumerable<(string Name, Func<double[], double> Value)> Morphology()
    {
        var start = 2 * Texture;
        Func<double[], double> At(string name) => row => row[start + Array.IndexOf([.. CompactRadiomics.ShapeNames], name)];
        yield return ("area (share of the image)", At("area_fraction"));
        yield return ("compactness (4πA/P²)", row => row[^1]);
        yield return ("eccentricity", At("eccentricity"));
        yield return ("solidity", At("solidity"));
        yield return ("boundary contrast", At("band3_contrast"));
    }
}
