using System.CommandLine;
using Siamorph.Study;

namespace Siamorph.Cli;

/// <summary>`siamorph study export STUDY`.</summary>
internal static class StudyExportCommand
{
    public static Command Create()
    {
        var folder = new Argument<string>("folder") { Description = "Folder of an unsealed study." };
        var outFolder = new Option<string?>("--out", "-o")
        {
            Description = "Where to write (default: imrmc in the study's folder).", HelpName = "folder",
        };
        var command = new Command("export", "Writes the answers as input files of the FDA's iMRMC.") { folder, outFolder };
        return command.Runs(context =>
        {
            var target = context.Get(outFolder) ?? Path.Combine(context.Get(folder), "imrmc");
            foreach (var path in ImrmcExport.Write(context.Get(folder), target)) context.Out.WriteLine(path);
        });
    }
}
