using System.CommandLine;
using System.Globalization;
using Siamorph.Data;
using Siamorph.Data.Checks;

namespace Siamorph.Cli;

/// <summary>`siamorph data check FOLDER`.</summary>
internal static class DataCheckCommand
{
    private const int Shown = 20; // of one kind

    public static Command Create()
    {
        var folder = new Argument<string>("folder") { Description = "Folder of images and masks in any supported layout." };
        var json = new Option<bool>("--json") { Description = "Prints the report as JSON." };
        var labels = new Option<bool>("--soft-labels")
        {
            Description = "Treats grey masks as probabilities instead of reporting them.",
        };
        var command = new Command("check",
            "Checks a dataset and lists its errors and warnings; exits with code 2 if there are errors.") { folder,
            labels, json };
        return command.Runs(context =>
        {
            var report = DatasetValidator.Check(context.Get(folder), context.Monitor, context.Get(labels) ? LabelKind.Soft
                : LabelKind.Hard);
            if (context.Get(json)) context.Out.WriteLine(report.ToJson());
            else Render(report, context.Out);
            context.ExitCode = report.Errors > 0 ? Application.Failure : 0;
        });
    }

    private static void Render(DatasetReport report, TextWriter output)
    {
        foreach (var kind in report.Findings.GroupBy(f => (f.Severity, f.Code)))
        {
            foreach (var finding in kind.Take(Shown))
                output.WriteLine($"{(finding.Severity == FindingSeverity.Error ? "error  " : "warning")}  {finding.Code,-18}  "
                    + $"{finding.Subject}: {finding.Message}");
            if (kind.Count() > Shown) output.WriteLine(
                $"         {kind.Key.Code,-18}  and {kind.Count() - Shown} more; --json lists all of them.");
        }
        if (report.Findings.Count > 0) output.WriteLine();
        output.WriteLine(report.Reading);
        output.WriteLine($"{Count(report.Pairs, "pair")} ({report.Layout}), "
            + $"{string.Join(", ", report.Sizes.Take(3).Select(s => $"{s.Value} of {s.Key}"))}"
            + $"{(report.Sizes.Count > 3 ? " and other sizes" : "")}");
        if (report.Range is { } range)
            output.WriteLine($"Images of more than 8 bits: levels {range.Replace(":", " to ", StringComparison.Ordinal)} are "
                + $"mapped to black to white, in the same way for all images");
        if (report.Splits.Keys.Any(s => s.Length > 0))
            output.WriteLine(
                $"Splits: {string.Join(", ", report.Splits.Select(s => $"{(s.Key.Length > 0 ? s.Key : "none")} {s.Value}"))}");
        if (report.Area is { } area)
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"Lesion area: median {area.Median:0.0 %}, mean {area.Mean:0.0 %}, 5 % to 95 %: {area.Percentile5:0.0 %} to "
                    + $"{area.Percentile95:0.0 %}"));
        if (report.Annotators is { } annotators)
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"Annotators: {Count(annotators.Images, "image")} with up to {annotators.MostMasks} masks; mean pairwise Dice "
                    + $"{annotators.MeanDice:0.000}, lowest {annotators.LowestDice:0.000} ({annotators.LowestId})"));
        output.WriteLine($"{Count(report.Errors, "error")}, {Count(report.Warnings, "warning")}");
    }

    private static string Count(int number, string what) => number == 1 ? $"1 {what}" : $"{number} {what}s";
}
