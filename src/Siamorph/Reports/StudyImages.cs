using Siamorph.Imaging;
using Siamorph.Study;

namespace Siamorph.Reports;

/// <summary>The images of a reader study: those that fooled and those that betrayed themselves, and readers' outlines.</summary>
internal static class StudyImages
{
    private const int Shown = 16, Outlined = 8, MostLines = 3;

    public static Section Images(StudyResult result, StudyEvidence evidence)
    {
        var synthetic = result.Images.Where(i => i.Synthetic).ToList();
        var real = result.Images.Where(i => !i.Synthetic).ToList();
        var readers = result.Realism.Primary.Readers;
        return new("Images",
        [
            Sheet(evidence, "Synthetic images most often taken for real",
                "The line is the mask they were generated from.",
                synthetic.OrderBy(i => i.CalledSynthetic).ThenBy(i => i.MeanAnswer),
                i => $"real for {Count(1 - i.CalledSynthetic, readers)}"),
            Sheet(evidence, "Synthetic images most often recognised",
                "What they have in common shows what the generator should improve.",
                synthetic.OrderByDescending(i => i.CalledSynthetic).ThenByDescending(i => i.MeanAnswer),
                i => $"synthetic for {Count(i.CalledSynthetic, readers)}"),
            new CollapsedSection("Real images that were most doubted",
                [Sheet(evidence, "Real images that were most doubted", "Most often taken for synthetic.",
                real.OrderByDescending(i => i.CalledSynthetic).ThenByDescending(i => i.MeanAnswer),
                i => $"synthetic for {Count(i.CalledSynthetic, readers)}")]),
        ]);
    }

    public static Section? Outlines(StudyResult result, StudyEvidence evidence)
    {
        if (result.Outlines is not { } outlines) return null;
        var counted = result.Readers.Where(r => r.LeftOut is null).Select(r => r.Reader)
            .Where(r => result.Images.Where(i => i.Dice is not null)
                .All(i => File.Exists(evidence.Study.OutlinePath(r, 1, i.Item)))).Take(MostLines).ToList();
        return new("Outlines",
        [
            new Paragraph("Readers outlined lesions without seeing the mask. If the lesion of a synthetic image is not "
                + "where its mask is, the difference is below zero, and a network would learn that error."),
            new Table(["", "Dice to the mask", "95 % interval"],
            [
                ["real images", Format.Score(outlines.Real.Value), Interval(outlines.Real)],
                ["synthetic images", Format.Score(outlines.Synthetic.Value), Interval(outlines.Synthetic)],
                ["synthetic minus real", Format.Signed(outlines.Difference.Value),
                    $"{Format.Signed(outlines.Difference.Low)} to {Format.Signed(outlines.Difference.High)}"],
            ])
            {
                Note = $"{Format.Count(outlines.Readers, "reader")}, {Format.Count(outlines.Images, "image")}; readers and "
                    + "images are both treated as samples.",
            },
            Pairs(true, "Synthetic images"),
            Pairs(false, "Real images"),
        ]);

        ImageSheet Pairs(bool synthetic, string title) =>
            new($"{title}, the lowest Dice first", $"Green: the mask. Other colours: outlines of {string.Join(", ", counted)}.",
            [.. result.Images.Where(i => i.Synthetic == synthetic && i.Dice is not null).OrderBy(i => i.Dice).Take(Outlined)
                .Select(i => Tile(evidence, i, $"Dice {Format.Score(i.Dice!.Value)}",
                [(evidence.Mask(i.Item), 0), .. counted.Select((r, n) => (evidence.Outline(r, i.Item), n + 1))]))]);
    }

    private static ImageSheet Sheet(StudyEvidence evidence, string title, string caption, IEnumerable<ImageResult> images,
        Func<ImageResult, string> name) =>
        new(title, caption, [.. images.Take(Shown).Select(i => Tile(evidence, i, name(i), [(evidence.Mask(i.Item), 0)]))]);

    private static ImageTile Tile(StudyEvidence evidence, ImageResult image, string name,
        IReadOnlyList<(LabelMap, int)> masks) =>
        InlineImages.Of(name, ImageFile.ReadRgb(evidence.Study.ImagePath(image.Item)), masks);

    private static string Count(double share, int of) => $"{(int)Math.Round(share * of)} of {of}";

    private static string Interval(ValueWithInterval b) => $"{Format.Score(b.Low)} to {Format.Score(b.High)}";
}
