using System.Text.RegularExpressions;
using ArchUnitNET.Domain;
using ArchUnitNET.Domain.Dependencies;
using ArchUnitNET.Loader;

namespace Siamorph.Tests;

/// <summary>The house's one dependency rule, held by the compiled code: a room of the library uses only rooms above it.</summary>
public partial class ArchitectureTests
{
    // From the bottom of the house to its roof; the library's root, which all may use, stands before the first.
    private static readonly string[] Rooms =
    [
        "Imaging", "Weights", "Acceleration", "Distributed", "Diffusion", "Models", "Data", "Evaluation", "Training",
        "Siamese", "Synthesis", "Segmentation", "Experiment", "Study", "Reports",
    ];

    private static readonly Lazy<Architecture> Compiled =
        new(() => new ArchLoader().LoadAssemblies(typeof(Seed).Assembly).Build());

    private static string Library => Path.Combine(SharedMaterial.RepositoryRoot, "src", "Siamorph");

    [Fact]
    public void Lines_EndByColumn130()
    {
        const int last = 130;
        var files = new[] { "src", "tests", "bench", "samples" }.Select(f => Path.Combine(SharedMaterial.RepositoryRoot, f))
            .SelectMany(f => Directory.EnumerateFiles(f, "*.cs", SearchOption.AllDirectories)).ToList();
        Assert.True(files.Count > 500);
        Assert.Empty(files.SelectMany(f => LongLines(File.ReadAllLines(f), last).Select(n => $"{f}: line {n} is too long.")));
        string longLine = new('x', last + 1), mark = "\"\"\"";
        Assert.Equal([1, 6], LongLines([longLine, new('x', last), $"var x = {mark}", longLine, $"{mark};", longLine], last));
    }

    // What a raw string holds is data, such as a page's style.
    private static IEnumerable<int> LongLines(string[] lines, int last)
    {
        var raw = false;
        for (var i = 0; i < lines.Length; i++)
        {
            var marks = lines[i].Split("\"\"\"").Length - 1;
            if (lines[i].Length > last && !raw && marks == 0) yield return i + 1;
            if (marks % 2 == 1) raw = !raw;
        }
    }

    [Fact]
    public void EveryFolder_IsARoomOfTheList_WithOneLevelOfFoldersAtMost()
    {
        var found = Directory.GetDirectories(Library).Select(f => Path.GetFileName(f))
            .Where(f => f is not ("bin" or "obj")).ToList();
        Assert.Empty(found.Except(Rooms));
        Assert.All(found.SelectMany(f => Directory.GetDirectories(Path.Combine(Library, f))),
            f => Assert.Empty(Directory.GetDirectories(f)));
    }

    [Fact]
    public void Libtorch_KeepsItsDefaults()
    {
        // Its default device and type belong to the whole process: what another thread makes meanwhile would have them too.
        var files = Directory.EnumerateFiles(Library, "*.cs", SearchOption.AllDirectories)
            .Where(f => File.ReadAllText(f).Contains("set_default_", StringComparison.Ordinal));
        Assert.Empty(files);
    }

    [Fact]
    public void EveryType_UsesOnlyRoomsAboveItsOwn()
    {
        var faults = Dependencies().Where(d => RoomOf(d.Target) > RoomOf(d.Origin))
            .Select(d => $"{d.Origin.FullName} uses {d.Target.FullName}").Distinct();
        Assert.True(!faults.Any(), string.Join(Environment.NewLine, faults.Order(StringComparer.Ordinal)));
    }

    [Fact]
    public void Rule_SeesWhatRoomsUse()
    {
        // A rule that finds no dependency at all would hold as well.
        var used = Dependencies().Select(d => (RoomOf(d.Origin), RoomOf(d.Target))).Where(d => d.Item2 >= 0 && d.Item1 > d.Item2)
            .Distinct().Count();
        Assert.True(used > 40, $"only {used} pairs of rooms use each other");
    }

    [Fact]
    public void Library_NeitherPrints_NorReadsTheEnvironment()
    {
        string[] forbidden = ["GetEnvironmentVariable(", "GetCommandLineArgs(", "Exit("];
        var calls = Dependencies().OfType<MethodCallDependency>();
        Assert.Empty(calls.Where(d => d.Target.FullName == "System.Console").Select(d => d.Origin.FullName).Distinct());
        Assert.Empty(calls.Where(d => d.Target.FullName == "System.Environment"
            && forbidden.Any(f => d.TargetMember.Name.StartsWith(f, StringComparison.Ordinal))).Select(d => d.Origin.FullName)
            .Distinct());
    }

    [Fact]
    public void Codecs_AreUsedInImagingAlone()
        => Assert.Empty(Dependencies()
        .Where(d => RoomOf(d.Origin) != 0
        && (Namespace(d.Target).StartsWith("SkiaSharp", StringComparison.Ordinal)
        || Namespace(d.Target).StartsWith("BitMiracle", StringComparison.Ordinal)))
            .Select(d => d.Origin.FullName).Distinct());

    [Fact]
    public void Models_OpenNoFiles()
        => Assert.Empty(Dependencies().OfType<MethodCallDependency>()
        .Where(d => d.Target.FullName is "System.IO.File" or "System.IO.FileStream")
        .Where(d => RoomOf(d.Origin) == Array.IndexOf(Rooms, "Models")).Select(d => d.Origin.FullName).Distinct());

    [Fact]
    public void Studio_UsesTheLibrary_AndOnlyTheCommandUsesIt()
    {
        static string[] Uses(System.Reflection.Assembly assembly) => [.. assembly.GetReferencedAssemblies().Select(a => a.Name!)];
        var (library, studio, command) =
            (typeof(Seed).Assembly, typeof(Siamorph.Studio.StudioServer).Assembly, typeof(Siamorph.Cli.Program).Assembly);
        Assert.DoesNotContain(studio.GetName().Name, Uses(library));
        Assert.Contains(library.GetName().Name, Uses(studio));
        Assert.DoesNotContain(command.GetName().Name, Uses(studio));
        Assert.DoesNotContain("TorchSharp", Uses(studio));
        Assert.Contains(studio.GetName().Name, Uses(command));
    }

    [Fact]
    public void EveryNamespace_IsItsFolder()
    {
        var faults = Directory.EnumerateFiles(Library, "*.cs", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Library, path))
            .Where(n => !n.StartsWith("obj", StringComparison.Ordinal) && !n.StartsWith("bin", StringComparison.Ordinal))
            .Where(n => NamespaceOf().Match(File.ReadAllText(Path.Combine(Library, n))).Groups[1].Value
                != string.Join('.', ((string[])["Siamorph"])
                .Concat(Path.GetDirectoryName(n)!.Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries))));
        Assert.Empty(faults);
    }

    // Type parameters of methods are taken for one another by the loader, and are no use of a room.
    private static IEnumerable<ITypeDependency> Dependencies() =>
        Compiled.Value.Types.Where(t => Namespace(t).StartsWith("Siamorph", StringComparison.Ordinal))
        .SelectMany(t => t.Dependencies).Where(d => d.Target is not GenericParameter);

    private static int RoomOf(IType type)
    {
        var name = Namespace(type);
        return name.StartsWith("Siamorph.", StringComparison.Ordinal) ? Array.IndexOf(Rooms, name.Split('.')[1]) : -1;
    }

    private static string Namespace(IType type) => type.Namespace?.FullName ?? "";

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex NamespaceOf();
}
