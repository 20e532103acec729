using System.Globalization;
using Siamorph.Imaging.Formats;

namespace Siamorph.Imaging;

/// <summary>
/// Which stored levels of an image with more than 8 bits become black and white; between them the scale is linear. One range
/// serves a whole set of images, so that their brightness stays comparable, and is kept with the model that learned from it.
/// </summary>
/// <param name="Low">Becomes 0; in the units of the file.</param>
/// <param name="High">Becomes 255; larger than <paramref name="Low"/>.</param>
public sealed record IntensityRange(double Low, double High)
{
    private const double LowShare = 0.001, HighShare = 0.999;
    private const int MostPictures = 256, MostSamples = 4096; // of a set, and of one image: enough for a percentile

    /// <summary>A stored level as 0…255, rounded; what lies outside of the range is clamped.</summary>
    public byte Level(double stored) => (byte)Math.Round(255 * Math.Clamp((stored - Low) / (High - Low), 0, 1));

    /// <summary>As in "0:4095".</summary>
    public override string ToString() => FormattableString.Invariant($"{Low:0.######}:{High:0.######}");

    /// <summary>Reads LOW:HIGH, two numbers with a point as the decimal mark.</summary>
    /// <exception cref="FormatException">The text is not that, or HIGH is not above LOW.</exception>
    public static IntensityRange Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parts = text.Split(':');
        return parts.Length == 2 && Number(parts[0]) is { } low && Number(parts[1]) is { } high && high > low
            ? new(low, high)
            : throw new FormatException(
                $"'{text}' is not a range. Write the levels that become black and white, such as 0:4095.");
    }

    /// <summary>
    /// The range of a set: what the files state of their depth where all wide ones agree, otherwise the 0.1 and the 99.9
    /// percentile of their levels, of some 256 images spread over the set.
    /// </summary>
    /// <returns>Null where no file has more than 8 bits a channel.</returns>
    /// <param name="paths">Images; those of 8 bits, and those that can't be read, have no say.</param>
    public static IntensityRange? OfSet(IEnumerable<string> paths)
    {
        ArgumentNullException.ThrowIfNull(paths);
        string[] all = [.. paths];
        var step = Math.Max(1, all.Length / MostPictures); // evenly from all, whatever their number
        var wide = all.Where((_, i) => i % step == 0).AsParallel().AsOrdered().Select(Survey).Where(s => s is not null)
        .Select(s => s!).ToList();
        if (wide.Count == 0) return null;
        var stated = wide.Select(w => w.Stated).Distinct().ToList();
        var largest = wide.Max(w => w.Levels[^1]);
        if (stated is [> 0 and var depth] && largest <= depth) return new(0, depth);
        double[] levels = [.. wide.SelectMany(w => w.Levels).Order()];
        var (low, high) = (At(levels, LowShare), At(levels, HighShare));
        return high > low ? new(low, high) : new(Math.Min(0, low), Math.Max(low + 1, largest));
    }

    // Of one image on its own: the smallest usual depth that holds its levels, so that it is never black.
    internal static IntensityRange OfDepth(StoredImage stored)
    {
        double low = 0, high = 0;
        for (var i = 0; i < stored.Numbers.Length + stored.Reals.Length; i++)
            (low, high) = (Math.Min(low, stored[i]), Math.Max(high, stored[i]));
        if (stored.StatedMaximum > 0 && high <= stored.StatedMaximum) return new(0, stored.StatedMaximum);
        if (low < 0 || high > ushort.MaxValue) return new(low, Math.Max(high, low + 1));
        return new(0, high switch { <= 1
            when stored.Reals.Length > 0 => 1, <= 255 => 255, <= 1023 => 1023, <= 4095 => 4095, <= 16383 => 16383, _ => 65535 });
    }

    private sealed record Sample(double[] Levels, double Stated);

    private static Sample? Survey(string path)
    {
        try
        {
            if (!ImageFile.MayBeWide(path) || HighBitDepth.TryRead(path, File.ReadAllBytes(path)) is not { } stored) return null;
            var count = stored.Size.Width * stored.Size.Height;
            var step = Math.Max(1, count / MostSamples);
            var levels = Enumerable.Range(0, count / step)
                .SelectMany(i => Enumerable.Range(0, stored.Colours).Select(c => stored[i * step * stored.Channels + c]))
                .Where(double.IsFinite).Order().ToArray();
            return levels.Length > 0 ? new(levels, stored.StatedMaximum) : null;
        }
        catch (Exception e) when (e is SiamorphException or IOException or UnauthorizedAccessException)
        {
            return null; // reading the image itself says what is wrong with it
        }
    }

    private static double At(double[] sorted, double share) => sorted[(int)Math.Round(share * (sorted.Length - 1))];

    private static double? Number(string text) =>
        double.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint
        | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value) ? value : null;
}
