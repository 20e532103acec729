using System.CommandLine;
using Siamorph.Study;

namespace Siamorph.Cli;

/// <summary>`siamorph study check STUDY`.</summary>
internal static class StudyCheckCommand
{
    public static Command Create()
    {
        var folder = new Argument<string>("folder") { Description = "Folder of a study." };
        var command = new Command("check",
            "Shows how far readers are, and whether anything was changed; exit code 2 where it was.") { folder };
        return command.Runs(context =>
        {
            var check = StudyChecker.Check(context.Get(folder));
            foreach (var finding in check.Findings)
                context.Out.WriteLine($"{(finding.IsError ? "error  " : "warning")}  {finding.Message}");
            foreach (var r in check.Readers) context.Out.WriteLine($"{r.Reader,-12}  {Progress(r)}");
            context.Out.WriteLine($"{check.Images} images, {check.Readers.Select(r => r.Reader).Distinct().Count()} of "
                + $"{check.PlannedReaders} planned readers; {(check.Unsealed ? "unsealed" : "sealed")}; "
                + $"{check.Findings.Count(f => f.IsError)} errors");
            if (check.HasErrors) context.ExitCode = Application.Failure;
        });
    }

    private static string Progress(ReaderProgress r) =>
        (r.Session == 0 ? "has not begun"
            : $"session {r.Session}: {(r.Answered == r.Total ? "finished" : $"{r.Answered} of {r.Total} answers")}")
            + (r.Withdrawn ? ", withdrawn" : "");
}
