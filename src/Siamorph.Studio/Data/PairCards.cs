using System.Collections.Concurrent;
using Siamorph.Data;
using Siamorph.Imaging;
using Siamorph.Reports;

namespace Siamorph.Studio.Data;

/// <summary>What a card of the grid shows of a pair.</summary>
internal sealed record PairCard(string Key, string Id, string? Split, string? Group, string Source, string Image);

/// <summary>A mask's outline in its own small image, and the lesion's share of it.</summary>
/// <param name="Key">The pair.</param>
/// <param name="Path">An SVG path; empty for an empty mask.</param>
/// <param name="Width">Units across.</param>
/// <param name="Height">Units down.</param>
/// <param name="Area">0…1.</param>
internal sealed record PairOutline(string Key, string Path, int Width, int Height, double Area);

/// <summary>Cards and outlines of a dataset's pairs.</summary>
internal sealed class PairCards(DatasetIndex shelf, StudioServices desk)
{
    private const int Side = 160; // of an outline: as fine as the small images

    private readonly ConcurrentDictionary<string, (
        DateTime Written, PairOutline Outline)> _outlines = new(StringComparer.Ordinal);

    public IReadOnlyList<PairCard> All(string at)
    {
        var dataset = shelf.Read(at);
        return [.. dataset.Pairs.Select(p =>
            new PairCard(shelf.KeyOf(dataset, p), p.Id, p.Split, p.Group, SourceOf(p),
            desk.Pictures.Address(p.ImagePath, p.Range)))];
    }

    /// <summary>
    /// The outlines of a part of the pairs; those whose mask can't be read are left out, as the check names them. One core alone
    /// draws them: the other one is for the images.
    /// </summary>
    public IReadOnlyList<PairOutline> Outlines(string at, int from, int count)
    {
        var dataset = shelf.Read(at);
        return [.. dataset.Pairs.Skip(from).Take(count).Select(p => Outline(dataset, p)).OfType<PairOutline>()];
    }

    private PairOutline? Outline(Dataset dataset, ImageMaskPair pair)
    {
        var key = shelf.KeyOf(dataset, pair);
        if (pair.IsUnlabelled || !pair.MoreMaskPaths.Prepend(pair.MaskPath).All(desk.Root.Inside)) return null;
        var written = File.GetLastWriteTimeUtc(pair.MaskPath);
        if (_outlines.TryGetValue(key, out var known) && known.Written == written) return known.Outline;
        try
        {
            var mask = MaskOf(pair);
            var size = mask.Size.FittedInto(Side);
            var outline = new PairOutline(key, MaskOutline.Path(size == mask.Size ? mask : Resize.Mask(mask, size)), size.Width,
                size.Height,
                mask.Labels.Count(l => l != 0) / (double)mask.Labels.Length);
            _outlines[key] = (written, outline);
            return outline;
        }
        catch (SiamorphException)
        {
            return null;
        }
    }

    /// <summary>The lesion of a pair, whatever files its mask has.</summary>
    public static LabelMap MaskOf(ImageMaskPair pair)
    {
        var levels = ImageFile.ReadMaskLevels(pair.MaskPath);
        var mask = pair.Classes is { } classes ? classes.Labels(levels, pair.Id) : MaskLevels.Binarise(levels);
        foreach (var more in pair.MoreMaskPaths)
        {
            var other = ImageFile.ReadMask(more);
            if (other.Size == mask.Size) for (var i = 0; i < mask.Labels.Length; i++) mask.Labels[i] |= other.Labels[i];
        }
        return mask;
    }

    private static string SourceOf(ImageMaskPair pair) =>
        pair.Source == PairSource.Real ? "real" : pair.Origin?.IsEditedReal == true ? "edited real" : "synthetic";
}
