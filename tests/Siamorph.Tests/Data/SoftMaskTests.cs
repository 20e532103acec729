using Siamorph.Data;
using Siamorph.Data.Checks;
using Siamorph.Data.Folders;
using Siamorph.Imaging;
using Siamorph.Tests.Imaging;

namespace Siamorph.Tests.Data;

public sealed class SoftMaskTests : IDisposable
{
    private static readonly LabelReading Soft = new(LabelKind.Soft, 0);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void WithBand_AcrossAStraightOutline_RisesEvenlyOverItsWidth()
    {
        var mask = new LabelMap(new ImageSize(40, 10));
        for (var i = 0; i < mask.Labels.Length; i++) mask.Labels[i] = i % 40 >= 20 ? (byte)1 : (byte)0;
        var soft = SoftMask.WithBand(mask, 8);
        for (var x = 0; x < 40; x++) // the outline lies between columns 19 and 20
            Assert.Equal(255 * Math.Clamp(0.5 + (x - 19.5) / 8, 0, 1), soft.Levels[5 * 40 + x], 0.51);
        Assert.Equal(MaskLevels.Binarise(soft).Labels, mask.Labels);
        Assert.All(SoftMask.WithBand(new LabelMap(mask.Size), 8).Levels, l => Assert.Equal(0, l));
        Assert.Equal([0, 255], SoftMask.WithBand(mask, 0).Levels.Select(l => (int)l).Distinct().Order());
    }

    [Fact]
    public void Read_OfSeveralAnnotators_IsTheirMean_AndHardMasksStayTheFirst()
    {
        Annotators();
        var pairs = DatasetFolder.Read(_folder.Path).Pairs;
        Assert.Equal(["a", "b"], pairs.Select(p => p.Id));
        Assert.Equal([2, 1], pairs.Select(p => p.OtherMaskPaths.Count)); // one annotator left b out
        var soft = SoftMask.Read(pairs[0], 0);
        Assert.Equal([0, 85, 170, 255], soft.Levels.Distinct().Order().Select(l => (int)l));
        Assert.Equal(Pictures.Disc(radius: 0.35).Labels, PairFiles.ReadMask(pairs[0]).Labels);
        Assert.Equal(Pictures.Disc(radius: 0.25).Labels, MaskLevels.Binarise(soft).Labels); // two of three
    }

    [Fact]
    public void Manifest_KeepsAllMasks_AndTheListAloneIsEnough()
    {
        Annotators();
        var read = DatasetFolder.Read(_folder.Path);
        DatasetFolder.WriteManifest(_folder.Path, read.Pairs);
        var again = DatasetFolder.Read(_folder.Path).Pairs;
        Assert.Equal(read.Pairs.SelectMany(PairFiles.MaskPaths), again.SelectMany(PairFiles.MaskPaths));
        File.WriteAllText(_folder["manifest.jsonl"],
            """{ "image": "images/a.png", "masks": ["masks_3/a.png", "masks/a.png"] }""");
        var pair = DatasetFolder.Read(_folder.Path).Pairs.Single();
        Assert.Equal([_folder["masks_3/a.png"], _folder["masks/a.png"]], PairFiles.MaskPaths(pair));
        File.Delete(_folder["masks/a.png"]);
        Assert.Contains(DatasetFolder.List(_folder.Path).Findings, f => f.Code == FindingCodes.MissingFile);
    }

