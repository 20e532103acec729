using System.Diagnostics;

namespace Siamorph.Tests;

public sealed class FolderLockTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void SecondWriter_IsRefusedByName()
    {
        using (FolderLock.Take(_folder["run"]))
        {
            var message = Assert.Throws<SiamorphException>(() => FolderLock.Take(_folder["run"])).Message;
            Assert.StartsWith(_folder["run"], message, StringComparison.Ordinal);
            Assert.Contains("another process", message, StringComparison.Ordinal);
        }
        using var next = FolderLock.Take(_folder["run"]);
    }

    [Fact]
    public void FileSystem_ThatGrantsEveryLock_IsRefused_AndOneThatDoesNot_IsNot()
    {
        FolderLock.TakeTested(_folder["run"]).Dispose();
        static FileStream WithoutLocks(string path) => new(path, FileMode.OpenOrCreate, FileAccess.Read, FileShare.ReadWrite);
        var elsewhere = _folder["elsewhere"];
        var message = Assert.Throws<SiamorphException>(() =>
            FolderLock.TakeTested(elsewhere, _ => WithoutLocks(_folder["run", "other"]))).Message;
        Assert.StartsWith($"{elsewhere}: file locks do nothing", message, StringComparison.Ordinal);
        FolderLock.Take(elsewhere).Dispose(); // it was let go
    }

    [Fact]
    public void LockedFolder_CountsAsEmpty()
    {
        Assert.True(FolderLock.IsEmpty(_folder["run"]));
        using (FolderLock.Take(_folder["run"])) Assert.True(FolderLock.IsEmpty(_folder["run"]));
        File.WriteAllText(_folder["run", "a.txt"], "");
        Assert.False(FolderLock.IsEmpty(_folder["run"]));
    }

    [Fact]
    public void KilledProcess_LeavesNoLock()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("flock is of Linux.");
        Directory.CreateDirectory(_folder["run"]);
        var start = new ProcessStartInfo("flock", ["--no-fork", "-x", _folder["run", FolderLock.FileName], "sleep", "60"]);
        using (var holder = Process.Start(start)!)
        {
            Assert.True(SpinWait.SpinUntil(IsTaken, TimeSpan.FromSeconds(10)));
            holder.Kill(entireProcessTree: true);
            holder.WaitForExit();
        }
        using var taken = FolderLock.Take(_folder["run"]);

        bool IsTaken()
        {
            try
            {
                FolderLock.Take(_folder["run"]).Dispose();
                return false;
            }
            catch (SiamorphException e) when (e.Message.Contains("another process", StringComparison.Ordinal))
            {
                return true;
            }
        }
    }

    [Fact]
    public void UnfinishedFiles_OfAKilledProcess_AreRemoved_AndNothingElse()
    {
        var unfinished = $".123-{Guid.NewGuid():N}.partial";
        foreach (var folder in new[] { "run", "run/images", "run/held" }) Directory.CreateDirectory(_folder[folder]);
        foreach (var file in new[] { $"run/a.png{unfinished}", $"run/images/b.png{unfinished}", $"run/held/c.png{unfinished}",
            "run/images/mine.partial", "run/images/b.png" })
            File.WriteAllText(_folder[file], "");
        using (FolderLock.Take(_folder["run/held"]))
        {
            File.WriteAllText(_folder[$"run/held/d.png{unfinished}"], ""); // by the one that holds it
            using var taken = FolderLock.Take(_folder["run"]);
            Assert.Equal(["b.png", $"d.png{unfinished}", "mine.partial"],
                Directory.EnumerateFiles(_folder["run"], "*", SearchOption.AllDirectories).Select(f => Path.GetFileName(f)!)
                    .Where(f => f != FolderLock.FileName).Order());
        }
    }

    [Fact]
    public void FolderThatCantBeWritten_IsNamed()
    {
        File.WriteAllText(_folder["file"], "");
        Assert.Contains("can't be written", Assert.Throws<SiamorphException>(() => FolderLock.Take(_folder["file"])).Message,
            StringComparison.Ordinal);
    }
}
