namespace Siamorph.Imaging;

/// <summary>An image at 32 × 32 pixels: enough to see whether two images are nearly the same.</summary>
internal sealed class Thumbnail
{
    private const int Side = 32;
    private readonly byte[] _levels;

    /// <summary>Reduces an image.</summary>
    public Thumbnail(RgbImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        _levels = Resize.Image(image, new ImageSize(Side, Side)).Pixels;
    }

    /// <summary>Mean absolute difference of two images, in 8-bit levels: 0 for equal ones.</summary>
    public double Distance(Thumbnail other) => Sum(other, mirrored: false);

    /// <summary>The same, the smaller of the two where one image is also mirrored left to right.</summary>
    public double DistanceUpToMirroring(Thumbnail other) => Math.Min(Sum(other, mirrored: false), Sum(other, mirrored: true));

    private double Sum(Thumbnail other, bool mirrored)
    {
        ArgumentNullException.ThrowIfNull(other);
        long sum = 0;
        for (var y = 0; y < Side; y++)
            for (var x = 0; x < Side; x++)
            {
                var (a, b) = (3 * (y * Side + x), 3 * (y * Side + (mirrored ? Side - 1 - x : x)));
                for (var c = 0; c < 3; c++) sum += Math.Abs(_levels[a + c] - other._levels[b + c]);
            }
        return (double)sum / _levels.Length;
    }
}
