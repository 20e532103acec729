using System.Runtime.CompilerServices;
using Siamorph.Cli;

namespace Siamorph.Tests;

/// <summary>Gives the tests the same native settings as the command.</summary>
internal static class TestHost
{
    [ModuleInitializer]
    internal static void Begin() => NativeSettings.Apply();
}
