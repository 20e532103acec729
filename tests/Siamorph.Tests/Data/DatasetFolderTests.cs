using Siamorph.Data;
using Siamorph.Data.Checks;
using Siamorph.Data.Folders;
using Siamorph.Tests.Imaging;

namespace Siamorph.Tests.Data;

public sealed class DatasetFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ImagesAndMasks_ArePairedByStem()
    {
        Touch("images/b.jpg", "images/a.png", "images/lonely.jpg", "masks/a.png", "masks/b.png", "masks/orphan.png");
        var dataset = DatasetFolder.Read(_folder.Path);
        Assert.Equal(["a", "b"], dataset.Pairs.Select(p => p.Id));
        Assert.Equal(_folder["images", "b.jpg"], dataset.Pairs[1].ImagePath);
        Assert.Equal(_folder["masks", "b.png"], dataset.Pairs[1].MaskPath);
        Assert.Equal(
            [(FindingCodes.MissingMask, "images/lonely.jpg"), (FindingCodes.MissingImage, "masks/orphan.png")],
            dataset.Findings.Select(f => (f.Code, f.Subject)));
    }

    [Theory]
    [InlineData("images/ISIC_1.jpg", "masks/ISIC_1_segmentation.png")]
    [InlineData("ISIC_1.jpg", "ISIC_1_segmentation.png")]
    [InlineData("images/ISIC_1.jpg", "images/ISIC_1_segmentation.png")]
    [InlineData("ISIC2018_Task1-2_Training_Input/ISIC_1.jpg", "ISIC2018_Task1_Training_GroundTruth/ISIC_1_segmentation.png")]
    public void IsicNames_ArePaired(string image, string mask)
    {
        Touch(image, mask);
        var pair = Assert.Single(DatasetFolder.Read(_folder.Path).Pairs);
        Assert.Equal(("ISIC_1", _folder[image], _folder[mask]), (pair.Id, pair.ImagePath, pair.MaskPath));
    }

    [Fact]
    public void ASuffixThatTheImageHasToo_BelongsToTheStem()
    {
        Touch("images/x_seg.jpg", "masks/x_seg.png");
        Assert.Equal("x_seg", Assert.Single(DatasetFolder.Read(_folder.Path).Pairs).Id);
    }

    [Fact]
    public void SplitFolders_SetTheSplit()
    {
        Touch("train/images/a.png", "train/masks/a.png", "val/images/b.png", "val/masks/b.png", "test/images/a.png",
            "test/masks/a.png");
        Assert.Equal([("a", "train"), ("b", "val"), ("test-a", "test")],
            DatasetFolder.Read(_folder.Path).Pairs.Select(p => (p.Id, p.Split!)));
    }

    [Fact]
    public void PromptLines_AreRead()
    {
        Touch("images/1.png", "masks/1.png", "data/images/2.png", "data/masks/2.png");
        File.WriteAllText(_folder["prompt.json"], """
            {"source": "masks/1.png", "target": "images/1.png", "prompt": "a polyp"}
            {"source": "./training/data/masks/2.png", "target": "./training/data/images/2.png", "prompt": ""}

            {"source": "masks/9.png", "target": "images/9.png", "prompt": "gone"}
            """);
        var dataset = DatasetFolder.Read(_folder.Path);
        Assert.Equal([("1", "a polyp"), ("2", "")], dataset.Pairs.Select(p => (p.Id, p.Prompt)));
        Assert.Equal(_folder["data", "masks", "2.png"], dataset.Pairs[1].MaskPath);
        Assert.Equal(2, dataset.Findings.Count(f => f.Code == FindingCodes.MissingFile && f.Severity == FindingSeverity.Error));
    }

    [Fact]
    public void NnUnet_IsRead_WithChannelFiles()
    {
        Touch("dataset.json", "imagesTr/a_0000.png", "labelsTr/a.png", "labelsTr/alone.png");
        var image = Pictures.Image(4);
        for (var c = 0; c < 3; c++)
            Pictures.WriteGrey(_folder["imagesTr", $"b_000{c}.png"], image.Size, i => image.Pixels[3 * i + c]);
        Pictures.WriteGrey(_folder["labelsTr", "b.png"], image.Size, i => (byte)(i < 300 ? 1 : 0));
        var dataset = DatasetFolder.Read(_folder.Path);
        Assert.Equal(["a", "b"], dataset.Pairs.Select(p => p.Id));
        Assert.Equal(FindingCodes.MissingImage, Assert.Single(dataset.Findings).Code);
        Assert.Equal(image.Pixels, PairFiles.ReadImage(dataset.Pairs[1]).Pixels);
        Assert.Equal(300, PairFiles.ReadMask(dataset.Pairs[1]).Labels.Sum(l => l));
    }

    [Fact]
    public void Manifest_WrittenAndRead_IsTheSame()
    {
        Touch("images/a.png", "masks/a.png", "images/b_0.png", "images/b_1.png", "images/b_2.png");
        ImageMaskPair[] pairs =
        [
            new()
            {
                Id = "a", ImagePath = _folder["images", "a.png"], MaskPath = _folder["masks", "a.png"], Prompt = "ein „Polyp“",
                Source = PairSource.Synthetic, Split = "val", Group = "case-1",
                Origin = new SyntheticOrigin("abc", ulong.MaxValue, "ddim", 20, 2.5, "m1", "flip", "kept"),
            },
            new()
            {
                Id = "b", ImagePath = _folder["images", "b_0.png"], MaskPath = _folder["masks", "a.png"],
                Channels = new ChannelFiles(_folder["images", "b_1.png"], _folder["images", "b_2.png"]),
            },
        ];
        DatasetFolder.WriteManifest(_folder.Path, pairs);
        Assert.DoesNotContain(_folder.Path, File.ReadAllText(_folder["manifest.jsonl"]), StringComparison.Ordinal);
        var dataset = DatasetFolder.Read(_folder.Path);
        Assert.Equal(pairs, dataset.Pairs);
        Assert.Empty(dataset.Findings);
    }

    [Fact]
    public void Manifest_NamesMissingAndUnlistedFiles()
    {
        Touch("images/a.png", "masks/a.png", "images/stray.png");
        File.WriteAllText(_folder["manifest.jsonl"], """
            {"id":"a","image":"images/a.png","mask":"masks/a.png","later":"field"}
            {"id":"b","image":"images/b.png","mask":"masks/b.png"}
            """);
        var findings = DatasetFolder.Read(_folder.Path).Findings;
        Assert.Equal(2, findings.Count(f => f is { Code: FindingCodes.MissingFile, Subject: "b" }));
        Assert.Contains(findings, f => f is { Code: FindingCodes.UnlistedFile, Subject: "images/stray.png" });
    }

    [Theory]
    [InlineData("{\"image\": 5")]
    [InlineData("{\"id\": \"a\"}")]
    [InlineData("[]")]
    public void DamagedManifest_NamesTheLine(string line)
    {
        File.WriteAllText(_folder["manifest.jsonl"], "\n" + line);
        Assert.Contains("manifest.jsonl, line 2",
            Assert.Throws<InvalidDatasetException>(() => DatasetFolder.Read(_folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void NothingUsable_IsOneClearError()
    {
        Assert.Contains("the folder does not exist",
            Assert.Throws<InvalidDatasetException>(() => DatasetFolder.Read(_folder["none"])).Message, StringComparison.Ordinal);
        Touch("images/a.png");
        var message = Assert.Throws<InvalidDatasetException>(() => DatasetFolder.Read(_folder.Path)).Message;
        Assert.Contains("images/a.png", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    private void Touch(params string[] names)
    {
        foreach (var name in names)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_folder[name])!);
            File.WriteAllBytes(_folder[name], []);
        }
    }
}
