using System.CommandLine;

namespace Siamorph.Cli;

/// <summary>`--device`, for verbs without an options record.</summary>
internal static class DeviceFlag
{
    public static Option<ComputeDevice> Create() => new("--device")
    {
        Description = "Where networks run. [default: cpu]", HelpName = "cpu|cuda",
    };
}
