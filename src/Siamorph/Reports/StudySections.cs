using System.Globalization;
using Siamorph.Reports.Charts;
using Siamorph.Study;

namespace Siamorph.Reports;

/// <summary>Numbers and charts of a reader study.</summary>
internal static class StudySections
{
    public static Section Realism(StudyResult result)
    {
        var (realism, counted) = (result.Realism, Counted(result));
        var primary = realism.Primary;
        return new("Told apart?",
        [
            new Figure(new ForestPlot
            {
                Label = $"Share of right answers of all readers together, {Format.Percent(primary.Accuracy.Value)}, and of each of {primary.Readers}, against chance.",
                XTitle = "right answers (%)",
                Reference = 0.5,
                ReferenceName = "chance",
                Margin = result.Options.Margin,
                Rows = [new("All readers", primary.Accuracy.Value, primary.Accuracy.Low, primary.Accuracy.High, 1, Strong: true),
                    .. counted.OrderByDescending(r => r.Accuracy!.Value).Select(r => new ForestRow(Named(r), r.Accuracy!.Value, r.Accuracy.Low, r.Accuracy.High, 0))],
            }, "Right answers, reader by reader", $"With 95 % intervals: that of all readers counts readers and images as samples, those of single readers (Wilson) only images. The band is {StudyWords.Points(result.Options.Margin)} points about chance.", Wide: true),
            new Figure(new RocPlot
            {
                Label = "Share of synthetic images called synthetic against share of real images called so, for every threshold.",
                XTitle = "real images called synthetic",
                YTitle = "synthetic images called synthetic",
                Curves = [new("all answers", Sum(counted, r => r.RealAnswers!), Sum(counted, r => r.SyntheticAnswers!), realism.Auc.Value, Strong: true),
                    .. counted.Select(r => new RocCurve(r.Reader, r.RealAnswers!, r.SyntheticAnswers!, r.Auc!.Value))],
            }, "ROC", "From the six-point answers. On the dashed line nothing is told apart."),
            new Figure(new RatingBars
            {
                Label = "How often each of six answers about realism was given for real and for synthetic images.",
                First = Sum(counted, r => r.RealAnswers!),
                Second = Sum(counted, r => r.SyntheticAnswers!),
                Words = StudyTexts.RealismScale,
            }, "Real or synthetic?", "Equal bars: readers saw no difference. Many answers in the middle: they were not sure."),
            Numbers(result),
            Tests(result),
        ]);
    }

    public static Section? Quality(StudyResult result)
    {
        if (result.Quality is not { } quality || result.Shape is not { } shape) return null;
        var headings = new[] { "", "real", "synthetic", "difference", $"no worse by {StudyWords.Rating(result.Options.QualityMargin)}", "ICC(2,1)", "ICC(2,k)", "real, 0 to 1", "synthetic, 0 to 1" };
        return new("Image quality",
        [
            new Paragraph($"Rated before anyone was asked about realism, {Format.Count(quality.Readers, "reader")}, 1 ({StudyTexts.QualityScale[0]}) to 5 ({StudyTexts.QualityScale[^1]}). Mean opinion scores with 95 % intervals that count readers and images as samples."),
            Bars(quality, "Image quality", "How good is this image?"),
            Bars(shape, "Shape of the lesion", "How plausible is its shape?"),
            new Table(headings, [Row("image quality", quality), Row("shape of the lesion", shape)])
            {
                Note = "The last columns are (score − 1) / 4, to compare with figures on that scale. ICC: agreement of single readers, and of their mean.",
            },
        ]);

        static Figure Bars(ScaleResult scale, string title, string question) => new(new RatingBars
        {
            Label = $"{title}: how often each of five ratings was given for real and for synthetic images.",
            First = scale.RealCounts,
            Second = scale.SyntheticCounts,
            Words = StudyTexts.QualityScale,
        }, title, question);

        static IReadOnlyList<string> Row(string name, ScaleResult s) =>
            [name, StudyWords.Scored(s.Real), StudyWords.Scored(s.Synthetic), StudyWords.SignedScored(s.Difference), s.NonInferior ? "yes" : "not shown",
                Format.Score(s.Single), Format.Score(s.Mean), Format.Score((s.Real.Value - 1) / 4), Format.Score((s.Synthetic.Value - 1) / 4)];
    }

