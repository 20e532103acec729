using System.CommandLine;

namespace Siamorph.Cli;

/// <summary>`siamorph weights …`: the verbs on weight files.</summary>
internal static class WeightsCommand
{
    public static Command Create() => new("weights", "Looks into weight files, converts them, lists what a preset needs.")
    {
        WeightsInspectCommand.Create(),
        WeightsConvertCommand.Create(),
        WeightsKeysCommand.Create(),
    };
}
