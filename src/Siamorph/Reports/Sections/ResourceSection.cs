using Siamorph.Experiment;
using Siamorph.Experiment.Results;
using Siamorph.Reports.Charts;

namespace Siamorph.Reports.Sections;

/// <summary>
/// What each further need adds: images without masks, a generator; and what the strength of edited images does.
/// </summary>
internal static class ResourceSection
{
    public static Section? Ladder(ExperimentResult result)
    {
        var blocks = new List<Block>();
        if (result.Ladder.Count > 0)
        {
            if (result.Undertrained is null) blocks.AddRange(Sentences(result).Select(s => new Paragraph(s.Text, s.Tone)));
            blocks.Add(Table(result));
        }
        blocks.AddRange(result.Strengths.GroupBy(s => s.RealCount).Select(g => Strengths(result, g.Key, [.. g])));
        return blocks.Count == 0 ? null : new Section("What each resource adds", blocks);
    }

    /// <summary>
    /// Whether a generator pays beside the best that does without, in one sentence; null where the experiment does not ask that.
    /// </summary>
    public static string? Answer(ExperimentResult result, int realCount) =>
        result.Undertrained is null && result.Ladder.LastOrDefault(s => s.RealCount == realCount
        && s.Rung >= ResourceNeeds.Generator && IsAgainstCheaper(result, s)) is { } step
            ? Sentence(result, step) : null;

    private static IEnumerable<(string Text, Tone Tone)> Sentences(ExperimentResult result) =>
        result.Ladder.Where(s => s.Gain is not null)
        .Select(s => (Sentence(result, s), s.Gain!.Low > 0 ? Tone.Good : s.Gain.High < 0 ? Tone.Bad : Tone.Neutral));

    private static bool IsAgainstCheaper(ExperimentResult result, ResourceGain step) =>
        result.Ladder.FirstOrDefault(s => s.RealCount == step.RealCount
        && s.Arm == step.Against) is { Rung: < ResourceNeeds.Generator };

    private static string Sentence(ExperimentResult result, ResourceGain s)
    {
        var gain = s.Gain!;
        var pays = gain.Low > 0 ? "it helps" : gain.High < 0 ? "it does worse" : "no evidence that it helps";
        return $"{Needs(s.Rung)[..1].ToUpperInvariant()}{Needs(s.Rung)[1..]}, {s.RealCount} real pairs: the best arm by "
            + $"validation Dice is {ExperimentSentences.Title(result, s.Arm)}; compared with "
            + $"{ExperimentSentences.Title(result, s.Against!)}, the best arm that needs less, the difference in "
            + $"{Measure(result)} is {AnswerSentences.Points(gain.Mean)} points ("
            + $"{AnswerSentences.Interval(gain.Low, gain.High)}): {pays}.";
    }

    private static string Measure(ExperimentResult result) => PrimaryEndPoint.Measure(result.Declared?.Set);

    private static Table Table(ExperimentResult result) => new(
        ["needs", "real pairs", "best arm by validation", "arms compared", Measure(result), "compared with", "gain",
            "95 % interval"],
        [.. result.Ladder.Select(s => (IReadOnlyList<string>)
        [
            Needs(s.Rung), Format.Integer(s.RealCount), ExperimentSentences.Title(result, s.Arm), Format.Integer(s.Candidates),
            Format.Score(s.Dice),
            s.Against is { } against ? ExperimentSentences.Title(result, against) : "–",
            s.Gain is { } g ? Format.Signed(g.Mean)
                : "–", s.Gain is { } i ? $"{Format.Signed(i.Low)} to {Format.Signed(i.High)}" : "–",
        ])])
    {
        Note = "Each row compares the best of all arms with the same needs with the best of the arms that need less. The best "
            + $"arm is chosen on the validation split and measured on {(result.Declared?.Set is null ? "the test split"
                : "the set that the end-point is declared for")}; controls are left out.",
    };

    private static Figure Strengths(ExperimentResult result, int count, IReadOnlyList<StrengthPoint> points) => new(new LineChart
    {
        Label = $"Test Dice over the strength of edited images, with {count} real pairs.",
        XTitle = "strength: 0 as pasted or deformed, 1 pure noise",
        YTitle = "test Dice",
        Series = [.. points.GroupBy(p => p.Start)
            .Select((g, i) => new LineSeries($"start {g.Key}", i, [.. g.Select(p => (p.Strength, p.Dice))])),
            new LineSeries(result.Arms[0].Title, 7, Level(result, count, points))],
    }, $"How much denoising, {count} real pairs", "Mean over seeds; the horizontal line is the baseline.");

    private static (double, double)[] Level(ExperimentResult result, int count, IReadOnlyList<StrengthPoint> points)
    {
        var dice = result.Cells.Where(c => c.RealCount == count && c.Arm == result.Arms[0].Name).Average(c => c.Outcome.Dice);
        return [(points.Min(p => p.Strength), dice), (points.Max(p => p.Strength), dice)];
    }

    private static string Needs(ResourceNeeds rung) => rung switch
    {
        ResourceNeeds.PairsAlone => "the annotated pairs alone",
        ResourceNeeds.ImagesWithoutMasks => "images without masks",
        ResourceNeeds.Generator => "a generator",
        _ => "a generator and images without masks",
    };
}
