using System.Numerics;
using System.Security.Cryptography;
using Siamorph.Imaging;

namespace Siamorph.Data.Checks;

// What is kept of an image to find others like it: a hash of its pixels, a difference hash of 256 bits, a 32×32 miniature.
internal sealed class Fingerprint
{
    private const int Cells = 16, MiniatureSide = 32;
    private readonly ulong[] _bits = new ulong[4];
    private readonly byte[] _miniature;

    internal Fingerprint(RgbImage image)
    {
        Pixels = $"{image.Size} {Convert.ToHexString(SHA256.HashData(image.Pixels))}";
        _miniature = Resize.Levels(image.Pixels, image.Size, new ImageSize(MiniatureSide, MiniatureSide), 3);
        var cells = Resize.Levels(Grey(image), image.Size, new ImageSize(Cells + 1, Cells), 1);
        for (var y = 0; y < Cells; y++)
            for (var x = 0; x < Cells; x++)
                if (cells[y * (Cells + 1) + x + 1] > cells[y * (Cells + 1) + x]) _bits[y / 4] |= 1UL << (y % 4 * Cells + x);
    }

    // Equal for equal pixels only.
    internal string Pixels { get; }

    // In how many of 256 places brightness rises in one image and not in the other.
    internal int Distance(Fingerprint other) =>
        BitOperations.PopCount(_bits[0] ^ other._bits[0]) + BitOperations.PopCount(_bits[1] ^ other._bits[1])
        + BitOperations.PopCount(_bits[2] ^ other._bits[2]) + BitOperations.PopCount(_bits[3] ^ other._bits[3]);

    // Mean absolute difference of the miniatures, in 8-bit levels.
    internal double Difference(Fingerprint other)
    {
        var sum = 0L;
        for (var i = 0; i < _miniature.Length; i++) sum += Math.Abs(_miniature[i] - other._miniature[i]);
        return (double)sum / _miniature.Length;
    }

    private static byte[] Grey(RgbImage image)
    {
        var grey = new byte[image.Pixels.Length / 3];
        for (var i = 0; i < grey.Length; i++)
            grey[i] = (byte)((19595 * image.Pixels[3 * i] + 38470 * image.Pixels[3 * i + 1] + 7471 * image.Pixels[3 * i + 2]
                + 0x8000) >> 16);
        return grey;
    }
}
