using Siamorph.Cli;

namespace Siamorph.Tests.Cli;

/// <summary>What is said on a machine that lacks a library, before anything needs it.</summary>
public sealed class SystemLibrariesTests
{
    private static readonly string[] _debian12 = ["libstdc++.so.6", "libssl.so.3"];

    [Fact]
    public void Here_NothingIsMissing() => Assert.Null(SystemLibraries.Fault());

    [Theory]
    [InlineData("2.34")]
    [InlineData("2.41")]
    [InlineData("3.0")]
    public void Glibc_NewEnough_Passes(string glibc) => Assert.Null(SystemLibraries.FaultOf(Machine(glibc, _debian12)));

    [Theory]
    [InlineData("2.31")]
    [InlineData("2.33")]
    [InlineData("1.99")]
    public void Glibc_TooOld_IsNamedWithWhatIsNeeded(string glibc)
    {
        var fault = SystemLibraries.FaultOf(Machine(glibc, _debian12));
        Assert.StartsWith($"glibc {glibc} is too old: 2.34", fault, StringComparison.Ordinal);
        Assert.DoesNotContain("\n", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void AnotherCLibrary_IsSaid() =>
        Assert.Contains("not glibc", SystemLibraries.FaultOf(Machine(null, _debian12)), StringComparison.Ordinal);

    [Theory]
    [InlineData("libssl.so.3", true)]
    [InlineData("libssl.so.1.1", true)]
    [InlineData("libssl.so.10", true)]
    [InlineData("libssl.so.4", false)]
    [InlineData("libcrypto.so.3", false)]
    public void OpenSsl_CountsWhereDotNetTakesIt(string library, bool enough)
        => Assert.Equal(enough, SystemLibraries.FaultOf(Machine("2.36", ["libstdc++.so.6", library])) is null);

    [Fact]
    public void OpenSsl_Missing_NamesThePackage()
        => Assert.Contains("apt-get install libssl3", SystemLibraries.FaultOf(Machine("2.36", ["libstdc++.so.6"])),
        StringComparison.Ordinal);

    [Fact]
    public void OpenSsl_OfTheUsersChoice_Counts()
        => Assert.Null(SystemLibraries.FaultOf(Machine("2.36", ["libstdc++.so.6", "libssl.so.4"]) with { OpenSslVersion = "4" }));

    [Fact]
    public void Cpp_Missing_NamesThePackage()
        => Assert.Contains("apt-get install libstdc++6", SystemLibraries.FaultOf(Machine("2.36", ["libssl.so.3"])),
        StringComparison.Ordinal);

    [Fact]
    public void Cpp_TooOld_IsToldApart()
        => Assert.StartsWith("libstdc++ is too old", SystemLibraries.FaultOf(Machine("2.34", _debian12) with
        {
            HasNewCpp = () => false,
        }), StringComparison.Ordinal);

    private static SystemLibraries.Facts Machine(string? glibc, string[] libraries)
        => new(glibc is null ? null : Version.Parse(glibc), libraries.Contains, () => true);
}
