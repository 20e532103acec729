using System.Globalization;
using Siamorph.Training;

namespace Siamorph.Experiment;

/// <summary>What a reader needs to judge times and to repeat a run.</summary>
internal static class MachineFacts
{
    public static IReadOnlyDictionary<string, string> Read()
    {
        var here = RunEnvironment.Here();
        return new Dictionary<string, string>
        {
            ["siamorph"] = here.Siamorph,
            ["TorchSharp"] = here.TorchSharp,
            ["libtorch"] = here.LibTorch,
            [".NET"] = here.DotNet,
            ["operating system"] = here.OperatingSystem,
            ["processor"] = here.Processor ?? here.Architecture,
            ["cores"] = here.Cores.ToString(CultureInfo.InvariantCulture),
            ["threads of one tensor operation"] = here.TorchThreads.ToString(CultureInfo.InvariantCulture),
            ["memory"] = string.Create(CultureInfo.InvariantCulture, $"{here.MemoryMiB / 1024.0:0.0} GiB"),
        };
    }
}
