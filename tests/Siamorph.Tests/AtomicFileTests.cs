namespace Siamorph.Tests;

public sealed class AtomicFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Write_ThatFails_LeavesTheOldFileAndNothingElse()
    {
        AtomicFile.WriteText(_folder["a.txt"], "old");
        Assert.Throws<SiamorphException>(() => AtomicFile.Write(_folder["a.txt"], stream =>
        {
            stream.WriteByte(1);
            throw new IOException("disk full");
        }));
        Assert.Equal("old", File.ReadAllText(_folder["a.txt"]));
        Assert.Single(Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void Write_WhereNoFolderCanBe_NamesTheFileAskedFor()
    {
        File.WriteAllText(_folder["file"], "");
        var path = _folder["file", "below", "a.txt"];
        Assert.StartsWith($"{path}: can't be written",
            Assert.Throws<SiamorphException>(() => AtomicFile.WriteText(path, "x")).Message, StringComparison.Ordinal);
    }
}