    public static Section Exclusions(StudyResult result)
    {
        var left = result.Readers.Where(r => r.LeftOut is not null).ToList();
        var primary = result.Realism.Primary;
        List<IReadOnlyList<string>> rows = [Row("as planned (the answer)", primary)];
        if (result.Everyone is { } all) rows.Add(Row("nobody left out who finished", all));
        rows.Add(["as if all answers were independent", Format.Integer(primary.Readers), Format.Percent(primary.Binomial.Value), StudyWords.Interval(primary.Binomial), "", "ignores readers and images; too narrow"]);
        return new("Left out",
        [
            left.Count == 0 ? new Paragraph("Nobody was left out.") : new BulletList([.. left.Select(r => $"{r.Reader} {r.LeftOut}.")]),
            new Table(["", "readers", "right", "95 % interval", "90 % interval", "verdict"], rows)
            {
                Note = $"Who takes more than {Format.Count(result.Options.CatchMisses, "picture")} cut to pieces for real is left out; that was fixed before the first answer.",
            },
        ]);

        static IReadOnlyList<string> Row(string name, AccuracyResult a) =>
            [name, Format.Integer(a.Readers), Format.Percent(a.Accuracy.Value), StudyWords.Interval(a.Accuracy), $"{Format.Percent(a.Low90)} to {Format.Percent(a.High90)}", Verdict(a)];
    }

    public static Section Readers(StudyResult result) => new("Readers and screens",
    [
        new Table(["reader", "specialty", "years", "right", "real right", "synthetic right", "d′", "c", "AUC", "quality, real", "quality, synthetic", "seconds", "cut pictures missed", "sessions"],
            [.. result.Readers.Select(r => (IReadOnlyList<string>)[r.Reader, r.Specialty.Length > 0 ? r.Specialty : "–", Number(r.Years, "0.#"), Percent(r.Accuracy?.Value), Percent(r.RealRight), Percent(r.SyntheticRight),
                Number(r.Sensitivity, "0.00"), Number(r.Criterion, "0.00"), Number(r.Auc, "0.000"), Number(r.QualityReal, "0.00"), Number(r.QualitySynthetic, "0.00"), Number(r.MedianSeconds, "0.0"), r.CatchMisses is { } m ? Format.Integer(m) : "–", Format.Integer(r.Sessions)])])
        {
            Note = "Seconds: median time before an image in the block about realism, pauses counted out. c above 0: slow to say \"synthetic\".",
        },
        new Folded("Screens", [new Table(["reader", "screen", "device pixels", "zoom", "light", "near black seen", "near white seen"],
            [.. result.Readers.Select(r => (IReadOnlyList<string>)[r.Reader, r.Display.Width > 0 ? $"{r.Display.Width} × {r.Display.Height}" : "–", Number(r.Display.PixelRatio, "0.##"), Number(r.Display.Zoom, "0.##"),
                r.Display.RoomLight.Length > 0 ? r.Display.RoomLight : "–", YesNo(r.Display.SeesNearBlack), YesNo(r.Display.SeesNearWhite)])])]),
    ]);

