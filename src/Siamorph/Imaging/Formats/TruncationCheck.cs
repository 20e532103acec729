namespace Siamorph.Imaging.Formats;

// Decoders are content once they have all rows, even where the file ends early. A PNG must end with an intact IEND
// chunk and a JPEG have an end-of-image marker: what lacks it was cut off on its way.
internal static class TruncationCheck
{
    private static readonly byte[] PngSignature = [0x89, (byte)'P', (byte)'N', (byte)'G'];

    internal static bool IsMissing(ReadOnlySpan<byte> file)
    {
        if (file.StartsWith(PngSignature)) return file.IndexOf("IEND"u8) < 0;
        var isJpeg = file.Length > 2 && file[0] == 0xFF && file[1] == 0xD8;
        return isJpeg && file.LastIndexOf([(byte)0xFF, (byte)0xD9]) < 0;
    }
}
