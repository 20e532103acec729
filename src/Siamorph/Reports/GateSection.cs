using Siamorph.Experiment;

namespace Siamorph.Reports;

/// <summary>What the quality gate refused, and why.</summary>
internal static class GateSection
{
    public static Section Gate(ExperimentResult result, string folder)
    {
        var reasons = result.Gates.SelectMany(g => g.Outcome.Reasons).GroupBy(r => r.Key).Select(g => (g.Key, Count: g.Sum(r => r.Value))).OrderByDescending(r => r.Count).ToList();
        var candidates = result.Gates.Sum(g => g.Outcome.Candidates);
        var blocks = new List<Block>
        {
            new Paragraph("The gate judges synthetic pairs by networks trained on the real pairs alone, and by comparison with the real pairs. Each limit is set so that it would refuse "
                + $"{Format.Percent(result.Options.Gate.RefusedReal)} of real pairs that were held out. Every verdict stands in the manifest of its stage."),
            new Figure(new BarList
            {
                Label = "How many pairs each reason spoke against.",
                Quantity = "pairs",
                Bars = [.. reasons.Select((r, i) => (Reason(r.Key), (double)r.Count, $"{r.Count} of {candidates}", 1 + i % 7))],
            }, "Reasons to refuse", "A pair may have several."),
            new Table(["real pairs", "seeds", "candidates", "passed", "kept", "agreement on real pairs", "least agreement", "least contrast", "least distance"],
                [.. result.Gates.Select(g => (IReadOnlyList<string>)[Format.Integer(g.RealCount), string.Join(", ", g.Seeds), Format.Integer(g.Outcome.Candidates),
                    Format.Integer(g.Outcome.Passed), Format.Integer(g.Outcome.Kept), Format.Score(g.Outcome.RealAgreement), Format.Score(g.Outcome.Limits.Agreement),
                    Format.Score(g.Outcome.Limits.Contrast), Format.Score(g.Outcome.Limits.Copy)])])
            {
                Note = "Agreement: Dice of the mask and what networks find that did not see the pair. Where it is low on real pairs, the gate can judge little. "
                    + "Distance: to the nearest training image, in 8-bit levels at 32 × 32 pixels.",
            },
        };
        blocks.AddRange(PictureSection.Sheets(result, folder, SheetKind.Refused));
        return new Section("Quality gate", blocks);
    }

    private static string Reason(string kind) => kind switch
    {
        "agreement" => "image and mask disagree",
        "contrast" => "no border where the mask has one",
        "mask" => "a mask unlike the real ones",
        "copy" => "nearly a copy of a training image",
        "outlier" => "an image unlike the real ones",
        _ => kind,
    };
}
