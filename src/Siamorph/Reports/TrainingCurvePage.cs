using Siamorph.Reports.Charts;
using Siamorph.Segmentation;

namespace Siamorph.Reports;

/// <summary>The page of a segmentation run: its curve of validation Dice, and whether more steps would have helped.</summary>
internal static class TrainingCurvePage
{
    /// <summary>The file in the run's folder.</summary>
    public const string FileName = "curve.html";

    /// <summary>Writes the page.</summary>
    /// <param name="summary">Of a finished run.</param>
    /// <param name="runFolder">Where to write.</param>
    /// <returns>Full path of the page.</returns>
    /// <exception cref="SiamorphException">The folder can't be written.</exception>
    public static string Write(SegmentationSummary summary, string runFolder)
    {
        ArgumentNullException.ThrowIfNull(summary);
        var path = Path.Combine(Path.GetFullPath(runFolder), FileName);
        HtmlReport.Write(path, new ReportDocument
        {
            Title = "Was the network trained enough?",
            Overline = $"Siamorph segmentation: {summary.Options.Network.Name}, {Format.Count(summary.Options.Steps, "step")}",
            Answer = [Sentence(summary)],
            KeyFigures =
            [
                new("best validation Dice", Format.Score(summary.BestValidationDice), $"after step {summary.BestStep}"),
                new("training pairs", Format.Integer(summary.RealPairs), $"and {summary.SyntheticPairs} synthetic"),
                new("validation pairs", Format.Integer(summary.ValidationPairs), "they chose the step"),
            ],
            Sections = [new Section("Curves",
                [Curve(summary, "validation Dice", h => h.Dice, 1), Curve(summary, "training loss", h => h.TrainLoss, 2)])],
        });
        return path;
    }

    /// <summary>Whether more steps may help, in one sentence.</summary>
    public static string Sentence(SegmentationSummary summary)
    {
        ArgumentNullException.ThrowIfNull(summary);
        return ConvergenceCheck.GainOfLastHalf([.. summary.History.Select(h => ((long)h.Step, h.Dice))]) switch
        {
            null => "There were too few looks at the validation split to tell whether more steps would help.",
            > ConvergenceCheck.LargestGain and var gain => FormattableString.Invariant(
                $"Validation Dice still rose by {100 * gain:0.0} points in the last half of the steps: more steps may help."),
            var gain => FormattableString.Invariant(
                $"Validation Dice rose by {100 * gain:0.0} points in the last half of the steps: more steps would add little."),
        };
    }

    private static Figure Curve(SegmentationSummary summary, string what, Func<ValidationPoint, double> value, int colour) =>
        new(new LineChart
    {
        Label = $"{what} over the steps of the run.",
        XTitle = "optimizer steps",
        YTitle = what,
        Series = [new(what, colour, [.. summary.History.Select(h => ((double)h.Step, value(h)))])],
    }, char.ToUpperInvariant(what[0]) + what[1..], "At each look at the validation split.");
}
