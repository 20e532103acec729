namespace Siamorph.Imaging;

/// <summary>Width and height in pixels.</summary>
/// <param name="Width">Pixels in a row.</param>
/// <param name="Height">Rows.</param>
public readonly record struct ImageSize(int Width, int Height)
{
    /// <summary>As in "384×288".</summary>
    public override string ToString() => $"{Width}×{Height}";

    // The largest size of the same shape in a square of so many pixels; the size itself where it fits already.
    internal ImageSize FittedInto(int side)
    {
        var scale = Math.Min(1.0, (double)side / Math.Max(Width, Height));
        return new(Math.Max(1, (int)Math.Round(Width * scale)), Math.Max(1, (int)Math.Round(Height * scale)));
    }
}

/// <summary>A colour image: 8-bit red, green, blue interleaved, row by row from the top left.</summary>
public sealed class RgbImage
{
    /// <summary>Wraps <paramref name="pixels"/>, which has 3 · width · height bytes.</summary>
    /// <exception cref="ArgumentException">The length does not fit the size.</exception>
    public RgbImage(ImageSize size, byte[] pixels)
    {
        ArgumentNullException.ThrowIfNull(pixels);
        if (pixels.Length != 3 * size.Width * size.Height)
            throw new ArgumentException($"{pixels.Length} bytes do not make an RGB image of {size}.", nameof(pixels));
        (Size, Pixels) = (size, pixels);
    }

    /// <summary>An all-black image.</summary>
    public RgbImage(ImageSize size) : this(size, new byte[3 * size.Width * size.Height]) { }

    /// <summary>Width and height.</summary>
    public ImageSize Size { get; }

    /// <summary>The bytes themselves: (y · width + x) · 3 + channel.</summary>
    public byte[] Pixels { get; }
}

/// <summary>A mask: one class number a pixel, row by row from the top left; 0 is background, 1 the lesion.</summary>
public sealed class LabelMap
{
    /// <summary>Wraps <paramref name="labels"/>, which has width · height bytes.</summary>
    /// <exception cref="ArgumentException">The length does not fit the size.</exception>
    public LabelMap(ImageSize size, byte[] labels)
    {
        ArgumentNullException.ThrowIfNull(labels);
        if (labels.Length != size.Width * size.Height)
            throw new ArgumentException($"{labels.Length} bytes do not make a mask of {size}.", nameof(labels));
        (Size, Labels) = (size, labels);
    }

    /// <summary>An empty mask.</summary>
    public LabelMap(ImageSize size) : this(size, new byte[size.Width * size.Height]) { }

    /// <summary>Width and height.</summary>
    public ImageSize Size { get; }

    /// <summary>The class numbers themselves: y · width + x.</summary>
    public byte[] Labels { get; }

    /// <summary>One class against all others: 1 where it is.</summary>
    public LabelMap Only(int number) => new(Size, Array.ConvertAll(Labels, l => l == number ? (byte)1 : (byte)0));
}
