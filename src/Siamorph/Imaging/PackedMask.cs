namespace Siamorph.Imaging;

/// <summary>
/// A binary mask as one bit a pixel: pixel i is bit i mod 8, counted from the lowest, of byte i / 8, and rows follow each other
/// without padding. That is how the mask editor sends it.
/// </summary>
internal static class PackedMask
{
    /// <summary>Bytes of a mask.</summary>
    public static int Length(ImageSize size) => (int)(((long)size.Width * size.Height + 7) / 8);

    /// <summary>Every class but 0 is a set bit.</summary>
    public static byte[] Pack(LabelMap mask)
    {
        ArgumentNullException.ThrowIfNull(mask);
        var bits = new byte[Length(mask.Size)];
        for (var i = 0; i < mask.Labels.Length; i++)
            if (mask.Labels[i] != 0) bits[i >> 3] |= (byte)(1 << (i & 7));
        return bits;
    }

    /// <summary>0 and 1.</summary>
    /// <exception cref="InvalidDatasetException">The size is none, too large, or not that of the bits.</exception>
    public static LabelMap Unpack(ReadOnlySpan<byte> bits, ImageSize size)
    {
        ImageFile.RefuseHuge("mask", size);
        if (bits.Length != Length(size))
            throw new InvalidDatasetException(
                $"mask: {bits.Length} bytes are no mask of {size}, which has {Length(size)}. Send one bit a pixel.");
        var labels = new byte[size.Width * size.Height];
        for (var i = 0; i < labels.Length; i++) labels[i] = (byte)(bits[i >> 3] >> (i & 7) & 1);
        return new(size, labels);
    }
}
