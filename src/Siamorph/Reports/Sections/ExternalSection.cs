using System.Globalization;
using Siamorph.Experiment.Results;
using Siamorph.Reports.Charts;

namespace Siamorph.Reports.Sections;

/// <summary>How the arms do on sets of other hospitals.</summary>
internal static class ExternalSection
{
    private const string Together = "all together";

    public static readonly string[] CsvHeadings =
        ["set", "images", "arm", "real_pairs", "dice", "iou", "difference", "low_95", "high_95"];

    public static IEnumerable<IReadOnlyList<string>> CsvRows(ExperimentResult result) => result.External.Select(r =>
    {
        static string Number(double? value) => value?.ToString("R", CultureInfo.InvariantCulture) ?? "";
        return (IReadOnlyList<string>)
        [
            r.Set ?? "all", Format.Integer(r.Images), r.Arm, Format.Integer(r.RealCount), Number(r.Dice), Number(r.Iou),
            Number(r.Difference?.Mean), Number(r.Difference?.Low), Number(r.Difference?.High),
        ];
    });

    public static Section External(ExperimentResult result)
    {
        var blocks = new List<Block>();
        var main = result.Declared;
        if (main is not null && result.Undertrained is null)
            blocks.AddRange(result.External.Where(r => r.Arm == main.Arm && r.RealCount == main.RealCount
                && r.Difference is not null).Select(r => Sentence(result, r)));
        if (result.External.Any(r => r.Difference is not null))
            blocks.Add(new Figure(new StripPlot
            {
                Label = "Difference in mean Dice from the baseline on each external test set.",
                XTitle = "difference in mean Dice",
                Differences = true,
                Rows = [.. result.External.Where(r => r.Difference is not null).GroupBy(Heading).SelectMany(set => set)
                    .Select(r => new StripRow(
                    ExperimentSentences.Title(result, r.Arm), ExperimentSentences.Colour(result, r.Arm), [r.Difference!.Mean],
                    ["mean"], Heading(r))
                {
                    Interval = (r.Difference.Low, r.Difference.High),
                })],
            }, $"Difference from {result.Arms[0].Title}",
            "Mean over images and seeds, with its 95 % interval over seeds and images (patients, where they are known)."));
        blocks.Add(new Table(["set", "images", "arm", "real pairs", "Dice", "IoU", "difference", "95 % interval"],
            [.. result.External.Select(r => (IReadOnlyList<string>)
            [
                r.Set ?? Together, Format.Integer(r.Images), ExperimentSentences.Title(result, r.Arm),
                Format.Integer(r.RealCount), Format.Score(r.Dice), Format.Score(r.Iou),
                r.Difference is { } d ? Format.Signed(d.Mean)
                    : "–", r.Difference is { } e ? $"{Format.Signed(e.Low)} to {Format.Signed(e.High)}" : "–",
            ])])
        {
            Note = "No image of these sets was used for training or validation, and none is among the experiment's own images. "
                + "In the pooled result each image counts once.",
        });
        return new Section("External test sets", blocks);
    }

    private static string Heading(ExternalResult r) => $"{r.Set ?? Together}, {r.RealCount} real pairs";

    private static Paragraph Sentence(ExperimentResult result, ExternalResult r)
    {
        var d = r.Difference!;
        var verdict = d.Low > 0 ? "it helps on this set too" : d.High < 0 ? "it does worse on this set"
            : "there is no evidence of a difference on this set";
        return new Paragraph(
            $"{r.Set ?? "All together"} ({r.Images} images): {ExperimentSentences.Title(result, r.Arm)} scores "
                + $"{Format.Score(r.Dice)}, {AnswerSentences.Points(d.Mean)} points "
            + $"from the baseline ({AnswerSentences.Interval(d.Low, d.High)}): {verdict}.",
            d.Low > 0 ? Tone.Good : d.High < 0 ? Tone.Bad : Tone.Neutral);
    }
}
