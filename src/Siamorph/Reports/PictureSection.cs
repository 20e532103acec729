using Siamorph.Experiment;
using Siamorph.Imaging;

namespace Siamorph.Reports;

/// <summary>The example pictures.</summary>
internal static class PictureSection
{
    public static Section Pictures(ExperimentResult result, string folder)
    {
        var blocks = new List<Block> { new Paragraph(
            "The line on each picture is the border of its mask. For synthetic pictures it is the mask they were made from: the lesion should fill it.") };
        foreach (var count in result.Sheets.Select(s => s.RealCount).Distinct())
        {
            blocks.AddRange(Sheets(result, folder, SheetKind.Real, count));
            blocks.AddRange(Sheets(result, folder, SheetKind.Synthetic, count));
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
            SheetKind.Real => "Some of the pairs that both generator and segmentation network learnt from.",
            SheetKind.Refused => "Taken evenly from all that were refused, each with the reason.",
            SheetKind.Synthetic => "Taken evenly from the whole set, none picked by hand.",
            _ => $"Green: the truth. Yellow: found with {result.Arms[0].Title}. Pink: found with {(result.Arms.Count == 2 ? result.Arms[1].Title : "the arm named above")}.",
        };
        var title = char.ToUpperInvariant(sheet.Title[0]) + sheet.Title[1..];
        try
        {
            return new PictureSheet(title, caption, [.. sheet.Pictures.Select(p => Tile(p, folder))]);
        }
        catch (SiamorphException)
        {
            return new Paragraph($"{title}: the pictures are no longer in the experiment's folder.", Tone.Bad);
        }
        catch (IOException)
        {
            return new Paragraph($"{title}: the pictures are no longer in the experiment's folder.", Tone.Bad);
        }
    }

    private static PictureTile Tile(SheetPicture picture, string folder)
    {
        var png = File.ReadAllBytes(Path.Combine(folder, picture.Image));
        var masks = picture.Masks.Select((m, i) => (ImageFile.ReadMask(Path.Combine(folder, m)), i)).ToList();
        return new PictureTile(picture.Name, png, masks[0].Item1.Size, masks);
    }
}
