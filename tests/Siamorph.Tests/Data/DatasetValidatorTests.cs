using Siamorph.Data.Checks;
using Siamorph.Data.Folders;
using Siamorph.Imaging;
using Siamorph.Tests.Imaging;

namespace Siamorph.Tests.Data;

public sealed class DatasetValidatorTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public DatasetValidatorTests()
    {
        Pictures.WritePair(_folder.Path, "a", 1);
        Pictures.WritePair(_folder.Path, "b", 2);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void SoundDataset_HasNoFindings()
    {
        var report = Check();
        Assert.Empty(report.Findings);
        Assert.Equal((2, 0, 0), (report.Pairs, report.Errors, report.Warnings));
        Assert.Equal(2, report.Sizes["48×40"]);
        Assert.InRange(report.Area!.Median, 0.15, 0.25);
    }

    [Fact]
    public void AllFaults_AreReportedTogether()
    {
        File.WriteAllText(_folder["images", "a.png"], "broken");
        ImageFile.WriteMaskPng(_folder["masks", "b.png"], Pictures.Disc(10, 10));
        File.Copy(_folder["masks", "b.png"], _folder["masks", "c.png"]);
        Pictures.WritePair(_folder.Path, "d", 4);
        File.WriteAllBytes(_folder["masks", "d.png"], File.ReadAllBytes(_folder["masks", "d.png"])[..^30]);
        var report = Check();
        AssertHas(report, FindingCodes.Unreadable, FindingSeverity.Error, "a");
        AssertHas(report, FindingCodes.SizeMismatch, FindingSeverity.Error, "b");
        AssertHas(report, FindingCodes.MissingImage, FindingSeverity.Error, "masks/c.png");
        AssertHas(report, FindingCodes.Unreadable, FindingSeverity.Error, "d");
        Assert.Equal(4, report.Errors);
    }

    [Fact]
    public void JpegMask_IsANote_AndUsable()
    {
        File.Delete(_folder["masks", "a.png"]);
        Pictures.WriteJpeg(_folder["masks", "a.jpg"], ContactSheet.OfMask(Pictures.Disc()), 75);
        var finding = AssertHas(Check(), FindingCodes.RingedMask, FindingSeverity.Warning, "a");
        Assert.Contains("127", finding.Message, StringComparison.Ordinal);
        Assert.Equal(Pictures.Disc().Labels.Count(l => l > 0),
            ImageFile.ReadMask(_folder["masks", "a.jpg"]).Labels.Count(l => l > 0), 30.0);
    }

    [Theory]
    [InlineData("grey", FindingCodes.NonBinaryMask, FindingSeverity.Error)]
    [InlineData("empty", FindingCodes.EmptyMask, FindingSeverity.Warning)]
    [InlineData("dim", FindingCodes.EmptyMask, FindingSeverity.Warning)]
    [InlineData("full", FindingCodes.FullMask, FindingSeverity.Error)]
    [InlineData("inverted", FindingCodes.InvertedMask, FindingSeverity.Warning)]
    [InlineData("classes", FindingCodes.SeveralClasses, FindingSeverity.Warning)]
    public void OddMask_IsFound(string kind, string code, FindingSeverity severity)
    {
        var disc = Pictures.Disc().Labels;
        Pictures.WriteGrey(_folder["masks", "a.png"], new ImageSize(48, 40), i => kind switch
        {
            "grey" => (byte)(disc[i] * (i % 2 == 0 ? 255 : 128)),
            "empty" => 0,
            "dim" => (byte)(disc[i] * (20 + i % 90)), // faint and uneven: neither a lesion nor numbers
            "full" => 255,
            "inverted" => (byte)(255 - 255 * disc[i]),
            _ => (byte)(disc[i] * (1 + i % 2)),
        });
        AssertHas(Check(), code, severity, "a");
        if (kind != "dim") Assert.Single(Check().Findings); // a dim mask is not binary either
    }

    [Fact]
    public void Duplicates_AreFound_InAnyFormat()
    {
        Pictures.WritePair(_folder.Path, "c", 1);
        Pictures.WriteJpeg(_folder["images", "d.jpg"], ImageFile.ReadRgb(_folder["images", "b.png"]), 80);
        ImageFile.WriteMaskPng(_folder["masks", "d.png"], Pictures.Disc());
        var report = Check();
        Assert.Equal("a", AssertHas(report, FindingCodes.Duplicate, FindingSeverity.Warning, "c").Other);
        Assert.Equal("b", AssertHas(report, FindingCodes.NearDuplicate, FindingSeverity.Warning, "d").Other);
        Assert.Equal(2, report.Findings.Count);
    }

    [Fact]
    public void SameImage_WithAnotherMask_IsAConflict()
    {
        Pictures.WritePair(_folder.Path, "c", 1);
        ImageFile.WriteMaskPng(_folder["masks", "c.png"], Pictures.Disc(radius: 0.1));
        AssertHas(Check(), FindingCodes.ConflictingMasks, FindingSeverity.Error, "c");
    }

    [Fact]
    public void DuplicatesAndGroups_AcrossSplits_AreLeaks()
    {
        Pictures.WritePair(_folder.Path, "c", 1);
        string[] splits = ["train", "train", "test"];
        var pairs = DatasetFolder.Read(_folder.Path).Pairs
            .Select((p, i) => p with { Split = splits[i], Group = p.Id == "a" ? null : "patient 7" }).ToList();
        DatasetFolder.WriteManifest(_folder.Path, pairs);
        var report = Check();
        AssertHas(report, FindingCodes.SplitLeak, FindingSeverity.Error, "c");
        AssertHas(report, FindingCodes.GroupLeak, FindingSeverity.Error, "patient 7");
        Assert.Equal(2, report.Splits["train"]);
    }

    [Fact]
    public void Json_NamesEverything()
    {
        File.WriteAllText(_folder["images", "a.png"], "broken");
        using var json = System.Text.Json.JsonDocument.Parse(Check().ToJson());
        Assert.Equal(1, json.RootElement.GetProperty("errors").GetInt32());
        var finding = json.RootElement.GetProperty("findings")[0];
        Assert.Equal("unreadable", finding.GetProperty("code").GetString());
        Assert.Equal("error", finding.GetProperty("severity").GetString());
    }

    [Fact]
    public void FolderOfFindingsAlone_IsReported()
    {
        File.Delete(_folder["masks", "a.png"]);
        File.Delete(_folder["masks", "b.png"]);
        Assert.Equal(2, Check().Errors);
        File.Delete(_folder["images", "a.png"]);
        File.Delete(_folder["images", "b.png"]);
        Assert.Throws<InvalidDatasetException>(Check);
    }

    [Theory]
    [InlineData("cvc_clinicdb")]
    [InlineData("kvasir_seg")]
    [InlineData("retina_vessels")]
    [InlineData("wbc")]
    [InlineData("dsb2018_nuclei")]
    public void Lookalikes_OfRealSets_AreThoseOfTheReference(string set)
    {
        var listed = File.ReadLines(SharedMaterial.Path("data", "meta", $"{set}_near_duplicates.csv")).Skip(1)
            .Select(l => l.Split(',')).ToList();
        var pairs = DatasetFolder.Read(SharedMaterial.Path("data", set)).Pairs;
        var wanted = listed.Where(l => pairs.Any(p => p.Id == l[0]) && pairs.Any(p => p.Id == l[1])).ToList();
        // Only the images that occur in the list are opened: the test is about the measure.
        var stems = wanted.SelectMany(l => l[..2]).ToHashSet();
        pairs = [.. pairs.Where(p => stems.Contains(p.Id))];
        var found = NearDuplicates.Find(pairs, NullMonitor.Instance)
            .ToDictionary(a => (pairs[a.First].Id, pairs[a.Second].Id), a => (a.Distance, Math.Round(a.Difference, 2)));
        foreach (var l in wanted)
            Assert.Equal(
                (int.Parse(l[2], System.Globalization.CultureInfo.InvariantCulture),
                    double.Parse(l[3], System.Globalization.CultureInfo.InvariantCulture)),
                found[(l[0], l[1])]);
        Assert.Equal(wanted.Count, found.Count);
    }

    private DatasetReport Check() => DatasetValidator.Check(_folder.Path, NullMonitor.Instance);

    private static Finding AssertHas(DatasetReport report, string code, FindingSeverity severity, string subject)
    {
        var finding = Assert.Single(report.Findings, f => f.Code == code && f.Subject == subject);
        Assert.Equal(severity, finding.Severity);
        Assert.DoesNotContain('\n', finding.Message);
        return finding;
    }
}
