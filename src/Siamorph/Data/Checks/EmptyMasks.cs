using System.Globalization;
using Siamorph.Imaging;

namespace Siamorph.Data.Checks;

/// <summary>
/// Refuses a set whose masks all mark nothing although a file holds something: read that way, a network would learn to find
/// nothing, and be right every time.
/// </summary>
internal static class EmptyMasks
{
    /// <summary>Opens masks until one marks something; normally that is the first.</summary>
    /// <param name="pairs">Those with a mask of lesion against background are looked at.</param>
    /// <exception cref="InvalidDatasetException">All masks come out empty, and the files of some hold other numbers than 0; or a
    /// mask can't be read.</exception>
    public static void Refuse(IEnumerable<ImageMaskPair> pairs)
    {
        ArgumentNullException.ThrowIfNull(pairs);
        (string Path, double Largest)? suspect = null;
        foreach (var pair in pairs.Where(p => p.MaskPath.Length > 0 && p.Classes is null))
        {
            var levels = PairFiles.ReadMaskLevels(pair);
            if (MaskLevels.Binarise(levels).Labels.AsSpan().ContainsAnyExcept((byte)0)) return;
            if (MaskLevels.HoldsSomething(levels)) suspect ??= (pair.MaskPath, Math.Max(levels.Largest, levels.Levels.Max()));
        }
        if (suspect is { } found) throw new InvalidDatasetException(Message(found.Path, found.Largest));
    }

    internal static string Message(string path, double largest) => string.Create(CultureInfo.InvariantCulture,
        $"{path}: every mask of this set comes out empty, though this file holds levels up to {largest:0.###}. A lesion is a "
            + $"class number, or brighter than {MaskLevels.Threshold} of 255: save the masks with 0 and 255.");
}
