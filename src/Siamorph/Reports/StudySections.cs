using System.Globalization;
using Siamorph.Reports.Charts;
using Siamorph.Study;

namespace Siamorph.Reports;

/// <summary>Numbers and charts of a reader study.</summary>
internal static class StudySections
{
    private const double MostQuartiles = 3; // times longer than so many upper quartiles share the last bar

    public static Section Realism(StudyResult result)
    {
        var (realism, counted) = (result.Realism, Counted(result));
        var primary = realism.Primary;
        return new("Could readers tell them apart?",
        [
            new Figure(new ForestPlot
            {
                Label = $"Share of right answers of all readers together, {Format.Percent(primary.Accuracy.Value)}, and of each "
                    + $"of {primary.Readers}, against chance.",
                XTitle = "right answers (%)",
                Reference = 0.5,
                ReferenceName = "chance",
                Margin = result.Options.Margin,
                Rows = [new("All readers", primary.Accuracy.Value, primary.Accuracy.Low, primary.Accuracy.High, 1, Strong: true),
                    .. counted.OrderByDescending(r => r.Accuracy!.Value)
                        .Select(r => new ForestRow(Named(r), r.Accuracy!.Value, r.Accuracy.Low, r.Accuracy.High, 0))],
            }, "Right answers, reader by reader",
            $"With 95 % intervals: that of all readers counts readers and images as samples, those of single readers "
                + $"(Wilson) only images. The band is {StudySentences.Points(result.Options.Margin)} points about chance.",
                Wide: true),
            new Figure(new RocPlot
            {
                Label = "Share of synthetic images called synthetic against share of real images called so, for every threshold.",
                XTitle = "real images called synthetic",
                YTitle = "synthetic images called synthetic",
                Curves = [new("all answers", Sum(counted, r => r.RealAnswers!), Sum(counted, r => r.SyntheticAnswers!),
                    realism.PooledAuc, Strong: true),
                    .. counted.Select(r => new RocCurve(r.Reader, r.RealAnswers!, r.SyntheticAnswers!, r.Auc!.Value))],
            }, "ROC", "From the six-point answers. The dashed line is guessing."),
            new Figure(new RatingBars
            {
                Label = "How often each of six answers about realism was given for real and for synthetic images.",
                First = Sum(counted, r => r.RealAnswers!),
                Second = Sum(counted, r => r.SyntheticAnswers!),
                Words = StudyTexts.RealismScale,
                Square = true,
            }, "Real or synthetic?", "Equal bars: readers saw no difference. Many answers in the middle: they were not sure."),
            Numbers(result),
            Tests(result),
        ]);
    }

