using Siamorph.Experiment.Results;
using Siamorph.Imaging;

namespace Siamorph.Reports.Sections;

/// <summary>The example images.</summary>
internal static class ImageSection
{
    public static Section Pictures(ExperimentResult result, string folder)
    {
        var blocks = new List<Block> { new Paragraph(
            "The line on each image is the outline of its mask. Synthetic images were generated from that mask: the lesion "
                + "should fill it."
            + (result.Controls.Count > 0 ? " With wrong masks it is the mask of another image." : "")) };
        foreach (var count in result.Sheets.Select(s => s.RealCount).Distinct())
        {
            blocks.AddRange(Sheets(result, folder, SheetKind.Real, count));
            var synthetic = Sheets(result, folder, SheetKind.Synthetic, count).ToList();
            blocks.AddRange(synthetic.Take(1));
            if (synthetic.Count > 1) blocks.Add(
                new CollapsedSection($"Synthetic pairs of the other arms, {count} real pairs", [.. synthetic.Skip(1)]));
        }
        return new Section("Real and synthetic pairs", blocks);
    }

    public static IEnumerable<Block> Sheets(ExperimentResult result, string folder, SheetKind kind, int? realCount = null)
        => Sheets(result, folder, s => s.Kind == kind && (realCount is null || s.RealCount == realCount));

    public static IEnumerable<Block> Sheets(ExperimentResult result, string folder, Func<Sheet, bool> wanted)
        => result.Sheets.Where(s => wanted(s) && s.Pictures.Count > 0).Select(s => Sheet(result, s, folder));

    private static Block Sheet(ExperimentResult result, Sheet sheet, string folder)
    {
        var caption = sheet.Kind switch
        {
            SheetKind.Real => "Some of the pairs that both generator and segmentation network were trained on.",
            SheetKind.Refused => "An even selection of all rejected pairs, each with the reason.",
            SheetKind.Corrupted =>
                "A column for each corruption: the clean image at the top, below it strengths 1, 2 and 3, as the networks "
                + "see them.",
            SheetKind.Synthetic => "An even selection of the whole set, not picked by hand.",
            _ =>
                $"Green: the true mask. Yellow: prediction of {result.Arms[0].Title}. Pink: prediction of "
                + $"{(result.Arms.Count == 2 ? result.Arms[1].Title : "the arm named above")}.",
        };
        var title = char.ToUpperInvariant(sheet.Title[0]) + sheet.Title[1..];
        try
        {
            var corrupted = sheet.Kind == SheetKind.Corrupted;
            return new ImageSheet(title, caption, [.. sheet.Pictures.Select(p => Tile(corrupted ? p with
            {
                Name = Corrupted(p.Name),
            } : p, folder))])
            {
                Columns = corrupted ? result.Options.Corruptions.Count : 0,
            };
        }
        catch (SiamorphException)
        {
            return new Paragraph($"{title}: the images are no longer in the experiment's folder.", Tone.Bad);
        }
        catch (IOException)
        {
            return new Paragraph($"{title}: the images are no longer in the experiment's folder.", Tone.Bad);
        }
    }

    // "Blur 2" as a reader wants it.
    private static string Corrupted(string name) => name.Split(' ') is [var kind, var strength]
        && Enum.TryParse<CorruptionKind>(kind, out var known)
        ? strength == "0" ? RobustnessSection.Name(known) : $"strength {strength}"
        : name;

    private static ImageTile Tile(SheetImage picture, string folder)
    {
        var png = File.ReadAllBytes(Path.Combine(folder, picture.Image));
        var masks = picture.Masks.Select((m, i) => (ImageFile.ReadMask(Path.Combine(folder, m)), i)).ToList();
        return new ImageTile(picture.Name, png, masks[0].Item1.Size, masks);
    }
}
