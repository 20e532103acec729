using System.Globalization;
using Siamorph.Experiment;
using Siamorph.Experiment.Results;
using Siamorph.Reports.Sections;
using Siamorph.Training;

namespace Siamorph.Reports;

/// <summary>A report that was written.</summary>
/// <param name="Path">Full path of report.html.</param>
/// <param name="Answer">Its first sentences.</param>
public sealed record WrittenReport(string Path, IReadOnlyList<string> Answer);

/// <summary>Turns the result of an experiment into report.html, report.md and CSV files beside it.</summary>
public static class ExperimentReport
{
    /// <summary>Reads results.json in <paramref name="folder"/> and writes the report there.</summary>
    /// <returns>The answer and where report.html is.</returns>
    /// <exception cref="SiamorphException">There is no readable result, or the folder can't be written.</exception>
    public static WrittenReport Write(string folder)
    {
        var result = OptionsFile.LoadRecorded<ExperimentResult>(Demand(folder));
        var timesPath = Path.Combine(folder, ExperimentRunner.TimesFile);
        var times = File.Exists(timesPath) ? OptionsFile.Load<ExperimentTimes>(timesPath) : null;
        return Write(result, times, folder);
    }

    /// <summary>The result's file.</summary>
    /// <exception cref="SiamorphException">There is none.</exception>
    internal static string Demand(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        var path = Path.Combine(folder, ExperimentRunner.ResultFile);
        return File.Exists(path) ? path
            : throw new SiamorphException(
                $"{folder}: there is no {ExperimentRunner.ResultFile} in this folder. Give the folder of a finished experiment.");
    }

    internal static WrittenReport Write(ExperimentResult result, ExperimentTimes? times, string folder)
    {
        var document = Document(result, times, folder);
        var html = Path.Combine(Path.GetFullPath(folder), "report.html");
        HtmlReport.Write(html, document);
        MarkdownReport.Write(Path.Combine(folder, "report.md"), document);
        WriteScores(result, Path.Combine(folder, "scores.csv"));
        WriteImages(result, Path.Combine(folder, "per-image.csv"));
        CsvFile.Write(Path.Combine(folder, "comparisons.csv"), EvidenceSection.CsvHeadings,
            NetworkSection.Views(result).SelectMany(v => EvidenceSection.CsvRows(v.Name, v.Result)));
        if (result.Robustness.Count > 0)
            CsvFile.Write(Path.Combine(folder, "robustness.csv"), RobustnessSection.CsvHeadings,
                NetworkSection.Views(result).SelectMany(v => RobustnessSection.CsvRows(v.Name, v.Result)));
        if (result.External.Count > 0)
            CsvFile.Write(Path.Combine(folder, "external.csv"), ExternalSection.CsvHeadings, ExternalSection.CsvRows(result));
        return new WrittenReport(html, document.Answer);
    }

    internal static ReportDocument Document(ExperimentResult result, ExperimentTimes? times, string folder) => new()
    {
        Title = "Do synthetic pairs help segmentation here?",
        Overline = $"Siamorph experiment on {result.Data.Name}",
        Answer = ExperimentSentences.Answer(result),
        KeyFigures = [.. Shown(result).Select(c => new KeyFigure(
            $"{c.RealCount} real pairs: {(result.ExternalPrimary is null ? "Dice" : ExperimentSentences.Measure(c))}, "
                + $"{ExperimentSentences.Title(result, c.Arm)} minus "
                + $"{ExperimentSentences.Title(result, c.Baseline)}",
            Format.Signed(c.Difference), $"95\u00A0% interval {Format.Signed(c.Low)} to {Format.Signed(c.High)}",
            c.Verdict switch { Verdict.Higher => Tone.Good, Verdict.Lower => Tone.Bad, _ => Tone.Neutral }))],
        Sections =
        [
            ScoreSections.Scores(result),
            .. EvidenceSection.Evidence(result) is { } evidence ? new[] { evidence } : [],
            .. ResourceSection.Ladder(result) is { } ladder ? new[] { ladder } : [],
            .. result.OtherNetworks.Count > 0 ? new[] { NetworkSection.Networks(result) } : [],
            .. result.Robustness.Count > 0 ? new[] { RobustnessSection.Robustness(result, folder) } : [],
            .. result.External.Count > 0 ? new[] { ExternalSection.External(result) } : [],
            ScoreSections.ImageByImage(result, folder),
            ImageSection.Pictures(result, folder),
            .. result.Gates.Count > 0 ? new[] { GateSection.Gate(result, folder) } : [],
            .. ReaderSection.Readers(result, folder) is { } readers ? new[] { readers } : [],
            DataSection.Data(result),
            TrainingSection.Training(result),
            MethodSections.Method(result),
            .. times is null ? [] : new[] { CostSection.Cost(result, times) },
            MethodSections.Everything(result, times),
        ],
        Footer = $"Made by Siamorph {result.Version}. The same numbers: report.md, scores.csv, per-image.csv, comparisons.csv, "
            + $"{(result.Robustness.Count > 0 ? "robustness.csv, " : "")}{(result.External.Count > 0 ? "external.csv, " : "")}"
            + $"{ExperimentRunner.ResultFile}.",
    };

    // The declared arm at every number of real pairs; all comparisons where none was declared.
    private static IEnumerable<Comparison> Shown(ExperimentResult result)
        => result.Declared is not { } primary ? result.Comparisons
            : [.. result.ExternalPrimary is { } elsewhere ? [elsewhere] : Array.Empty<Comparison>(),
                .. result.Comparisons.Where(c => c.Arm == primary.Arm)];

    private static void WriteScores(ExperimentResult result, string path) => CsvFile.Write(path,
        ["network", "arm", "real_pairs", "synthetic_pairs", "seed", "dice", "iou", "mean_dice_256", "mean_iou_256",
            "validation_dice", "best_step", "model_sha256"],
        NetworkSection.Views(result).SelectMany(v =>
            v.Result.Cells.Select(c => (IReadOnlyList<string>)[v.Name, c.Arm, Text(c.RealCount), Text(c.SyntheticCount),
            Text(c.Seed.Value), Text(c.Outcome.Dice),
            Text(c.Outcome.Iou), Text(c.Outcome.MeanDice), Text(c.Outcome.MeanIou), Text(c.Outcome.ValidationDice),
            Text(c.Outcome.BestStep),
            c.Outcome.ModelHash])));

    private static void WriteImages(ExperimentResult result, string path) => CsvFile.Write(path,
        ["network", "arm", "real_pairs", "seed", "image", "dice", "iou"],
        NetworkSection.Views(result).SelectMany(v =>
            v.Result.Cells.SelectMany(c => c.Outcome.Images.Select(i => (IReadOnlyList<string>)[
            v.Name, c.Arm, Text(c.RealCount), Text(c.Seed.Value), i.Id, Text(i.Dice), Text(i.Iou)]))));

    private static string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);
}
