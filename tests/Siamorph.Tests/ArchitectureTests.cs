using System.Text.RegularExpressions;

namespace Siamorph.Tests;

/// <summary>The house's one dependency rule: a folder of the library uses only folders above it.</summary>
public partial class ArchitectureTests
{
    // From the bottom of the house to its roof; the library's root, which all may use, stands before the first.
    private static readonly string[] Folders =
    [
        "Imaging", "Weights", "Acceleration", "Distributed", "Diffusion", "Models", "Data", "Evaluation", "Training",
        "Siamese", "Synthesis", "Segmentation", "Experiment", "Study", "Reports",
    ];

    private static string Library => Path.Combine(SharedMaterial.RepositoryRoot, "src", "Siamorph");

    [Fact]
    public void EveryFolder_IsInTheList_AndHoldsNoFolders()
    {
        var found = Directory.GetDirectories(Library).Select(f => Path.GetFileName(f)).Where(f => f is not ("bin" or "obj")).ToList();
        Assert.Empty(found.Except(Folders));
        Assert.All(found, f => Assert.Empty(Directory.GetDirectories(Path.Combine(Library, f))));
    }

    [Fact]
    public void EveryFile_UsesOnlyFoldersAboveItsOwn()
    {
        var faults = Sources().SelectMany(s => Uses(s.Text)
            .Where(used => Array.IndexOf(Folders, used) > Array.IndexOf(Folders, s.Folder))
            .Select(used => $"{s.Name} uses {used}"));
        Assert.Empty(faults);
    }

    [Fact]
    public void EveryNamespace_IsItsFolder()
    {
        var faults = Sources().Where(s => NamespaceOf().Match(s.Text).Groups[1].Value != (s.Folder.Length == 0 ? "Siamorph" : $"Siamorph.{s.Folder}"));
        Assert.Empty(faults.Select(s => s.Name));
    }

    [Fact]
    public void Library_NeitherPrints_NorReadsTheEnvironment()
    {
        var faults = Sources().Where(s => Forbidden().IsMatch(Comment().Replace(s.Text, ""))).Select(s => s.Name);
        Assert.Empty(faults);
    }

    [Fact]
    public void Codecs_AreUsedInImagingAlone()
    {
        var faults = Sources().Where(s => s.Folder != "Imaging" && s.Text.Contains("using SkiaSharp", StringComparison.Ordinal)).Select(s => s.Name);
        Assert.Empty(faults);
    }

    private static IEnumerable<(string Name, string Folder, string Text)> Sources() =>
        Directory.EnumerateFiles(Library, "*.cs", SearchOption.AllDirectories)
            .Select(path => (Name: Path.GetRelativePath(Library, path), Text: File.ReadAllText(path)))
            .Where(s => !s.Name.StartsWith("obj", StringComparison.Ordinal) && !s.Name.StartsWith("bin", StringComparison.Ordinal))
            .Select(s => (s.Name, Path.GetDirectoryName(s.Name)!, s.Text));

    // `using Siamorph.Data;`, aliases, and names written out as Siamorph.Data.X; comments don't count.
    private static IEnumerable<string> Uses(string text) =>
        FolderName().Matches(Comment().Replace(text, "")).Select(m => m.Groups[1].Value).Where(Folders.Contains).Distinct();

    [GeneratedRegex(@"\bSiamorph\.([A-Z]\w*)")]
    private static partial Regex FolderName();

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex NamespaceOf();

    [GeneratedRegex(@"//.*$", RegexOptions.Multiline)]
    private static partial Regex Comment();

    [GeneratedRegex(@"\bConsole\.|\bEnvironment\.(GetEnvironmentVariable|GetCommandLineArgs|Exit)\b")]
    private static partial Regex Forbidden();
}
