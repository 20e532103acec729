using System.Runtime.CompilerServices;
using Siamorph.Cli;

// Tensor work uses every core by itself; tests beside each other would only wait for one another.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace Siamorph.Tests;

/// <summary>Gives the tests the same native settings as the command.</summary>
internal static class TestHost
{
    [ModuleInitializer]
    internal static void Begin() => NativeSettings.Apply();
}
