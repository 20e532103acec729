using Siamorph.Training;

namespace Siamorph.Tests.Cases;

/// <summary>Runs that once went on with other data, or wrote into one folder together, without a word.</summary>
public sealed class RunCaseTests : IDisposable
{
    private static readonly string[] TinyRun =
        ["--image-size", "32", "--base-steps", "2", "--siamese-steps", "2", "--base-batch-size", "2", "--siamese-batch-size", "2",
        "--preview-count", "0", "--checkpoint-every", "1"];

    private readonly TemporaryFolder _folder = new();

    public RunCaseTests()
    {
        Succeed("data", "phantom", _folder["a"], "--count", "12", "--size", "32x32", "--seed", "1");
        Succeed("data", "split", _folder["a"], "--train", "0.5", "--val", "0.25", "--test", "0.25");
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Resume_WithOtherData_IsRefused()
    {
        Succeed(["train", _folder["a"], "--out", _folder["r"], .. TinyRun]);
        Move(_folder["a"], _folder["moved"]);
        Succeed("train", _folder["moved"], "--out", _folder["r"], "--resume"); // the same, elsewhere
        Succeed("data", "split", _folder["moved"], "--out", _folder["anew"], "--seed", "9", "--train", "0.5", "--val", "0.25",
        "--test", "0.25");
        Refused("other data", "train", _folder["anew"], "--out", _folder["r"], "--resume");
        var image = Directory.EnumerateFiles(_folder["moved", "images"]).Order()
            .First(f => Siamorph.Data.Folders.DatasetFolder.Read(_folder["moved"]).Of("train").Any(p => p.ImagePath == f));
        Siamorph.Imaging.ImageFile.WritePng(image, Siamorph.Tests.Imaging.Pictures.Image(99, 32, 32));
        Refused("1 changed", "train", _folder["moved"], "--out", _folder["r"], "--resume");
    }

    [Fact]
    public void SegmentationResume_WithOtherData_IsRefused()
    {
        string[] small = ["--network-width", "4", "--steps", "4", "--batch-size", "2", "--image-size", "32x32"];
        Succeed(["segment", "train", _folder["a"], "--out", _folder["s"], .. small]);
        Succeed(["segment", "train", _folder["a"], "--out", _folder["s"], "--resume", .. small]);
        Succeed("data", "phantom", _folder["b"], "--count", "12", "--size", "32x32", "--seed", "2");
        Succeed("data", "split", _folder["b"], "--train", "0.5", "--val", "0.25", "--test", "0.25");
        Refused("other data", ["segment", "train", _folder["b"], "--out", _folder["s"], "--resume", .. small]);
        Refused("other data", ["segment", "train", _folder["a"], "--synthetic", _folder["b"], "--out", _folder["s"],
            "--resume", .. small]);
    }

    [Fact]
    public void SecondWriter_IsRefused_ByEveryVerbThatWrites()
    {
        Succeed(["train", _folder["a"], "--out", _folder["r"], .. TinyRun]);
        using var held = FolderLock.Take(_folder["x"]);
        Refused("another process", ["train", _folder["a"], "--out", _folder["x"], .. TinyRun]);
        Refused("another process", "synthesize", _folder["r"], "--masks", _folder["a"], "--out", _folder["x"]);
        Refused("another process", "segment", "train", _folder["a"], "--out", _folder["x"], "--steps", "1",
            "--network-width", "4");
        Refused("another process", "data", "phantom", _folder["x"], "--count", "2", "--size", "16x16");
        Refused("another process", "data", "split", _folder["a"], "--out", _folder["x"]);
        Refused("another process", "experiment", _folder["a"], "--out", _folder["x"], "--real-counts", "4");
    }

    [Fact]
    public void RunWithoutARecord_GoesOnAndSaysSo()
    {
        Succeed(["train", _folder["a"], "--out", _folder["r"], .. TinyRun]);
        File.Delete(_folder["r", DataRecord.FileName]);
        Assert.Contains("did not record its data", Succeed("train", _folder["a"], "--out", _folder["r"], "--resume"),
            StringComparison.Ordinal);
    }

    private static void Move(string from, string to) => Directory.Move(from, to);

    private static string Succeed(params string[] arguments)
    {
        var (exitCode, output, error) = CommandLine.Run(arguments);
        Assert.True(exitCode == 0, error);
        return output + error;
    }

    private static void Refused(string because, params string[] arguments)
    {
        var (exitCode, _, error) = CommandLine.Run(arguments);
        Assert.Equal(2, exitCode);
        Assert.Contains(because, error, StringComparison.Ordinal);
    }
}
