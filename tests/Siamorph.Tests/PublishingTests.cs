using System.Diagnostics;
using System.Text.Json;

namespace Siamorph.Tests;

/// <summary>What is handed out, as the build files lay it out; nothing of it is copied here, since it is 500 MB.</summary>
public sealed class PublishingTests(PublishingTests.Published published) : IClassFixture<PublishingTests.Published>
{
    private static string Command => Path.Combine(SharedMaterial.RepositoryRoot, "src", "Siamorph.Cli", "Siamorph.Cli.csproj");

    private static string Library => Path.Combine(SharedMaterial.RepositoryRoot, "src", "Siamorph", "Siamorph.csproj");

    /// <summary>The files that a publish on this machine would copy, asked for once.</summary>
    public sealed class Published
    {
        public Published()
        {
            var answer = MSBuild(Command, "-t:BuildOnlySettings;ResolveReferences;ComputeResolvedFilesToPublishList",
                "-p:BuildProjectReferences=false", "-getItem:ResolvedFileToPublish");
            Files = answer.RootElement.GetProperty("Items").GetProperty("ResolvedFileToPublish").EnumerateArray()
                .Select(f => (f.GetProperty("RelativePath").GetString()!.Replace('\\', '/'),
                f.GetProperty("FullPath").GetString()!)).ToList();
        }

        internal IReadOnlyList<(string Name, string Source)> Files { get; }
    }

    [Theory]
    [InlineData("linux-x64", "libtorch-cpu-linux-x64")]
    [InlineData("win-x64", "libtorch-cpu-win-x64")]
    [InlineData("osx-arm64", "libtorch-cpu-osx-arm64")]
    public void Torch_IsThatOfTheRuntimeIdentifier_NotOfTheMachineThatBuilds(string runtime, string package)
    {
        var references = MSBuild(Command, $"-p:RuntimeIdentifier={runtime}",
            "-getItem:PackageReference").RootElement.GetProperty("Items").GetProperty("PackageReference");
        var native = references.EnumerateArray().Select(p => p.GetProperty("Identity").GetString()!)
            .Where(p => p.StartsWith("libtorch", StringComparison.Ordinal));
        Assert.Equal([package], native);
    }

    [Fact]
    public void Published_HasTheCommandUnderItsName_AndTheLicences()
    {
        var names = published.Files.Select(f => f.Name).ToList();
        Assert.Contains(OperatingSystem.IsWindows() ? "siamorph.exe" : "siamorph", names);
        Assert.DoesNotContain(OperatingSystem.IsWindows() ? "Siamorph.Cli.exe" : "Siamorph.Cli", names);
        Assert.Superset(new HashSet<string>
        {
            "Siamorph.Cli.dll", "LICENSE", "NOTICE.md", "LICENSE-LIBTORCH.txt",
        }, names.ToHashSet());
    }

    [Fact]
    public void Published_HasLibtorch_WithoutWhatOnlyPythonAndTestsUse()
    {
        var names = published.Files.Select(f => Path.GetFileName(f.Name)).ToList();
        Assert.Contains(names, n => n.Contains("torch_cpu", StringComparison.Ordinal));
        Assert.DoesNotContain(names, n => n.Contains("python", StringComparison.Ordinal)
            || n.Contains("_test", StringComparison.Ordinal) || n.Contains("mscordbi", StringComparison.Ordinal));
    }

    [Fact]
    public void Published_TakesTheWeakenedCopyOfTorchSharpsLibrary()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("Only Linux has this library format.");
        var source = published.Files.Single(f => Path.GetFileName(f.Name) == "libLibTorchSharp.so").Source;
        Assert.StartsWith(Path.Combine(SharedMaterial.RepositoryRoot, "artifacts", "obj"), source, StringComparison.Ordinal);
        Assert.True(NativeLibraryTests.DemandsTheNewRuntimeOnlyWeakly(source));
    }

    [Fact]
    public void Published_HasTheSummaries_ThatHelpIsMadeOf()
        => Assert.Superset(new HashSet<string>
        {
            "Siamorph.dll", "Siamorph.xml",
        }, published.Files.Select(f => f.Name).ToHashSet());

    [Fact]
    public void Published_SharesNoFileWithThePackageCache()
        => Assert.Equal("false", Properties(Command, "CreateHardLinksForPublishFilesIfPossible", "Version")
        .GetProperty("CreateHardLinksForPublishFilesIfPossible").GetString());

    [Fact]
    public void Library_IsAPackageWithReadmeAndSymbols()
    {
        var properties = Properties(Library, "IsPackable", "PackageReadmeFile", "IncludeSymbols", "SymbolPackageFormat",
            "PackageLicenseExpression");
        Assert.Equal(["true", "README.md", "true", "snupkg", "MIT"],
            properties.EnumerateObject().Select(p => p.Value.GetString()!));
        Assert.True(File.Exists(Path.Combine(Path.GetDirectoryName(Library)!, "README.md")));
    }

    [Theory]
    [InlineData("linux-x64", "siamorph")]
    [InlineData("win-x64", "siamorph.exe")]
    [InlineData("osx-arm64", "siamorph")]
    public void Tool_StartsTheCommandOfItsSystem(string runtime, string entry)
    {
        var properties = Properties(Command, $"-p:RuntimeIdentifier={runtime}", "ToolEntryPoint", "ToolCommandName", "PackageId");
        Assert.Equal([entry, "siamorph", "Siamorph.Tool"], properties.EnumerateObject().Select(p => p.Value.GetString()!));
    }

    private static JsonElement Properties(string project, params string[] wanted)
        => MSBuild(project, [.. wanted.Where(w => w[0] == '-'),
        $"-getProperty:{string.Join(',', wanted.Where(w => w[0] != '-'))}"]).RootElement.GetProperty("Properties");

    private static JsonDocument MSBuild(string project, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet",
            ["msbuild", project, "-nologo", "-nodeReuse:false", "-p:Configuration=Release", .. arguments])
        {
            RedirectStandardOutput = true, WorkingDirectory = SharedMaterial.RepositoryRoot,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, output);
        return JsonDocument.Parse(output);
    }
}
