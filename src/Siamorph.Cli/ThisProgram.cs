namespace Siamorph.Cli;

/// <summary>How this program is started again.</summary>
internal static class ThisProgram
{
    /// <summary>Its path, and under `dotnet siamorph.dll` the program as the first argument.</summary>
    public static IReadOnlyList<string> Words { get; } =
        Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet"
            ? [Environment.ProcessPath!, Path.Combine(AppContext.BaseDirectory,
            $"{typeof(ThisProgram).Assembly.GetName().Name}.dll")]
            : [Environment.ProcessPath!];
}
