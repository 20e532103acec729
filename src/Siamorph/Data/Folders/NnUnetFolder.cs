using System.Text.RegularExpressions;
using Siamorph.Data.Checks;

namespace Siamorph.Data.Folders;

// imagesTr/NAME_0000.png (red, or the whole image), NAME_0001 and _0002 (green, blue), labelsTr/NAME.png; the same
// with Ts for the test split.
internal static partial class NnUnetFolder
{
    internal static Dataset? TryRead(string folder)
    {
        if (!Directory.Exists(Path.Combine(folder, "imagesTr"))) return null;
        var collector = new PairCollector(folder);
        var hasTest = Directory.Exists(Path.Combine(folder, "labelsTs"));
        AddPart(collector, "imagesTr", "labelsTr", hasTest ? "train" : null);
        if (hasTest) AddPart(collector, "imagesTs", "labelsTs", "test");
        return collector.ToDataset("nnU-Net");
    }

    [GeneratedRegex(@"^(?<name>.+)_(?<channel>\d{4})$")]
    private static partial Regex ChannelName();

    private static void AddPart(PairCollector collector, string images, string labels, string? split)
    {
        var cases = PlainFolders.Pictures(Path.Combine(collector.Folder, images))
            .Select(path => (Path: path, Match: ChannelName().Match(Path.GetFileNameWithoutExtension(path))))
            .GroupBy(f => f.Match.Success ? f.Match.Groups["name"].Value : Path.GetFileNameWithoutExtension(f.Path))
            .ToDictionary(g => g.Key, g => g.OrderBy(f => f.Path, StringComparer.Ordinal).Select(f => f.Path).ToList());
        var masks = PlainFolders.Pictures(Path.Combine(collector.Folder, labels))
            .GroupBy(p => Path.GetFileNameWithoutExtension(p)).ToDictionary(g => g.Key, g => g.First());
        foreach (var (name, files) in cases.OrderBy(c => c.Key, StringComparer.Ordinal))
            if (masks.TryGetValue(name, out var mask)) AddCase(collector, name, files, mask, split);
            else collector.Report(Finding.Error(FindingCodes.MissingMask, collector.Name(files[0]),
                $"has no {labels}/{name}. Add the label or remove the image."));
        foreach (var (name, mask) in masks.OrderBy(m => m.Key, StringComparer.Ordinal).Where(m => !cases.ContainsKey(m.Key)))
            collector.Report(Finding.Error(FindingCodes.MissingImage, collector.Name(mask),
                $"has no {images}/{name}_0000. Add the image or remove the label."));
    }

    private static void AddCase(PairCollector collector, string name, List<string> files, string mask, string? split)
    {
        if (files.Count is 2 or > 3)
            collector.Report(Finding.Warning(
                FindingCodes.AmbiguousStem, collector.Name(files[0]),
                $"{files.Count} channel files; one (grey or RGB) or three (red, green, blue) are understood. Only the "
                    + $"first is used."));
        collector.Add(new ImageMaskPair
        {
            Id = name,
            ImagePath = files[0],
            MaskPath = mask,
            Split = split,
            Channels = files.Count == 3 ? new ChannelFiles(files[1], files[2]) : null,
        });
    }
}
