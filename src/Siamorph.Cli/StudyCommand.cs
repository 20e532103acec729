using System.CommandLine;

namespace Siamorph.Cli;

/// <summary>`siamorph study …`.</summary>
internal static class StudyCommand
{
    public static Command Create() => new("study", "Asks readers whether they can tell synthetic from real images.")
    {
        StudyMakeCommand.Create(),
        StudyCheckCommand.Create(),
        StudyReportCommand.Create(),
        StudyExportCommand.Create(),
    };
}
