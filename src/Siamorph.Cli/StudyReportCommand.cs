using System.CommandLine;
using Siamorph.Reports;
using Siamorph.Study;

namespace Siamorph.Cli;

/// <summary>`siamorph study report STUDY`.</summary>
internal static class StudyReportCommand
{
    public static Command Create()
    {
        var folder = new Argument<string>("folder") { Description = "Folder of a study." };
        var unseal = new Option<bool>("--unseal")
        {
            Description = "Ends the collection of answers and opens the key; this can't be undone.",
        };
        var command = new Command("report", "Evaluates the readers' answers: HTML, Markdown, CSV, results.json.")
        {
            folder, unseal,
        };
        return command.Runs(context =>
        {
            if (context.Get(unseal)) Unsealing.Unseal(context.Get(folder));
            var report = StudyReport.Write(context.Get(folder));
            foreach (var line in report.Answer) context.Out.WriteLine(line);
            context.Out.WriteLine(report.Path);
        });
    }
}
