namespace Siamorph.Imaging;

/// <summary>Images side by side on one sheet, and masks drawn over their images.</summary>
internal static class ContactSheet
{
    private const byte Paper = 24;

    /// <summary>
    /// Lays the images out row by row, in cells of the largest one's size, <paramref name="gap"/> pixels apart.
    /// </summary>
    /// <exception cref="ArgumentException">There is no image.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no column, or the gap is negative.</exception>
    public static RgbImage Grid(IReadOnlyList<RgbImage> images, int columns, int gap)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(gap);
        if (images.Count == 0) throw new ArgumentException("A sheet needs an image.", nameof(images));
        columns = Math.Min(columns, images.Count);
        int cellWidth = images.Max(i => i.Size.Width) + gap, cellHeight = images.Max(i => i.Size.Height) + gap;
        var rows = (images.Count + columns - 1) / columns;
        var sheet = new RgbImage(new ImageSize(columns * cellWidth + gap, rows * cellHeight + gap));
        Array.Fill(sheet.Pixels, Paper);
        for (var i = 0; i < images.Count; i++)
            Paste(sheet, images[i], gap + i % columns * cellWidth, gap + i / columns * cellHeight);
        return sheet;
    }

    /// <summary>
    /// The image enlarged <paramref name="scale"/> times, with a line of one pixel along the inner border of the mask.
    /// </summary>
    /// <exception cref="ArgumentException">Image and mask differ in size.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The scale is below 1.</exception>
    public static RgbImage WithOutline(RgbImage image, LabelMap mask, (byte Red, byte Green, byte Blue) colour, int scale)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(mask);
        ArgumentOutOfRangeException.ThrowIfLessThan(scale, 1);
        if (image.Size != mask.Size) throw new ArgumentException($"The mask is {mask.Size}, the image {image.Size}.",
            nameof(mask));
        var size = new ImageSize(image.Size.Width * scale, image.Size.Height * scale);
        var large = new RgbImage(size, [.. Resize.Image(image, size).Pixels]);
        var labels = Resize.Mask(mask, size).Labels;
        for (var y = 0; y < size.Height; y++)
            for (var x = 0; x < size.Width; x++)
                if (IsBorder(labels, size, x, y))
                {
                    var at = 3 * (y * size.Width + x);
                    (large.Pixels[at], large.Pixels[at + 1], large.Pixels[at + 2]) = colour;
                }
        return large;
    }

    /// <summary>The mask as a black and white image.</summary>
    public static RgbImage OfMask(LabelMap mask)
    {
        ArgumentNullException.ThrowIfNull(mask);
        var image = new RgbImage(mask.Size);
        for (var i = 0; i < image.Pixels.Length; i++) image.Pixels[i] = mask.Labels[i / 3] == 0 ? (byte)0 : (byte)255;
        return image;
    }

    private static bool IsBorder(byte[] labels, ImageSize size, int x, int y)
    {
        var at = y * size.Width + x;
        return labels[at] != 0 && (x == 0 || y == 0 || x == size.Width - 1 || y == size.Height - 1
            || labels[at - 1] == 0 || labels[at + 1] == 0 || labels[at - size.Width] == 0 || labels[at + size.Width] == 0);
    }

    private static void Paste(RgbImage sheet, RgbImage image, int left, int top)
    {
        var width = 3 * image.Size.Width;
        for (var y = 0; y < image.Size.Height; y++)
            Array.Copy(image.Pixels, y * width, sheet.Pixels, 3 * ((top + y) * sheet.Size.Width + left), width);
    }
}
