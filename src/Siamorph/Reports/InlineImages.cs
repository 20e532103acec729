using Siamorph.Imaging;

namespace Siamorph.Reports;

/// <summary>Small images for a page.</summary>
internal static class InlineImages
{
    private const int Side = 200;

    /// <summary>An image file made small, with masks of its size outlined.</summary>
    public static ImageTile Of(string name, RgbImage image, IReadOnlyList<(LabelMap Mask, int Colour)> masks)
    {
        var scale = Math.Min(1.0, (double)Side / Math.Max(image.Size.Width, image.Size.Height));
        var size = new ImageSize(Math.Max(1, (int)(image.Size.Width * scale)), Math.Max(1, (int)(image.Size.Height * scale)));
        return new(name, ImageFile.EncodePng(Resize.Image(image, size)), size,
            [.. masks.Select(m => (Resize.Mask(m.Mask, size), m.Colour))]);
    }
}
