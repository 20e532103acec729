using System.Globalization;
using Siamorph.Study;

namespace Siamorph.Reports;

/// <summary>
/// Evaluates an unsealed reader study and writes results.json, report.html, report.md and CSV files into its folder.
/// </summary>
internal static class StudyReport
{
    private static readonly string[] ReaderColumns =
    [
        "reader", "specialty", "years", "left_out", "accuracy", "real_right", "synthetic_right", "auc", "d_prime", "criterion",
        "catch_misses", "quality_real", "quality_synthetic", "median_seconds",
    ];

    private static readonly string[] ImageColumns =
        ["item", "kind", "pair", "third", "area", "called_synthetic", "mean_answer", "quality", "shape", "dice"];

    private static readonly string[] AnswerColumns =
    [
        "reader", "session", "item", "kind", "practice", "repeats", "block", "quality", "shape", "realism", "seconds",
        "hidden_ms", "zoom", "shown",
    ];

    /// <summary>Writes the report.</summary>
    /// <returns>The answer and where report.html is.</returns>
    /// <exception cref="SiamorphException">The study is sealed or damaged, no reader has finished, or the folder can't be
    /// written.</exception>
    public static WrittenReport Write(string folder)
    {
        var evidence = StudyEvidence.Read(folder);
        var result = StudyAnalysis.Run(evidence);
        var document = Document(result, evidence);
        string In(string name) => Path.Combine(evidence.Study.Path, name);
        HtmlReport.Write(In("report.html"), document);
        MarkdownReport.Write(In("report.md"), document);
        CsvFile.Write(In("readers.csv"), ReaderColumns, result.Readers.Select(r => Cells(
            r.Reader, r.Specialty, r.Years, r.LeftOut, r.Accuracy?.Value, r.RealRight, r.SyntheticRight, r.Auc, r.Sensitivity,
            r.Criterion, r.CatchMisses, r.QualityReal, r.QualitySynthetic, r.MedianSeconds)));
        CsvFile.Write(In("images.csv"), ImageColumns, result.Images.Select(i => Cells(
            i.Item, i.Synthetic ? "synthetic" : "real", i.Pair, i.Third + 1, i.Area, i.CalledSynthetic, i.MeanAnswer,
            i.Quality, i.Shape, i.Dice)));
        CsvFile.Write(In("answers.csv"), AnswerColumns, Answers(evidence));
        return new WrittenReport(In("report.html"), document.Answer);
    }

    internal static ReportDocument Document(StudyResult result, StudyEvidence evidence) => new()
    {
        Title = "Can readers tell synthetic from real images?",
        Overline = $"Siamorph reader study, {result.Created:yyyy-MM-dd}, unsealed {result.Unsealed:yyyy-MM-dd}",
        Answer = StudySentences.Answer(result),
        KeyFigures = [.. Keys(result)],
        Sections = [.. new[]
        {
            StudySections.Realism(result), StudySections.Quality(result),
            StudyImages.Outlines(result, evidence), StudyImages.Images(result, evidence),
            StudySections.Exclusions(result), StudySections.Readers(result), StudySections.Times(result), Method(result),
        }.OfType<Section>()],
        Footer = $"Made by Siamorph {result.Product}. The same numbers: report.md, readers.csv, images.csv, answers.csv, "
            + $"{StudyFolder.ResultName}.",
    };

    private static IEnumerable<KeyFigure> Keys(StudyResult result)
    {
        var realism = result.Realism;
        yield return new("Right answers (guessing: 50\u00A0%)", StudySentences.Percent(realism.Primary.Accuracy.Value),
            $"95\u00A0% interval {StudySentences.Interval(realism.Primary.Accuracy)}; "
                + $"{StudySentences.Title(realism.Primary.Verdict)}");
        yield return new("Sensitivity d′ (guessing: 0)", StudySentences.Rating(realism.Sensitivity),
            $"criterion c {StudySentences.Rating(realism.Criterion)}; AUC {Format.Score(realism.Auc.Value)}");
        if (result.Quality is { } quality)
            yield return new("Image quality, synthetic (1 to 5)", StudySentences.Rating(quality.Synthetic.Value),
                $"real {StudySentences.Rating(quality.Real.Value)}; difference "
                    + $"{StudySentences.SignedScored(quality.Difference)}");
        if (result.Shape is { } shape)
            yield return new("Shape of the lesion, synthetic (1 to 5)", StudySentences.Rating(shape.Synthetic.Value),
                $"real {StudySentences.Rating(shape.Real.Value)}; difference {StudySentences.SignedScored(shape.Difference)}");
    }

