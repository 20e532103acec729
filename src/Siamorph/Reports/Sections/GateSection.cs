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
        // Arms that only choose otherwise
        var looks = result.Gates.DistinctBy(g => (g.RealCount, string.Join(' ', g.Seeds), g.Outcome.Candidates)).ToList();
        var reasons = looks.SelectMany(g => g.Outcome.Reasons).GroupBy(r => r.Key)
            .Select(g => (g.Key, Count: g.Sum(r => r.Value))).OrderByDescending(r => r.Count).ToList();
        var candidates = looks.Sum(g => g.Outcome.Candidates);
        var power = looks.Average(g => g.Outcome.WrongMasksRefused);
        var blocks = new List<Block>
        {
            new Paragraph("The gate tests synthetic pairs with networks trained on the real pairs alone, and by comparison with "
                + "the real pairs. Each limit is set so that it would reject "
                + $"{Format.Percent(result.Options.Gate.RefusedReal)} of held-out real pairs. Every verdict is in the manifest "
                + $"of its stage."),
            power < NearlyBlind
                ? new Paragraph($"The gate has almost no power here: it rejects {Format.Percent(power)} of real images that are "
                + $"given the mask of another image. Its networks need more steps or more real pairs.", Tone.Bad)
                : new Paragraph($"Power of the gate: it rejects {Format.Percent(power)} of real images that are given the mask "
                + $"of another image."),
            reasons.Count > 0 ? Refused(reasons, candidates)
                : new Paragraph($"None of {candidates} candidates was rejected; arms with a gate differ from the arm without one "
                + $"only in which pairs they use."),
            Judged(result),
            new CollapsedSection("The limits", [Limits(looks)]),
        };
        blocks.AddRange(ImageSection.Sheets(result, folder, SheetKind.Refused));
        return new Section("Quality gate", blocks);
    }

    private static Figure Refused(List<(string Key, int Count)> reasons, int candidates) => new(new BarList
    {
        Label = "Number of pairs rejected for each reason.",
        Quantity = "pairs",
        Bars = [.. reasons.Select((r, i) => (Reason(r.Key), (double)r.Count, $"{r.Count} of {candidates}", 1 + i % 7))],
    }, "Reasons for rejection", "A pair may have several.");

    private static Table Judged(ExperimentResult result) => new(
        ["real pairs", "seeds", "candidates", "passed", "kept", "chosen", "agreement, real pairs", "agreement, candidates",
            "wrong masks rejected"],
        [.. result.Gates.Select(g => (IReadOnlyList<string>)[Format.Integer(g.RealCount), string.Join(", ", g.Seeds),
            Format.Integer(g.Outcome.Candidates),
            Format.Integer(g.Outcome.Passed), Format.Integer(g.Outcome.Kept), g.Selection == GateSelection.Difficulty ? "hardest"
                : "first", Format.Score(g.Outcome.RealAgreement), Format.Score(g.Outcome.CandidateAgreement),
            Format.Percent(g.Outcome.WrongMasksRefused)])])
    {
        Note = "Agreement: the probability that networks which did not see the pair rate a pixel inside the mask as more "
            + "lesion-like than one outside it; a wrong mask scores 0.5. "
            + "Wrong masks: real images, each with the mask of another image.",
    };

    private static Table Limits(IEnumerable<GateResult> gates) => new(
        ["real pairs", "seeds", "lowest agreement", "lowest contrast", "smallest distance", "largest outlier score",
            "mask, share of the image", "mask, parts"],
        [.. gates.Select(g => (g, l: g.Outcome.Limits))
            .Select(x => (IReadOnlyList<string>)[Format.Integer(x.g.RealCount), string.Join(", ", x.g.Seeds),
            Format.Score(x.l.Agreement), Format.Score(x.l.Contrast), Format.Score(x.l.Copy), Format.Score(x.l.Outlier),
            $"{Format.Percent(x.l.SmallestShare)} to {Format.Percent(x.l.LargestShare)}", $"at most {x.l.MostLesions}"])])
    {
        Note = "Contrast: difference of colour across the mask's boundary, in standard deviations of the image. Distance: to the "
            + "nearest training image, in 8-bit levels at 32 × 32 pixels. "
            + "Outlier score: distance to the nearest real images in colour, texture and brightness, in standard deviations.",
    };

    private static string Reason(string kind) => kind switch
    {
        "agreement" => "image and mask do not agree",
        "contrast" => "no contrast at the boundary of the mask",
        "mask" => "the mask is unlike the real masks",
        "copy" => "near-copy of a training image",
        "outlier" => "the image is unlike the real images",
        _ => kind,
    };
}