    public static Section? Times(StudyResult result)
    {
        if (result.Times.Count == 0) return null;
        var shown = result.Times.FirstOrDefault(t => t.Block == StudyBlock.Realism) ?? result.Times[0];
        return new("Time an image",
        [
            new Figure(new Histogram { Label = "How many answers about realism took how long.", XTitle = "seconds", Things = "answers", Values = [.. shown.Seconds.Select(s => Math.Min(s, 4 * shown.ThirdQuartile))] },
                "Seconds before an answer about realism", "Pauses counted out. The last bar holds all longer times."),
            new Table(["block", "answers", "median", "quarter below", "quarter above"], [.. result.Times.Select(t => (IReadOnlyList<string>)[
                t.Block.ToString().ToLowerInvariant(), Format.Integer(t.Seconds.Count), Format.Duration(t.Median), Format.Duration(t.Quartile), Format.Duration(t.ThirdQuartile)])]),
        ]);
    }

    private static Table Numbers(StudyResult result)
    {
        var r = result.Realism;
        List<IReadOnlyList<string>> rows =
        [
            ["Right answers (accuracy)", Format.Percent(r.Primary.Accuracy.Value), StudyWords.Interval(r.Primary.Accuracy), StudyWords.Title(result)],
            ["Real images called real", Format.Percent(r.RealRight), "", ""],
            ["Synthetic images called synthetic", Format.Percent(r.SyntheticRight), "", ""],
            ["Sensitivity d′", Format.Score(r.Sensitivity), "", "0: nothing told apart"],
            ["Criterion c", Format.Score(r.Criterion), "", r.Criterion > 0 ? "leaning to \"real\"" : "leaning to \"synthetic\""],
            ["Area under the ROC curve", Format.Score(r.Auc.Value), $"{Format.Score(r.Auc.Low)} to {Format.Score(r.Auc.High)}", "0.5: nothing told apart"],
            ["Readers with each other (Fleiss κ)", Format.Score(r.Agreement), "", "1: always agree"],
        ];
        if (r.RepeatAgreement is { } repeat) rows.Add(["Readers with themselves (weighted κ)", Format.Score(repeat), "", $"{r.RepeatPairs} images shown twice"]);
        if (r.SessionAgreement is { } session) rows.Add(["First and second session (weighted κ)", Format.Score(session), "", ""]);
        return new(["", "value", "95 % interval", ""], rows);
    }

    private static Table Tests(StudyResult result) => new(["secondary tests", "estimate", "95 % interval", "p", "p after Holm"], [.. result.Tests.Select(t => (IReadOnlyList<string>)[
        t.Name, Format.Score(t.Estimate.Value), $"{Format.Score(t.Estimate.Low)} to {Format.Score(t.Estimate.High)}", StudyWords.P(t.P), StudyWords.P(t.AdjustedP)])])
    {
        Note = $"Two-sided, with readers and images as samples; corrected for {Format.Count(result.Tests.Count, "test")}. The accuracy is the primary and needs no correction.",
    };

    public static IReadOnlyList<ReaderResult> Counted(StudyResult result) => [.. result.Readers.Where(r => r.LeftOut is null && r.Accuracy is not null)];

    private static string Verdict(AccuracyResult a) => a.Verdict switch
    {
        Evaluation.Statistics.Discrimination.NoBetterThanChance => "no better than chance",
        Evaluation.Statistics.Discrimination.Both => "told apart, within the margin",
        Evaluation.Statistics.Discrimination.ToldApart => "told apart",
        _ => "undecided",
    };

    private static string Named(ReaderResult r) => r.Specialty.Length > 0 ? $"{r.Reader}, {r.Specialty}" : r.Reader;

    private static int[] Sum(IReadOnlyList<ReaderResult> readers, Func<ReaderResult, IReadOnlyList<int>> counts) =>
        [.. Enumerable.Range(0, counts(readers[0]).Count).Select(i => readers.Sum(r => counts(r)[i]))];

    private static string Percent(double? value) => value is { } v ? Format.Percent(v) : "–";

    private static string Number(double? value, string format) => value is { } v && double.IsFinite(v) ? v.ToString(format, CultureInfo.InvariantCulture).Replace('-', '−') : "–";

    private static string YesNo(bool? value) => value switch { true => "yes", false => "no", _ => "–" };
}
