namespace Siamorph.Imaging.Formats;

/// <summary>The samples of a file as it stores them, before anything is scaled, coloured or cut.</summary>
/// <param name="Size">Width and height in pixels.</param>
/// <param name="Channels">Samples a pixel, alpha included.</param>
/// <param name="Bits">Bits a sample in the file.</param>
internal sealed record StoredImage(ImageSize Size, int Channels, int Bits)
{
    /// <summary>Whole numbers, pixel by pixel, channels interleaved; empty where the file holds real numbers.</summary>
    public uint[] Numbers { get; init; } = [];

    /// <summary>Real (or negative) numbers in the same order; empty where the file holds whole numbers from 0.</summary>
    public float[] Reals { get; init; } = [];

    /// <summary>The last channel is transparency.</summary>
    public bool HasAlpha { get; init; }

    /// <summary>The numbers are places in a table of colours, red, green, blue each; null where they are levels.</summary>
    public byte[]? Palette { get; init; }

    /// <summary>The format keeps every number exactly, so small numbers mean what they say.</summary>
    public bool Lossless { get; init; } = true;

    /// <summary>
    /// The largest level that the file says it can hold, where that is less than its bits allow; 0 where it says nothing.
    /// </summary>
    public double StatedMaximum { get; init; }

    /// <summary>More than 8 bits a sample: levels need a range before they are images.</summary>
    public bool IsWide => Bits > 8;

    /// <summary>Number of colour channels.</summary>
    public int Colours => Channels - (HasAlpha ? 1 : 0);

    /// <summary>A sample as a number, whichever kind the file holds.</summary>
    public double this[int index] => Reals.Length > 0 ? Reals[index] : Numbers[index];

    internal static InvalidDatasetException Damaged(string path, Exception? cause = null)
    {
        var message = $"{path}: the image is truncated or damaged. Replace the file or remove the pair.";
        return cause is null ? new InvalidDatasetException(message) : new InvalidDatasetException(message, cause);
    }

    /// <summary>Most bytes that deflate, LZW with codes of 12 bits, and run lengths make of one.</summary>
    internal const int Deflated = 1040, Lzw = 2800, RunLengths = 128;

    // What a damaged header claims must take neither memory nor time.
    internal static void RefuseHollow(string path, ImageSize size, double bytesAPixel, (long Bytes, int MostOfOne) packed)
    {
        if (size.Width * (double)size.Height * bytesAPixel > packed.Bytes * (double)packed.MostOfOne + 256) throw Damaged(path);
    }

    internal static void RefuseSeveral(string path, int pages, string what)
    {
        if (pages > 1)
            throw new InvalidDatasetException(
                $"{path}: contains {pages} {what}; only files with a single image are supported. Save each as a separate file.");
    }
}
