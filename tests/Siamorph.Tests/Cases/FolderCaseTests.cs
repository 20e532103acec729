using Siamorph.Data;
using Siamorph.Data.Checks;
using Siamorph.Data.Folders;
using Siamorph.Data.Splits;
using Siamorph.Imaging;
using Siamorph.Tests.Imaging;

namespace Siamorph.Tests.Cases;

/// <summary>Folders, manifests and tables that were once read in part, or wrongly, without a word.</summary>
public sealed class FolderCaseTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("07-test-folder-hides-the-rest", "with_test_labelled", 16, "train 12, test 4|test 4, train 12")]
    [InlineData("08-subfolders-are-dropped", "nested_partly", 12, "12 pairs")]
    [InlineData("08-subfolders-are-dropped", "nested_all", 12, "12 pairs")]
    [InlineData("08-subfolders-are-dropped", "busi_tree", 12, "12 pairs")]
    [InlineData("09-wrong-folder-wins", "aug_images", 12, "bbox_images/")]
    [InlineData("10-split-words", "split_words", 12, "test 2, train 8, val 2")]
    [InlineData("12-train-says-nothing", "busi_flat", 12, "left out: nothing")]
    [InlineData("12-train-says-nothing", "partly", 3, "7 images without a mask")]
    [InlineData("14-messages-that-mislead", "mani_back", 12, "left out: nothing")]
    [InlineData("14-messages-that-mislead", "prompt_array", 12, "left out: nothing")]
    [InlineData("14-messages-that-mislead", "dcm_png", 8, "not read")]
    public void Folder_IsReadWhole_AndSaysSo(string @case, string data, int pairs, string said)
    {
        var dataset = DatasetFolder.Read(SharedMaterial.Path("cases", @case, data));
        Assert.Equal(pairs, dataset.Pairs.Count);
        Assert.Contains(said.Split('|'), s => dataset.Summary().Contains(s, StringComparison.Ordinal));
    }

    [Fact]
    public void TestFolderWithoutMasks_DoesNotHideTheRest()
    {
        var dataset = DatasetFolder.Read(SharedMaterial.Path("cases", "07-test-folder-hides-the-rest", "with_test"));
        Assert.Equal(12, dataset.Of("train").Count);
        Assert.Contains(dataset.Findings, f => f.Code == FindingCodes.UnreadFolder
            && f.Subject.Contains("test", StringComparison.Ordinal));
    }

    [Fact]
    public void DrawnOverCopies_AreNotTrainedOn()
    {
        var dataset = DatasetFolder.Read(SharedMaterial.Path("cases", "09-wrong-folder-wins", "aug_images"));
        Assert.All(dataset.Pairs, p => Assert.Equal("images", Path.GetFileName(Path.GetDirectoryName(p.ImagePath))));
    }

    [Fact]
    public void FurtherLesions_AreMerged()
    {
        var pairs = DatasetFolder.Read(SharedMaterial.Path("cases", "12-train-says-nothing", "busi_flat")).Pairs;
        var two = Assert.Single(pairs, p => p.Id == "benign (1)");
        Assert.Single(two.MoreMaskPaths);
        var (first, more, both) = (ImageFile.ReadMask(two.MaskPath), ImageFile.ReadMask(two.MoreMaskPaths[0]),
            PairFiles.ReadMask(two));
        Assert.Equal(first.Labels.Zip(more.Labels, Math.Max), both.Labels);
        Assert.True(both.Labels.Sum(l => l) > first.Labels.Sum(l => l));
    }

    [Theory]
    [InlineData("numbered_good.csv", 0, "24 of 24 pairs got one of 6 groups, by the columns 'image' and 'sequence'")]
    [InlineData("numbered_pandas.csv", 0, "24 of 24 pairs got one of 6 groups, by the columns 'image' and 'sequence'")]
    [InlineData("numbered_quoted.csv", 0, "24 of 24 pairs got one of 6 groups, by the columns 'image' and 'patient'")]
    [InlineData("numbered_noheader.csv", 2, "no header")]
    [InlineData("numbered_partial.csv", 2, "--groups-partial")]
    public void GroupTable_FitsWhole_OrIsRefused(string table, int exitCode, string said)
    {
        var data = SharedMaterial.Path("cases", "02-groups-csv", "numbered");
        var result = CommandLine.Run("data", "split", data, "--groups", Path.Combine(data, "..", table), "--out", _folder["out"]);
        Assert.Equal(exitCode, result.ExitCode);
        Assert.Contains(said, result.Error, StringComparison.Ordinal);
        if (exitCode == 0) Assert.All(DatasetFolder.Read(_folder["out"]).Pairs.GroupBy(p => p.Group),
            g => Assert.Single(g.Select(p => p.Split).Distinct()));
    }

    [Theory]
    [InlineData("patient;file\nDoe, A;a.png\nDoe, A;b.png\n\"Roe; B\";c.png\n", null)]
    [InlineData("\uFEFFImage_ID\tSubject\na\t1\nb\t1\nc\t2\n", null)]
    [InlineData("date,Patient ID,notes,File Name\r\n1,A,\"two\nlines\",images/a.png\r\n2,A,\"a \"\"quote\"\"\","
        + "images\\b.png\r\n3,B,,c\r\n", null)]
    [InlineData("image,patient,sequence\na,A,1\nb,A,2\nc,B,3\n", "--group-column")]
    [InlineData("x,y\na,A\nb,A\nc,B\n", "--name-column")]
    [InlineData("image,patient\na,A\nb,A\nz,B\n", "no line")]
    [InlineData("image,patient\na,A\nb,A\nc,B\nc,C\n", "line 5")]
    [InlineData("image,patient\na,A\nb,A\nc\n", "line 4")]
    [InlineData("image,patient\na,\"A\nb,A\nc,B\n", "line 2")]
    public void Table_OfAnyMake_IsReadOrRefused(string text, string? fault)
    {
        foreach (var (name, n) in new[] { ("a", 1), ("b", 2), ("c", 3) }) Pictures.WritePair(_folder["d"], name, n);
        File.WriteAllText(_folder["groups.csv"], text);
        var dataset = DatasetFolder.Read(_folder["d"]);
        if (fault is null)
        {
            var groups = DatasetSplitter.WithGroups(dataset, _folder["groups.csv"]).Dataset.Pairs.Select(p => p.Group!).ToList();
            Assert.Equal(groups[0], groups[1]);
            Assert.NotEqual(groups[0], groups[2]);
        }
        else Assert.Contains(fault, Assert.Throws<InvalidDatasetException>(() =>
            DatasetSplitter.WithGroups(dataset, _folder["groups.csv"])).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ISIC-2017_Training_Data/ISIC_1.jpg ISIC-2017_Training_Data/ISIC_1_superpixels.png "
        + "ISIC-2017_Training_Part1_GroundTruth/ISIC_1_segmentation.png ISIC-2017_Test_v2_Data/ISIC_2.jpg "
        + "ISIC-2017_Test_v2_Part1_GroundTruth/ISIC_2_segmentation.png", "ISIC_2:test ISIC_1:train")]
    [InlineData("ISBI2016_ISIC_Part1_Training_Data/ISIC_1.jpg ISBI2016_ISIC_Part1_Training_GroundTruth/ISIC_1_Segmentation.png",
    "ISIC_1:train")]
    [InlineData("ISIC2018_Task1-2_Training_Input/ISIC_1.jpg ISIC2018_Task1_Training_GroundTruth/ISIC_1_segmentation.png "
    + "ISIC2018_Task1-2_Validation_Input/ISIC_2.jpg ISIC2018_Task1_Validation_GroundTruth/ISIC_2_segmentation.png",
    "ISIC_1:train ISIC_2:val")]
    [InlineData("Train/images/a.jpg Train/masks/a.png VALIDATION/images/b.jpg VALIDATION/masks/b.png Test/images/c.jpg "
    + "Test/masks/c.png", "c:test a:train b:val")]
    [InlineData("images/train/a.jpg masks/train/a.png images/val/a.jpg masks/val/a.png", "a:train val-a:val")]
    [InlineData("segmented-images/images/a.jpg segmented-images/masks/a.jpg", "a:")]
    [InlineData("Original/1.tif Ground Truth/1.tif", "1:")]
    [InlineData("training/images/21_training.tif training/1st_manual/21_manual1.gif training/mask/21_training_mask.gif",
        "21_training:train")]
    [InlineData("data_C1/images_C1/x.jpg data_C1/masks_C1/x_mask.jpg data_C2/images_C2/x.jpg data_C2/masks_C2/x_mask.jpg",
    "x: data_C2-images_C2-x:")]
    [InlineData("normal/normal (1).png normal/normal (1)_mask.png benign/benign (1).png benign/benign (1)_mask.png benign/benign "
    + "(1)_mask_1.png benign/benign (1)_mask_2.png", "benign (1): normal (1):")]
    [InlineData("images/p1/a.png images/p2/a.png masks/p1/a.png masks/p2/a.png", "a: p2-a:")]
    [InlineData("images/p1/a.png images/p2/b.png masks/a.png masks/b.png", "a: b:")]
    [InlineData("images/a.png masks/a.png expert_masks/a.png images_old/a.png __MACOSX/images/a.png images/._a.png .cache/a.png "
        + "images/Thumbs.db", "a:")]
    [InlineData("images/caf\u00e9.png masks/cafe\u0301.png", "caf\u00e9:")]
    public void Layout_IsRead(string files, string expected)
    {
        foreach (var file in files.Split(' ').Aggregate(new List<string>(), Join)) Write(file);
        var dataset = DatasetFolder.Read(_folder.Path);
        Assert.Equal(NormalisedName.Of(expected),
            string.Join(' ', dataset.Pairs.OrderBy(p => p.ImagePath, StringComparer.Ordinal)
                .Select(p => $"{NormalisedName.Of(p.Id)}:{p.Split}")));
        Assert.DoesNotContain(dataset.Findings, f => f.Severity == FindingSeverity.Error);
        Assert.All(dataset.Pairs, p => Assert.NotEmpty(PairFiles.ReadMask(p).Labels));

        // Names with blanks: a part without an ending belongs to the next.
        static List<string> Join(List<string> all, string part)
        {
            if (all.Count > 0 && !Path.HasExtension(all[^1])) all[^1] += $" {part}";
            else all.Add(part);
            return all;
        }
    }

    [Theory]
    [InlineData("left_images/a.png right_images/a.png masks/a.png", "left_images/, right_images/")]
    [InlineData("images/a.png annot_masks/a.png expert_masks/a.png", "annot_masks/, expert_masks/")]
    public void FoldersThatCouldBothBeMeant_AreAnError(string files, string named)
    {
        foreach (var file in files.Split(' ')) Write(file);
        Assert.Contains(named, Assert.Throws<InvalidDatasetException>(() => DatasetFolder.Read(_folder.Path)).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("images/b.dcm", "DICOM")]
    [InlineData("images/b.nii.gz", "NIfTI")]
    [InlineData("scans/IM000001", "DICOM")]
    public void MedicalFormats_AreNamed(string file, string format)
    {
        Write("images/a.png");
        Write("masks/a.png");
        Write("masks/b.png");
        Directory.CreateDirectory(Path.GetDirectoryName(_folder[file])!);
        File.WriteAllBytes(_folder[file], [.. new byte[128], .. "DICM"u8, 0]);
        var finding = Assert.Single(DatasetFolder.List(_folder.Path).Findings, f => f.Code == FindingCodes.FormatNotRead);
        Assert.Contains(format, finding.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void LinksInACircle_AreFollowedOnce()
    {
        Write("images/a.png");
        Write("masks/a.png");
        Directory.CreateSymbolicLink(_folder["images", "again"], _folder.Path);
        Directory.CreateSymbolicLink(_folder["images", "self"], _folder["images", "self"]);
        Assert.Single(DatasetFolder.Read(_folder.Path).Pairs);
    }

    [Theory]
    [InlineData("Train", "train")]
    [InlineData(" validation ", "val")]
    [InlineData("TESTING", "test")]
    [InlineData("hold-out", null)]
    [InlineData("train2", null)]
    public void SplitWord_IsUnderstood_OrAnError(string word, string? meant)
    {
        Write("images/a.png");
        Write("masks/a.png");
        File.WriteAllText(_folder["manifest.jsonl"],
            $$"""{"id":"a","image":"images\\a.png","mask":"masks\\a.png","split":"{{word}}"}""");
        if (meant is null) Assert.Contains("line 1",
            Assert.Throws<InvalidDatasetException>(() => DatasetFolder.Read(_folder.Path)).Message, StringComparison.Ordinal);
        else Assert.Equal(meant, Assert.Single(DatasetFolder.Read(_folder.Path).Pairs).Split);
    }

    [Fact]
    public void TestImageUnderAnotherName_DoesNotReachTraining()
    {
        foreach (var file in new[] { "train/images/a.png", "train/masks/a.png", "test/images/b.png", "test/masks/b.png" })
            Write(file);
        File.Copy(_folder["test/images/b.png"], _folder["train/images/c.png"]);
        File.Copy(_folder["test/masks/b.png"], _folder["train/masks/c.png"]);
        var (exitCode, _, error) = CommandLine.Run("train", _folder.Path, "--out", _folder["r"]);
        Assert.Equal(2, exitCode);
        Assert.Contains("c is b of test", error, StringComparison.Ordinal);
    }

    [Fact]
    public void ImagesOfOneNameInSeveralSplits_AreScoredByTheirFiles()
    {
        foreach (var split in new[] { "train", "val", "test" })
            foreach (var kind in new[] { "images", "masks" }) Write($"{split}/{kind}/0.png");
        ImageFile.WriteMaskPng(_folder["p", "0.png"], Pictures.Disc());
        var (exitCode, output, error) =
            CommandLine.Run("evaluate", "masks", "--truth", _folder.Path, "--predictions", _folder["p"], "--split", "test");
        Assert.True(exitCode == 0, error);
        Assert.Contains("1.0000", output, StringComparison.Ordinal);
    }

    // An image of its own for each path; a mask where the path says so.
    private void Write(string file)
    {
        var path = _folder[file];
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var isMask = file.Contains("mask", StringComparison.OrdinalIgnoreCase) || file.Contains("ruth", StringComparison.Ordinal)
            || file.Contains("manual", StringComparison.Ordinal);
        var bytes = isMask ? MaskBytes() : ImageFile.EncodePng(Pictures.Image(Math.Abs(file.Sum(c => c) % 1000)));
        File.WriteAllBytes(path, bytes); // the content tells the format, whatever the ending
    }

    private byte[] MaskBytes()
    {
        ImageFile.WriteMaskPng(_folder["..", $"{Path.GetFileName(_folder.Path)}-mask.png"], Pictures.Disc());
        var path = _folder["..", $"{Path.GetFileName(_folder.Path)}-mask.png"];
        var bytes = File.ReadAllBytes(path);
        File.Delete(path);
        return bytes;
    }
}
