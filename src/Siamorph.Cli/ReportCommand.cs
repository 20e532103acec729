using System.CommandLine;
using Siamorph.Reports;

namespace Siamorph.Cli;

/// <summary>`siamorph report FOLDER`.</summary>
internal static class ReportCommand
{
    public static Command Create()
    {
        var folder = new Argument<string>("folder") { Description = "Folder of a finished experiment." };
        var study = new Option<string[]>("--study")
        {
            Description =
                "Folder of an evaluated reader study of these images; this and all later reports show its result and link to it.",
        };
        var command = new Command("report", "Writes the report of a finished experiment again: HTML, Markdown, CSV.")
        {
            folder, study,
        };
        return command.Runs(context =>
        {
            ExperimentReport.Demand(context.Get(folder));
            foreach (var named in context.Get(study) ?? []) LinkedStudies.Add(context.Get(folder), named);
            Render(context, context.Get(folder));
        });
    }

    /// <summary>Writes the report and ends with its path.</summary>
    public static void Render(VerbContext context, string folder)
    {
        var report = ExperimentReport.Write(folder);
        foreach (var line in report.Answer) context.Out.WriteLine(line);
        context.Out.WriteLine(report.Path);
    }
}
