using Siamorph.Imaging;

namespace Siamorph.Data.Phantom;

// Renders a scene: on a grid twice as fine as the image, wall and lesion are lit by a lamp beside the lens; then the
// endoscope's optics take the image. The mask is what the lesion covers by at least half.
internal static class PhantomPainter
{
    private const int Oversampling = 2;

    internal static (RgbImage Image, LabelMap Mask) Paint(PhantomScene scene, ImageSize size)
    {
        var grid = new Field(size.Width * Oversampling, size.Height * Oversampling);
        var shape = PhantomShape.Of(scene, grid);
        var light = PhantomLight.Of(scene, PhantomMucosa.Of(scene, grid), shape);
        return (PhantomCamera.Take(scene, light, size), MaskOf(shape.Mask, size));
    }

    private static LabelMap MaskOf(Field covered, ImageSize size)
    {
        var mask = new LabelMap(size);
        for (var y = 0; y < covered.Height; y++)
            for (var x = 0; x < covered.Width; x++)
                if (covered.Values[y * covered.Width + x] > 0) mask.Labels[y / Oversampling * size.Width + x / Oversampling]++;
        for (var i = 0; i < mask.Labels.Length; i++)
            mask.Labels[i] = 2 * mask.Labels[i] >= Oversampling * Oversampling ? (byte)1 : (byte)0;
        return mask;
    }
}
