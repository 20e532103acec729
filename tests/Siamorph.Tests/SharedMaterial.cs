namespace Siamorph.Tests;

/// <summary>
/// Golden numbers, data and benchmark settings that lie beside the repository; tests skip by name without them.
/// </summary>
public static class SharedMaterial
{
    /// <summary>The repository's root: the nearest folder above the test binary that holds the solution.</summary>
    public static string RepositoryRoot { get; } = FindRoot();

    /// <summary>Full path of a folder or file under `../shared`; skips the test where it is missing.</summary>
    public static string Path(params string[] parts) =>
        Existing(System.IO.Path.Combine([RepositoryRoot, "..", "shared", .. parts]), $"../shared/{string.Join('/', parts)}");

    /// <summary>Full path of a fixture, such as ("diffusion", "dhi.safetensors"); skips the test where it is missing.</summary>
    /// <remarks>The folder is that of SIAMORPH_FIXTURES where it is set, otherwise `../shared/fixtures`.</remarks>
    public static string Fixture(params string[] parts)
    {
        var folder = Environment.GetEnvironmentVariable("SIAMORPH_FIXTURES");
        return string.IsNullOrEmpty(folder)
            ? Path(["fixtures", .. parts])
            : Existing(System.IO.Path.Combine([folder, .. parts]), $"SIAMORPH_FIXTURES/{string.Join('/', parts)}");
    }

    private static string Existing(string path, string name)
    {
        var full = System.IO.Path.GetFullPath(path);
        if (!File.Exists(full) && !Directory.Exists(full)) Assert.Skip($"{name} is not here.");
        return full;
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(folder.FullName, "Siamorph.slnx"))) return folder.FullName;
        }
        return AppContext.BaseDirectory;
    }
}