    [Fact]
    public void Check_SaysHowFarAnnotatorsAgree_AndAllowsGreyMasksWhereTheyAreMeant()
    {
        Annotators();
        Pictures.WriteGrey(_folder["masks/b.png"], new ImageSize(48, 40), i => (byte)(i % 48 * 5));
        var report = DatasetValidator.Check(_folder.Path, NullMonitor.Instance);
        Assert.Contains(report.Findings, f => f is { Code: FindingCodes.NonBinaryMask, Severity: FindingSeverity.Error });
        var annotators = report.Annotators!;
        Assert.Equal((2, 3), (annotators.Images, annotators.MostMasks));
        double Dice(double a, double b) => 2 * Math.Min(a * a, b * b) / (a * a + b * b);
        Assert.True(annotators.LowestDice < annotators.MeanDice);
        Assert.Contains(report.Findings, f => f is { Code: FindingCodes.AnnotatorDisagreement, Subject: "a" });
        var soft = DatasetValidator.Check(_folder.Path, NullMonitor.Instance, LabelKind.Soft);
        Assert.Equal(0, soft.Errors);
        Assert.Contains(soft.Findings, f => f is { Code: FindingCodes.SoftMask, Subject: "b" });

        File.Delete(_folder["masks/b.png"]);
        File.Delete(_folder["images/b.png"]);
        File.Delete(_folder["masks_2/b.png"]);
        var ofA = DatasetValidator.Check(_folder.Path, NullMonitor.Instance).Annotators!;
        Assert.Equal((Dice(.35, .25) + Dice(.35, .15) + Dice(.25, .15)) / 3, ofA.MeanDice, 0.03);
    }

    [Fact]
    public void Batch_OfSoftLabels_IsTheHint_AndMirrorsWithItsImage()
    {
        Annotators();
        var pairs = DatasetFolder.Read(_folder.Path).Pairs;
        using var data = PairedDataset.Load(pairs, new ImageSize(48, 40), NullMonitor.Instance, Soft);
        using var batch = new BatchLoader(data, new BatchOptions { BatchSize = 8 }, new Seed(1)).Batch(0);
        var values = batch.Masks.data<float>().ToArray();
        Assert.All(values, v => Assert.InRange(v, 0, 1));
        Assert.Contains(values, v => Math.Abs(v - 2 / 3f) < 1e-3);
        using var hint = data.Hint(0);
        Assert.Equal(SoftMask.Read(pairs[0], 0).Levels.Select(l => l / 255f), hint.data<float>().ToArray());
        // Resized smoothly, hard masks by the nearest pixel
        using var small = PairedDataset.Load(pairs, new ImageSize(12, 10), NullMonitor.Instance, Soft);
        Assert.True(small.SoftMasks!.bytes.ToArray().Distinct().Count() > 6);
        Assert.All(small.Masks.bytes.ToArray(), l => Assert.InRange(l, 0, 1));
    }

    [Fact]
    public void Read_OfWhatCanNotBeSoft_SaysWhy()
    {
        Annotators();
        var pair = DatasetFolder.Read(_folder.Path).Pairs[0];
        ImageFile.WriteMaskPng(_folder["masks_2/a.png"], Pictures.Disc(24, 20));
        Assert.Contains("another annotator", Assert.Throws<InvalidDatasetException>(() => SoftMask.Read(pair, 0)).Message,
            StringComparison.Ordinal);
        var classes = new ClassTable([new("background", 0), new("polyp", 255), new("tool", 100)]);
        Assert.Contains("3 classes", Assert.Throws<InvalidDatasetException>(() => SoftMask.Read(pair with
        {
            Classes = classes,
        }, 0)).Message, StringComparison.Ordinal);
    }

    // a.png outlined widely, as it is and narrowly; b.png by two only.
    private void Annotators()
    {
        Pictures.WritePair(_folder.Path, "a", 1);
        Pictures.WritePair(_folder.Path, "b", 2);
        ImageFile.WriteMaskPng(_folder["masks/a.png"], Pictures.Disc(radius: 0.35));
        ImageFile.WriteMaskPng(_folder["masks_2/a.png"], Pictures.Disc(radius: 0.25));
        ImageFile.WriteMaskPng(_folder["masks_3/a.png"], Pictures.Disc(radius: 0.15));
        ImageFile.WriteMaskPng(_folder["masks_2/b.png"], Pictures.Disc());
    }
}
