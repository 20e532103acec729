using System.CommandLine;

namespace Siamorph.Cli;

/// <summary>`siamorph data …`: the verbs on folders of images and masks.</summary>
internal static class DataCommand
{
    public static Command Create() => new("data", "Checks, divides and makes folders of images and masks.")
    {
        DataCheckCommand.Create(),
        DataSplitCommand.Create(),
        DataPhantomCommand.Create(),
    };
}