    private static Section Method(StudyResult result)
    {
        var options = result.Options;
        return new("Method",
        [
            new Paragraph(StudySentences.NotUsefulness),
            .. options.Experiment is { Length: > 0 } experiment
                ? new Block[] { new Link("The experiment on these pairs", experiment) } : [],
            new BulletList(
            [
                $"{options.Images} real images from held-out data ({string.Join(", ", options.Splits)}) and {options.Images} "
                + $"synthetic ones, as many from each third of lesion sizes, no mask shown twice; all {result.Size.Width} × "
                + $"{result.Size.Height} pixels, resampled in the same way, one codec, random names, files of equal length.",
                $"{options.Practice} images to practise on, without feedback; quality before realism; "
                + $"{Format.Percent(options.RepeatShare)} of the images asked twice, at least a third of the block apart; "
                + $"{options.CatchItems} scrambled images. Every reader has an order of their own.",
                "Accuracy: mean of the shares of real and of synthetic images that were named right; \"possibly\" counts as "
                + "named. Its variance is that of readers × images (Gallas, Pennello and Myers 2007), never below that of "
                + "readers or images alone, with Satterthwaite's degrees of freedom"
                + Error(result.Realism.Primary),
                $"Told apart: the 95 % interval leaves out 50 %. No better than chance: the 90 % interval lies within "
                + $"{StudySentences.Points(options.Margin)} points of 50 %, which is two one-sided tests at 5 %. Both may "
                + $"hold; else "
                + "it is undecided.",
                "d′ and c from log-linear rates; AUC by Mann and Whitney; weighted κ with squared weights; ICC after Shrout and "
                + "Fleiss, case 2.",
                $"Fixed before the first answer: study.json, SHA-256 {result.Study[..16]}…; every answer holds the hash of the "
                + $"one before. The key was opened on {result.Unsealed:yyyy-MM-dd HH:mm} UTC, after which no answer was taken.",
                result.ModelHashes.Count > 0
                    ? $"Generated by {Format.Count(result.ModelHashes.Count, "model")}: "
                    + $"{string.Join(", ", result.ModelHashes.Select(h => h.Length > 16 ? h[..16] + "…" : h))}."
                    : "The synthetic images do not say which model generated them.",
            ]),
        ]);
    }

    private static string Error(AccuracyResult a) => double.IsFinite(a.DegreesOfFreedom)
        ? string.Create(CultureInfo.InvariantCulture,
            $" (standard error {100 * a.StandardError:0.0} points, {a.DegreesOfFreedom:0.0} degrees of freedom).")
        : ".";

    private static IEnumerable<IReadOnlyList<string>> Answers(StudyEvidence evidence)
    {
        foreach (var reader in evidence.Readers.Where(r => !r.Withdrawn))
            for (var session = 1; session <= reader.Sessions; session++)
                foreach (var line in evidence.Study.Items.SelectMany(i => i.Blocks.Select(b => reader.Answer(b, i.Id, session)))
                    .OfType<SessionLine>().OrderBy(l => l.At))
                {
                    var key = evidence.Key[line.Item!];
                    yield return Cells(
                        reader.Profile.Reader, session, line.Item, Word(key.Kind), key.Practice ? 1 : 0, key.Repeats,
                        Word(line.Block!), line.Quality, line.Shape, line.Realism, line.Seconds, line.HiddenMs, line.Zoom,
                        line.Shown?.ToString("O", CultureInfo.InvariantCulture));
                }

        static string Word(object value) => value.ToString()!.ToLowerInvariant();
    }

    private static IReadOnlyList<string> Cells(params IReadOnlyList<object?> values) =>
        [.. values.Select(v => Convert.ToString(v, CultureInfo.InvariantCulture) ?? "")];
}
