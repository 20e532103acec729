namespace Siamorph.Imaging.Formats;

// Images of more than 8 bits a channel: their levels become 0…255 by a range, never by dropping the lower bits.
internal static class HighBitDepth
{
    // Null where the file has 8 bits or fewer.
    internal static StoredImage? TryRead(string path, byte[] bytes) =>
        PngReader.IsWide(bytes) ? PngReader.Read(path, bytes)
        : TiffCodec.IsTiff(bytes) && TiffCodec.IsWide(path, bytes) ? TiffCodec.ReadStored(path, bytes)
        : null;

    internal static RgbImage ToRgb(StoredImage stored, IntensityRange range)
    {
        var image = new RgbImage(stored.Size);
        var (count, colours) = (stored.Size.Width * stored.Size.Height, stored.Colours);
        for (var i = 0; i < count; i++)
            for (var c = 0; c < 3; c++)
                image.Pixels[3 * i + c] = range.Level(stored[i * stored.Channels + (colours >= 3 ? c : 0)]);
        return image;
    }
}
