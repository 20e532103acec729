using System.Reflection;

namespace Siamorph.Experiment;

/// <summary>Which product this is.</summary>
internal static class ProductVersion
{
    /// <summary>The version, such as "0.1.0".</summary>
    public static string Version { get; } = typeof(ProductVersion).Assembly.GetName().Version!.ToString(3);

    /// <summary>Version and commit.</summary>
    public static string Code { get; } =
        typeof(ProductVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion
        ?? Version;
}
