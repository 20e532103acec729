using Siamorph.Cli;
using Siamorph.Data.Folders;

namespace Siamorph.Tests.Data;

/// <summary>The verbs `data …`, through the command line.</summary>
public sealed class DataVerbsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly StringWriter _output = new(), _error = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void PhantomThenSplitThenCheck_Works()
    {
        var data = _folder["phantom"];
        Assert.Equal(0, Run("data", "phantom", data, "--count", "12", "--size", "32x24", "--seed", "5"));
        Assert.Equal(0, Run("data", "split", data, "--train", "0.5", "--val", "0.25", "--test", "0.25"));
        var pairs = DatasetFolder.Read(data).Pairs;
        Assert.Equal(12, pairs.Count);
        Assert.Equal(["test", "train", "val"], pairs.Select(p => p.Split!).Distinct().Order());
        Assert.Equal(0, Run("data", "check", data));
        Assert.Contains("0 errors", _output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Split_ElsewhereLeavesTheFolderAlone()
    {
        Run("data", "phantom", _folder["phantom"], "--count", "12", "--size", "16x16");
        var before = File.ReadAllText(_folder["phantom", "manifest.jsonl"]);
        Assert.Equal(0, Run("data", "split", _folder["phantom"], "--out", _folder["split"]));
        Assert.Equal(before, File.ReadAllText(_folder["phantom", "manifest.jsonl"]));
        Assert.All(DatasetFolder.Read(_folder["split"]).Pairs, p => Assert.NotNull(p.Split));
    }

    [Fact]
    public void Check_WithErrors_ListsThemAndReturns2()
    {
        Run("data", "phantom", _folder["phantom"], "--count", "4", "--size", "32x32");
        File.WriteAllText(_folder["phantom", "images", "phantom-00001.png"], "broken");
        File.Delete(_folder["phantom", "masks", "phantom-00002.png"]);
        Assert.Equal(2, Run("data", "check", _folder["phantom"]));
        var text = _output.ToString();
        Assert.Contains("unreadable", text, StringComparison.Ordinal);
        Assert.Contains("missing-file", text, StringComparison.Ordinal);
        Assert.Equal(2, Run("data", "check", _folder["phantom"], "--json"));
    }

    [Fact]
    public void BadFolder_IsOneLine()
    {
        Assert.Equal(2, Run("data", "check", _folder["none"]));
        Assert.Single(_error.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(2, Run("data", "split", _folder["none"]));
        Assert.Equal(2, Run("data", "phantom", _folder["x"], "--count", "0"));
    }

    private int Run(params string[] arguments) =>
        Application.Run([DataCommand.Create()], arguments, new Application.Surroundings { Output = _output, Error = _error });
}
