namespace Siamorph.Segmentation.Batches;

/// <summary>One way to vary an image: a symmetry of the pixel grid, and a change of brightness and contrast.</summary>
/// <param name="MirrorX">Mirror left and right, before the turn.</param>
/// <param name="MirrorY">Mirror top and bottom, before the turn.</param>
/// <param name="Turns">Quarter turns, 0 to 3.</param>
/// <param name="Brightness">Factor on all values.</param>
/// <param name="Contrast">Factor on the distance from the image's mean.</param>
internal readonly record struct Augmentation(bool MirrorX, bool MirrorY, int Turns, double Brightness, double Contrast)
{
    /// <summary>
    /// Draws one; always the same number of draws, so that switching one kind off leaves the others as they are.
    /// </summary>
    public static Augmentation Draw(AugmentationOptions options, SeededRandom random, bool square)
    {
        bool mirrorX = random.Chance(0.5), mirrorY = random.Chance(0.5);
        var turns = random.Next(4);
        double brightness = random.Uniform(-1, 1), contrast = random.Uniform(-1, 1);
        return new(
            mirrorX && options.HorizontalFlip,
            mirrorY && options.VerticalFlip,
            !options.QuarterTurns ? 0 : square ? turns : turns & 2,
            1 + options.Brightness * brightness,
            1 + options.Contrast * contrast);
    }

    /// <summary>
    /// Where pixel (0, 0) of the result comes from in a plane, and how far its right and lower neighbours are from there.
    /// </summary>
    public (int Start, int Right, int Down) Walk(int width, int height)
    {
        var from = Source(width, height, 0, 0);
        return (from, Source(width, height, 1, 0) - from, Source(width, height, 0, 1) - from);
    }

    /// <summary>What becomes of each 8-bit value, in [-1, 1].</summary>
    /// <param name="mean">Mean value of the image, 0 to 255.</param>
    /// <param name="table">Receives 256 values.</param>
    /// <param name="channelGain">Further factor, that of a colour channel.</param>
    public void FillTable(double mean, Span<float> table, double channelGain = 1)
    {
        var (gain, lift) = (channelGain * Brightness * Contrast, channelGain * mean * Brightness * (1 - Contrast));
        for (var v = 0; v < table.Length; v++) table[v] = (float)(Math.Clamp(gain * v + lift, 0, 255) / 127.5 - 1);
    }

    private int Source(int width, int height, int x, int y)
    {
        (x, y) = Turns switch
        {
            1 => (width - 1 - y, x),
            2 => (width - 1 - x, height - 1 - y),
            3 => (y, height - 1 - x),
            _ => (x, y),
        };
        if (MirrorX) x = width - 1 - x;
        if (MirrorY) y = height - 1 - y;
        return y * width + x;
    }
}
