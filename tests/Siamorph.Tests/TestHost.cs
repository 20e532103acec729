using System.Runtime.CompilerServices;
using Siamorph.Acceleration;
using Siamorph.Cli;

namespace Siamorph.Tests;

/// <summary>Gives the tests the same native settings as the command, and kernels or none.</summary>
internal static class TestHost
{
    [ModuleInitializer]
    internal static void Begin()
    {
        NativeSettings.Apply();
        AppContext.SetSwitch(NoCollectionRegion.SwitchName, true);
        // How the tests are run a second time without kernels.
        if (Environment.GetEnvironmentVariable("SIAMORPH_NO_KERNELS") == "1") AppContext.SetSwitch(KernelUse.SwitchName, true);
    }
}
