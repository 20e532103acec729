namespace Siamorph.Imaging;

/// <summary>How grey levels become a mask.</summary>
internal static class MaskLevels
{
    /// <summary>Levels above this are the lesion.</summary>
    public const byte Threshold = 127;

    /// <summary>A lossless file whose brightest level is at most this holds class numbers, not brightness.</summary>
    public const byte LargestClassNumber = 15;

    /// <summary>
    /// Whether the levels are class numbers (0, 1, …), as nnU-Net and many labelling tools write them: then every
    /// class but 0 is the lesion.
    /// </summary>
    public static bool AreClassNumbers(GreyImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        return image.Numbers ?? (image.Lossless && image.Levels.Max() is > 0 and <= LargestClassNumber);
    }

    /// <summary>What a mask that marks nothing might still hold: its brightest level, where that is not 0.</summary>
    internal static bool HoldsSomething(GreyImage image) => image.Levels.AsSpan().ContainsAnyExcept((byte)0) || image.Largest > 0;

    /// <summary>The mask: 1 above <see cref="Threshold"/>, or where a class number is not 0.</summary>
    public static LabelMap Binarise(GreyImage image)
    {
        var threshold = AreClassNumbers(image) ? 0 : Threshold;
        return new LabelMap(image.Size, Array.ConvertAll(image.Levels, l => l > threshold ? (byte)1 : (byte)0));
    }
}
