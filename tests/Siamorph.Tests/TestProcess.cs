using System.Runtime.CompilerServices;
using Siamorph.Cli;

namespace Siamorph.Tests;

/// <summary>Sets up the test process as the command sets up its own: idle OpenMP threads that spin make tests many times slower.</summary>
internal static class TestProcess
{
    [ModuleInitializer]
    internal static void Begin() => NativeSettings.Apply();
}
