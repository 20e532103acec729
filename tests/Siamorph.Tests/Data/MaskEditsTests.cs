using System.Text.Json.Nodes;
using Siamorph.Data;
using Siamorph.Data.Checks;
using Siamorph.Data.Folders;
using Siamorph.Data.Phantom;
using Siamorph.Imaging;

namespace Siamorph.Tests.Data;

public sealed class MaskEditsTests : IDisposable
{
    private static readonly ImageSize Size = new(32, 32);
    private static readonly (string, DateTimeOffset) Who = ("anna", new DateTimeOffset(2026, 11, 27, 1, 2, 3, TimeSpan.Zero));
    private readonly TemporaryFolder _folder = new();

    public MaskEditsTests() => PhantomDataset.Write(_folder.Path, new PhantomOptions
    {
        Count = 3, Size = Size, Seed = new Seed(5),
    }, NullMonitor.Instance);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Save_ReplacesTheMask_KeepsTheOriginal_AndNamesBoth()
    {
        var pair = Pairs[1];
        var original = File.ReadAllBytes(pair.MaskPath);
        var edit = Save(pair, Square());
        Assert.Equal(Square().Labels, PairFiles.ReadMask(Pairs[1]).Labels);
        Assert.Equal(original, File.ReadAllBytes(_folder[edit.Before[0].File]));
        Assert.StartsWith($"edits/{pair.Id}/001-", edit.Before[0].File, StringComparison.Ordinal);
        var line = JsonNode.Parse(Assert.Single(File.ReadLines(_folder[MaskEdits.LogName])))!;
        Assert.Equal(("anna", pair.Id), ((string?)line["who"], (string?)line["id"]));
        Assert.Equal(ContentHash.OfFile(pair.MaskPath), (string?)line["after"]!["sha256"]);
        Assert.Equal(ContentHash.OfBytes(original), (string?)line["before"]![0]!["sha256"]);
        Save(Pairs[1], new LabelMap(Size));
        Assert.Equal(2, File.ReadLines(_folder[MaskEdits.LogName]).Count());
        Assert.Equal(2, Directory.GetFiles(_folder["edits", pair.Id]).Length);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void EditedFolder_HasNoNewFindings(bool manifest)
    {
        if (!manifest) File.Delete(_folder["manifest.jsonl"]);
        var before = DatasetValidator.Check(_folder.Path, NullMonitor.Instance).Findings;
        foreach (var pair in Pairs) Save(pair, Square());
        var after = DatasetValidator.Check(_folder.Path, NullMonitor.Instance);
        Assert.Equal(3, after.Pairs);
        Assert.Equal(before.Select(f => (f.Code, f.Subject)), after.Findings.Select(f => (f.Code, f.Subject)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Save_OfAMaskThatIsNoPng_WritesOneBesideAndTheManifestFollows(bool manifest)
    {
        var png = Pairs[0].MaskPath;
        var bmp = Path.ChangeExtension(png, ".bmp");
        File.WriteAllBytes(bmp, Bitmap(PairFiles.ReadMask(Pairs[0])));
        File.Delete(png);
        if (manifest) File.WriteAllText(_folder["manifest.jsonl"],
            File.ReadAllText(_folder["manifest.jsonl"])
                .Replace($"masks/{Path.GetFileName(png)}", $"masks/{Path.GetFileName(bmp)}", StringComparison.Ordinal)
                .Replace("\"id\"", "\"mine\":7,\"id\"", StringComparison.Ordinal));
        else File.Delete(_folder["manifest.jsonl"]);
        Assert.Equal(bmp, Pairs[0].MaskPath);
        Save(Pairs[0], Square());
        Assert.Equal((png, false), (Pairs[0].MaskPath, File.Exists(bmp)));
        Assert.Equal(Square().Labels, PairFiles.ReadMask(Pairs[0]).Labels);
        if (manifest) Assert.All(File.ReadLines(_folder["manifest.jsonl"]),
            l => Assert.Equal(7, (int)JsonNode.Parse(l)!["mine"]!));
    }

    [Fact]
    public void Save_KeepsTheNumbersOfTheFile()
    {
        ImageFile.WriteGreyPng(Pairs[0].MaskPath, new GreyImage(Size, Square().Labels, Lossless: true));
        Save(Pairs[0], Square());
        Assert.Equal(1, ImageFile.ReadMaskLevels(Pairs[0].MaskPath).Largest);
        Save(Pairs[1], Square());
        Assert.Equal(255, ImageFile.ReadMaskLevels(Pairs[1].MaskPath).Largest);
    }

    [Fact]
    public void Save_OfLesionsInFilesOfTheirOwn_JoinsThem()
    {
        var more = _folder["masks", "second.png"];
        ImageFile.WriteMaskPng(more, Square());
        Manifest.Change(_folder.Path, Pairs[0].Id, l => l["moreMasks"] = new JsonArray("masks/second.png"));
        Assert.Contains("2 files", MaskEdits.Loss(Pairs[0]), StringComparison.Ordinal);
        var edit = Save(Pairs[0], Square());
        Assert.Equal(2, edit.Before.Count);
        Assert.Equal((0, false), (Pairs[0].MoreMaskPaths.Count, File.Exists(more)));
        Assert.Equal(Square().Labels, PairFiles.ReadMask(Pairs[0]).Labels);
    }

    [Fact]
    public void Save_IsRefused_AndChangesNothing_WhereItDoesNotFit()
    {
        var (pair, hash) = (Pairs[0], ContentHash.OfFile(Pairs[0].MaskPath));
        Assert.Contains("its image", Fault(() => Save(pair, new LabelMap(new ImageSize(16, 32)))), StringComparison.Ordinal);
        Assert.Contains("changed since", Fault(() => MaskEdits.Save(Dataset, pair, Square(), new string('0', 64), Who)),
            StringComparison.Ordinal);
        using (FolderLock.Take(_folder.Path))
            Assert.Contains("another process", Fault(() => Save(pair, Square())), StringComparison.Ordinal);
        var classes = new ClassTable([new("background", 0), new("a", 1), new("b", 2)]);
        Assert.Contains("3 classes", Fault(() => Save(pair with { Classes = classes }, Square())), StringComparison.Ordinal);
        Assert.Equal(hash, ContentHash.OfFile(pair.MaskPath));
        Assert.False(File.Exists(_folder[MaskEdits.LogName]));
    }

    [Fact]
    public void IdsThatAreNoFileNames_StayWithinTheFolder()
    {
        var pair = Pairs[0] with { Id = "../../out" };
        var edit = Save(pair, Square());
        Assert.Matches("^edits/[0-9a-f]{16}/001-", edit.Before[0].File);
    }

    private Dataset Dataset => DatasetFolder.Read(_folder.Path);

    private IReadOnlyList<ImageMaskPair> Pairs => Dataset.Pairs;

    private MaskEdit Save(ImageMaskPair pair, LabelMap mask) =>
        MaskEdits.Save(Dataset, pair, mask, ContentHash.OfFile(pair.MaskPath), Who);

    private static string Fault(Func<object> act) => Assert.ThrowsAny<SiamorphException>(act).Message;

    private static LabelMap Square() =>
        new(Size, [.. Enumerable.Range(0, 1024).Select(i => (byte)(i % 32 is > 8 and < 20 && i / 32 is > 5 and < 25 ? 1 : 0))]);

    // 24 bits a pixel, from the bottom up.
    private static byte[] Bitmap(LabelMap mask)
    {
        var (width, height) = (mask.Size.Width, mask.Size.Height);
        var file = new byte[54 + 3 * width * height];
        (file[0], file[1], file[10], file[14], file[18], file[22], file[26], file[28]) =
            ((byte)'B', (byte)'M', 54, 40, (byte)width, (byte)height, 1, 24);
        BitConverter.TryWriteBytes(file.AsSpan(2), file.Length);
        for (var i = 0; i < 3 * width * height; i++)
            file[54 + i] = mask.Labels[(height - 1 - i / 3 / width) * width + i / 3 % width] == 0 ? (byte)0 : (byte)255;
        return file;
    }
}
