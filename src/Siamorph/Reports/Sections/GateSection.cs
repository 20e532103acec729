using Siamorph.Experiment.Results;
using Siamorph.Reports.Charts;
using Siamorph.Synthesis;

namespace Siamorph.Reports.Sections;

/// <summary>What the quality gate refused, and why.</summary>
internal static class GateSection
{
    private const double NearlyBlind = 0.15; // hardly more than the right masks: two tests refuse up to a tenth of those

    public static Section Gate(ExperimentResult result, string folder)
    {
        var looks = result.Gates.DistinctBy(g => (g.RealCount, string.Join(' ', g.Seeds), g.Outcome.Candidates)).ToList(); // arms that only choose otherwise
        var reasons = looks.SelectMany(g => g.Outcome.Reasons).GroupBy(r => r.Key).Select(g => (g.Key, Count: g.Sum(r => r.Value))).OrderByDescending(r => r.Count).ToList();
        var candidates = looks.Sum(g => g.Outcome.Candidates);
        var power = looks.Average(g => g.Outcome.WrongMasksRefused);
        var blocks = new List<Block>
        {
            new Paragraph("The gate judges synthetic pairs by networks trained on the real pairs alone, and by comparison with the real pairs. Each limit is set so that it would refuse "
                + $"{Format.Percent(result.Options.Gate.RefusedReal)} of real pairs that were held out. Every verdict stands in the manifest of its stage."),
            power < NearlyBlind
                ? new Paragraph($"The gate is nearly blind here: of real images with the mask of another it refuses {Format.Percent(power)}. Its networks need more steps or more real pairs.", Tone.Bad)
                : new Paragraph($"What it can see: of real images with the mask of another it refuses {Format.Percent(power)}."),
            reasons.Count > 0 ? Refused(reasons, candidates) : new Paragraph($"None of {candidates} candidates was refused: arms with a gate differ from the one without by their choice alone."),
            Judged(result),
            new CollapsedSection("The limits", [Limits(looks)]),
        };
        blocks.AddRange(ImageSection.Sheets(result, folder, SheetKind.Refused));
        return new Section("Quality gate", blocks);
    }

    private static Figure Refused(List<(string Key, int Count)> reasons, int candidates) => new(new BarList
    {
        Label = "How many pairs each reason spoke against.",
        Quantity = "pairs",
        Bars = [.. reasons.Select((r, i) => (Reason(r.Key), (double)r.Count, $"{r.Count} of {candidates}", 1 + i % 7))],
    }, "Reasons to refuse", "A pair may have several.");

    private static Table Judged(ExperimentResult result) => new(
        ["real pairs", "seeds", "candidates", "passed", "kept", "chosen", "agreement, real pairs", "agreement, candidates", "wrong masks refused"],
        [.. result.Gates.Select(g => (IReadOnlyList<string>)[Format.Integer(g.RealCount), string.Join(", ", g.Seeds), Format.Integer(g.Outcome.Candidates),
            Format.Integer(g.Outcome.Passed), Format.Integer(g.Outcome.Kept), g.Selection == GateSelection.Difficulty ? "hardest" : "first", Format.Score(g.Outcome.RealAgreement), Format.Score(g.Outcome.CandidateAgreement),
            Format.Percent(g.Outcome.WrongMasksRefused)])])
    {
        Note = "Agreement: the chance that networks which did not see the pair find a pixel under the mask more like a lesion than one beside it; 0.5 is what a wrong mask gets. "
            + "Wrong masks: real images, each with the mask of another.",
    };

    private static Table Limits(IEnumerable<GateResult> gates) => new(
        ["real pairs", "seeds", "least agreement", "least contrast", "least distance", "largest strangeness", "mask, share of the image", "mask, parts"],
        [.. gates.Select(g => (g, l: g.Outcome.Limits)).Select(x => (IReadOnlyList<string>)[Format.Integer(x.g.RealCount), string.Join(", ", x.g.Seeds),
            Format.Score(x.l.Agreement), Format.Score(x.l.Contrast), Format.Score(x.l.Copy), Format.Score(x.l.Outlier),
            $"{Format.Percent(x.l.SmallestShare)} to {Format.Percent(x.l.LargestShare)}", $"at most {x.l.MostLesions}"])])
    {
        Note = "Contrast: difference of colour across the mask's border, in deviations of the image. Distance: to the nearest training image, in 8-bit levels at 32 × 32 pixels. "
            + "Strangeness: distance to the nearest real images in colour, roughness and light, in their deviations.",
    };

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