    public static Section? Quality(StudyResult result)
    {
        if (result.Quality is not { } quality || result.Shape is not { } shape) return null;
        var headings = new[] { "rated", "real", "synthetic", "difference", "no worse?", "ICC(2,1)", "ICC(2,k)", "real, 0 to 1",
            "synthetic, 0 to 1" };
        return new("Image quality",
        [
            new Paragraph($"Rated before anyone was asked about realism, {Format.Count(quality.Readers, "reader")}, 1 "
                + $"({StudyTexts.QualityScale[0]}) to 5 ({StudyTexts.QualityScale[^1]}). Mean opinion scores with 95 % intervals "
                + "that count readers and images as samples."),
            Bars(quality, "Image quality", "How good is this image?"),
            Bars(shape, "Shape of the lesion", "How plausible is its shape?"),
            new Table(headings, [Row("image quality", quality), Row("shape of the lesion", shape)])
            {
                Note = $"No worse: the interval of the difference lies above −"
                    + $"{StudySentences.OfFive(result.Options.QualityMargin)}. "
                    + "ICC: agreement of single readers, and of their mean. The last columns are (score − 1) / 4.",
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
            [name, StudySentences.Scored(s.Real), StudySentences.Scored(s.Synthetic), StudySentences.SignedScored(s.Difference),
                s.NonInferior ? "yes" : "not shown",
                Format.Score(s.Single), Format.Score(s.Mean), Format.Score((s.Real.Value - 1) / 4),
                Format.Score((s.Synthetic.Value - 1) / 4)];
    }

    public static Section Exclusions(StudyResult result)
    {
        var left = result.Readers.Where(r => r.LeftOut is not null).ToList();
        var primary = result.Realism.Primary;
        List<IReadOnlyList<string>> rows = [Row("as planned (the answer)", primary)];
        if (result.Everyone is { } all) rows.Add(Row("everyone who finished", all));
        rows.Add(["as if all answers were independent", Format.Integer(primary.Readers),
            StudySentences.Percent(primary.Binomial.Value), StudySentences.Interval(primary.Binomial), "–",
            "too narrow: ignores readers and images"]);
        return new("Left out",
        [
            left.Count == 0 ? new Paragraph("No reader was left out.")
                : new BulletList([.. left.Select(r => $"{r.Reader} {r.LeftOut}.")]),
            new Table(["who counts", "readers", "right", "95 % interval", "90 % interval", "verdict"], rows)
            {
                Note = result.Options.CatchItems == 0 ? "No scrambled images were shown."
                    : $"A reader who takes more than {Format.Count(result.Options.CatchMisses, "scrambled image")} for real is "
                    + "left out; that was fixed before the first answer.",
            },
        ]);

        static IReadOnlyList<string> Row(string name, AccuracyResult a) =>
            [name, Format.Integer(a.Readers), StudySentences.Percent(a.Accuracy.Value), StudySentences.Interval(a.Accuracy),
                $"{StudySentences.Percent(a.Low90)} to {StudySentences.Percent(a.High90)}", StudySentences.Title(a.Verdict)];
    }

    public static Section Readers(StudyResult result) => new("Readers and screens",
    [
        new Table(["reader", "specialty", "years", "right", "real right", "synthetic right", "d′", "c", "AUC"],
            [.. result.Readers.Select(r => (IReadOnlyList<string>)[
                r.Reader, Text(r.Specialty), Number(r.Years, "0.#"), Percent(r.Accuracy?.Value), Percent(r.RealRight),
                Percent(r.SyntheticRight),
                Number(r.Sensitivity, "0.00"), Number(r.Criterion, "0.00"), Number(r.Auc, "0.000")])])
        {
            Note = "c above 0: the reader leans to \"real\".",
        },
        new CollapsedSection("Ratings, attention, time", [new Table(
            ["reader", "quality, real", "quality, synthetic", "scrambled images taken for real", "median seconds", "sessions"],
            [.. result.Readers.Select(r => (IReadOnlyList<string>)[
                r.Reader, Number(r.QualityReal, "0.00"), Number(r.QualitySynthetic, "0.00"),
                r.CatchMisses is { } misses ? Format.Integer(misses) : "–", Number(r.MedianSeconds, "0.0"),
                Format.Integer(r.Sessions)])])
        {
            Note = "Seconds before an image in the block about realism, pauses excluded.",
        }]),
        new CollapsedSection("Screens",
            [new Table(["reader", "screen", "device pixels", "zoom", "light", "near black seen", "near white seen"],
            [.. result.Readers.Select(r => (IReadOnlyList<string>)[
                r.Reader, r.Display.Width > 0 ? $"{r.Display.Width} × {r.Display.Height}" : "–",
                Number(r.Display.PixelRatio, "0.##"),
                Number(r.Display.Zoom, "0.##"), Text(r.Display.RoomLight), YesNo(r.Display.SeesNearBlack),
                YesNo(r.Display.SeesNearWhite)])])]),
    ]);

    public static Section? Times(StudyResult result)
    {
        if (result.Times.Count == 0) return null;
        return new("Time per image",
        [
            .. result.Times.Where(t => t.Block != StudyBlock.Outline).Select(t => new Figure(new Histogram
            {
                Label = $"How many answers about {Name(t.Block)} took how long.",
                XTitle = "seconds",
                Things = "answers",
                Values = [.. t.Seconds.Select(s => Math.Min(s, MostQuartiles * t.ThirdQuartile))],
            }, $"Seconds before an answer about {Name(t.Block)}", "Pauses are excluded. The last bar holds all longer times.")),
            new Table(["block", "answers", "median", "quarter below", "quarter above"],
                [.. result.Times.Select(t => (IReadOnlyList<string>)[
                Name(t.Block), Format.Integer(t.Seconds.Count), Format.Duration(t.Median), Format.Duration(t.Quartile),
                Format.Duration(t.ThirdQuartile)])]),
        ]);
    }

    private static Table Numbers(StudyResult result)
    {
        var r = result.Realism;
        List<IReadOnlyList<string>> rows =
        [
            ["Right answers (accuracy)", StudySentences.Percent(r.Primary.Accuracy.Value),
                StudySentences.Interval(r.Primary.Accuracy)],
            ["Real images called real", StudySentences.Percent(r.RealRight), "–"],
            ["Synthetic images called synthetic", StudySentences.Percent(r.SyntheticRight), "–"],
            ["Sensitivity d′ (guessing: 0)", StudySentences.Rating(r.Sensitivity), "–"],
            [$"Criterion c (leaning to \"{(r.Criterion > 0 ? "real" : "synthetic")}\")", StudySentences.Rating(r.Criterion), "–"],
            ["Area under the ROC curve, mean of readers", Format.Score(r.Auc.Value),
                $"{Format.Score(r.Auc.Low)} to {Format.Score(r.Auc.High)}"],
            ["Agreement of readers with each other (Fleiss κ)", StudySentences.Rating(r.Agreement), "–"],
        ];
        if (r.RepeatAgreement is { } repeat)
            rows.Add([$"Agreement with themselves, {r.RepeatPairs} images shown twice (weighted κ)",
                StudySentences.Rating(repeat),
                "–"]);
        if (r.SessionAgreement is { } session) rows.Add(["Agreement of first and second session (weighted κ)",
            StudySentences.Rating(session), "–"]);
        return new(["metric", "value", "95 % interval"], rows);
    }

    private static Table Tests(StudyResult result) =>
        new(["secondary tests", "estimate", "95 % interval", "p", "p after Holm"],
        [.. result.Tests.Select(t => (IReadOnlyList<string>)[
        t.Name, Format.Score(t.Estimate.Value), $"{Format.Score(t.Estimate.Low)} to {Format.Score(t.Estimate.High)}",
        StudySentences.P(t.P), StudySentences.P(t.AdjustedP)])])
    {
        Note = $"Two-sided, with readers and images as samples; corrected for {Format.Count(result.Tests.Count, "test")}. The "
            + "accuracy is the primary and needs no correction.",
    };

    public static IReadOnlyList<ReaderResult> Counted(StudyResult result) =>
        [.. result.Readers.Where(r => r.LeftOut is null && r.Accuracy is not null)];

    private static string Named(ReaderResult r) => r.Specialty.Length > 0 ? $"{r.Reader}, {r.Specialty}" : r.Reader;

    private static int[] Sum(IReadOnlyList<ReaderResult> readers, Func<ReaderResult, IReadOnlyList<int>> counts) =>
        [.. Enumerable.Range(0, counts(readers[0]).Count).Select(i => readers.Sum(r => counts(r)[i]))];

    private static string Name(StudyBlock block) => block.ToString().ToLowerInvariant();

    private static string Text(string text) => text.Length > 0 ? text : "–";

    private static string Percent(double? value) => value is { } v ? StudySentences.Percent(v) : "–";

    private static string Number(double? value, string format) => value is { } v && double.IsFinite(v)
        ? v.ToString(format, CultureInfo.InvariantCulture).Replace('-', '−') : "–";

    private static string YesNo(bool? value) => value switch { true => "yes", false => "no", _ => "–" };
}
