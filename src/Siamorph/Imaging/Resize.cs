namespace Siamorph.Imaging;

/// <summary>Changes the number of pixels; the aspect ratio is not kept.</summary>
internal static class Resize
{
    /// <summary>
    /// Bilinear with a filter as wide as the reduction (antialiased), first along rows, then along columns, with 8-bit
    /// levels between: the same levels as Pillow's <c>BILINEAR</c>.
    /// </summary>
    public static RgbImage Image(RgbImage image, ImageSize size)
    {
        ArgumentNullException.ThrowIfNull(image);
        return size == image.Size ? image : new RgbImage(size, Levels(image.Pixels, image.Size, size, 3));
    }

    /// <summary>The pixel whose centre is nearest, as Pillow's <c>NEAREST</c>: classes are never mixed.</summary>
    public static LabelMap Mask(LabelMap mask, ImageSize size)
    {
        ArgumentNullException.ThrowIfNull(mask);
        if (size == mask.Size) return mask;
        var labels = new byte[size.Width * size.Height];
        var columns = Nearest(mask.Size.Width, size.Width);
        var rows = Nearest(mask.Size.Height, size.Height);
        for (var y = 0; y < size.Height; y++)
            for (var x = 0; x < size.Width; x++)
                labels[y * size.Width + x] = mask.Labels[rows[y] * mask.Size.Width + columns[x]];
        return new LabelMap(size, labels);
    }

    /// <summary>The antialiased resize of interleaved levels with any number of <paramref name="channels"/>.</summary>
    internal static byte[] Levels(byte[] levels, ImageSize from, ImageSize to, int channels) =>
        PillowResize.Levels(levels, from, to, channels, PillowFilter.Bilinear);

    private static int[] Nearest(int from, int to)
    {
        var index = new int[to];
        for (var i = 0; i < to; i++) index[i] = Math.Min(from - 1, (int)((i + 0.5) * from / to));
        return index;
    }
}
