using Siamorph.Data;
using Siamorph.Data.Folders;
using Siamorph.Data.Phantom;
using Siamorph.Evaluation.Statistics;
using Siamorph.Experiment;
using Siamorph.Experiment.Safety;
using Siamorph.Imaging;
using Siamorph.Reports;
using Siamorph.Tests.Imaging;

namespace Siamorph.Tests.Experiment;

public sealed class SafetyAuditTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly IReadOnlyList<ImageMaskPair> _real;

    public SafetyAuditTests() => _real = PhantomDataset.Write(
        _folder["real"], new PhantomOptions
        {
            Count = 60, Size = new ImageSize(32, 32), FramesPerCase = 1,
        }, NullMonitor.Instance).Pairs;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Run_OnAGeneratorThatReturnsTrainingImages_RaisesTheAlarmAndShowsThem()
    {
        var trained = _real.Take(20).ToList();
        var returned = trained.Take(6).Select((p, i) => Altered(p, $"s{i}")).Concat(_real.Skip(45).Take(6)).ToList();
        var set = new AuditedSet { Synthetic = returned, Trained = trained, HoldOut = [.. _real.Skip(20).Take(25)] };
        var report = SafetyAudit.Run(set, new(), NullMonitor.Instance);
        Assert.True(report.Alarm);
        Assert.Equal(trained.Take(6).Select(p => p.Id).Order(), report.Copies.Select(c => c.Training).Order());
        var page = File.ReadAllText(SafetyPages.Write(report, set, _folder["out"]));
        Assert.Contains("signs of memorised training images", page, StringComparison.Ordinal);
        Assert.Equal(12, page.Split("<img ").Length - 1);
        Assert.Contains("Intended use", File.ReadAllText(_folder["out", "data-card.md"]), StringComparison.Ordinal);
    }

    [Fact]
    public void Run_OnEditedRealImages_SaysSo_AndNeverThatTheyAreNobodys()
    {
        var edited = _real.Skip(40).Select((p, i) => p with
        {
            Source = PairSource.Synthetic,
            Origin = new SyntheticOrigin("h", 1, "ddim", 20, 1.25, p.Id) { Start = "real", Strength = 0.5, Host = p.Id },
        }).ToList();
        var set = new AuditedSet { Synthetic = edited, Trained = [.. _real.Take(20)], HoldOut = [.. _real.Skip(20).Take(20)] };
        var report = SafetyAudit.Run(set, new(), NullMonitor.Instance);
        Assert.True(report.Alarm);
        Assert.StartsWith("20 of 20 pairs are real images that were edited", report.Sentences()[0], StringComparison.Ordinal);
        SafetyPages.Write(report, set, _folder["out"]);
        var card = File.ReadAllText(_folder["out", "data-card.md"]);
        Assert.Contains("20 are edited-real: real at strength 0.5 (20 pairs)", card, StringComparison.Ordinal);
        Assert.DoesNotContain("none shows a patient", card, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_OnAGeneratorThatRemembersNothing_StaysQuiet()
    {
        // Images of the same world that nobody trained on: what a generator without memory would draw.
        var report = SafetyAudit.Run(
            new()
            {
                Synthetic = [.. _real.Skip(40)], Trained = [.. _real.Take(20)], HoldOut = [.. _real.Skip(20).Take(20)],
            }, new(), NullMonitor.Instance);
        Assert.False(report.Alarm);
        Assert.InRange(report.CloserToTrained, 0.2, 0.8);
        Assert.Contains("No sign of memorised training images was found", report.Sentences()[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Run_OnAGeneratorThatReturnsImagesWithoutMasks_RaisesTheAlarmAndShowsThem()
    {
        // Same ids on both sides: which image is meant must not hang on its name.
        var unlabelled = _real.Skip(40).Take(12).Select((p, i) => p with { Id = _real[i].Id, MaskPath = "" }).ToList();
        var set = new AuditedSet
        {
            Synthetic = [.. unlabelled.Take(6).Select((p, i) => Altered(p, $"s{i}"))], Trained = [.. _real.Take(12)],
            HoldOut = [.. _real.Skip(12).Take(25)],
        };
        Assert.False(SafetyAudit.Run(set, new(), NullMonitor.Instance).Alarm);
        set = set with { Unlabelled = unlabelled };
        var report = SafetyAudit.Run(set, new(), NullMonitor.Instance);
        Assert.True(report.Alarm);
        Assert.All(report.Copies, c => Assert.True(c.Unlabelled));
        Assert.Equal(unlabelled.Take(6).Select(p => p.Id).Order(), report.Copies.Select(c => c.Training).Order());
        Assert.Equal((12, 1.0), (report.Unlabelled!.Count, report.Unlabelled.CloserToTrained));
        Assert.Contains("12 images without masks", File.ReadAllText(SafetyPages.Write(report, set, _folder["out"])),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Run_WhereAllSyntheticImagesFlockToOneRealImage_TakesThatForChance()
    {
        // A blurry generator draws the average of all: nearest to it is some real image, as likely trained on as not.
        var average = Enumerable.Range(0, 30).Select(i => Mixed(_real[40 + i % 20], _real[41], $"s{i}")).ToList();
        var set = new AuditedSet
        {
            Synthetic = average, Trained = [_real[41], .. _real.Take(9)], HoldOut = [.. _real.Skip(10).Take(10)],
        };
        var report = SafetyAudit.Run(set, new(), NullMonitor.Instance);
        Assert.InRange(report.CloserToTrained, 0.9, 1);
        Assert.InRange(report.CloserP, 0.2, 1);
    }

    [Fact]
    public void Run_WhereSyntheticImagesFollowManyTrainingImages_IsCertain()
    {
        var trained = _real.Take(20).ToList();
        var set = new AuditedSet
        {
            Synthetic = [.. trained.Select((p, i) => Mixed(_real[40 + i], p, $"s{i}"))], Trained = trained,
            HoldOut = [.. _real.Skip(20).Take(20)],
        };
        Assert.InRange(SafetyAudit.Run(set, new(), NullMonitor.Instance).CloserP, 0, 0.001);
    }

    [Fact]
    public void Run_WhereAHeldOutImageWasTrainedOn_NamesIt()
    {
        var fault = Assert.Throws<InvalidDatasetException>(() =>
            SafetyAudit.Run(new()
            {
                Synthetic = [.. _real.Skip(40)], Trained = [.. _real.Take(20)], HoldOut = [.. _real.Skip(19).Take(10)],
            }, new(), NullMonitor.Instance));
        Assert.Contains(_real[19].Id, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Experiment_OnDataWithTheSameImageInTrainAndTest_IsRefused()
    {
        DatasetFolder.WriteManifest(_folder["real"], _real.Select((p, i) => p with
        {
            Split = i < 30 ? "train" : i < 45 ? "val" : "test",
        }));
        File.Copy(_real[3].ImagePath, _real[50].ImagePath, overwrite: true);
        var options = Demo.Quick.Experiment with { Data = _folder["real"], RealCounts = [8] };
        var fault = Assert.Throws<InvalidDatasetException>(() =>
            ExperimentRunner.Run(options, _folder["x"], NullMonitor.Instance, new FakeStageRunner()));
        Assert.Contains("same image", fault.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Membership_OfSeparateScores_IsCertain_AndOfEqualOnesTellsNothing()
    {
        // By hand: 2 of the 2 × 2 pairs have the member higher, one is equal: (2 + ½) / 4.
        Assert.Equal(0.625, MembershipTest.Run([1, 3], [1, 2], new Seed(1)).Auc);
        var apart = MembershipTest.Run([.. Enumerable.Range(0, 50).Select(i => 10.0 + i)],
            [.. Enumerable.Range(0, 200).Select(i => i / 100.0)], new Seed(1));
        Assert.Equal((1, 1, 1.0), (apart.Auc, apart.Low, apart.TruePositiveRate));
        var random = new Seed(5).Random();
        var same = MembershipTest.Run([.. Enumerable.Range(0, 200).Select(_ => random.Normal())],
            [.. Enumerable.Range(0, 200).Select(_ => random.Normal())], new Seed(1));
        Assert.InRange(0.5, same.Low, same.High);
        Assert.InRange(same.TruePositiveRate, 0, 0.06);
    }

    // Four fifths of one image, one fifth of another.
    private ImageMaskPair Mixed(ImageMaskPair some, ImageMaskPair most, string id)
    {
        var (a, b) = (PairFiles.ReadImage(some), PairFiles.ReadImage(most));
        var mixed = new RgbImage(b.Size);
        for (var i = 0; i < mixed.Pixels.Length; i++) mixed.Pixels[i] = (byte)(0.2 * a.Pixels[i] + 0.8 * b.Pixels[i]);
        var path = _folder["mixed", $"{id}.png"];
        ImageFile.WritePng(path, mixed);
        return most with { Id = id, ImagePath = path, Source = PairSource.Synthetic };
    }

    // A copy as a generator would return it: mirrored, a little lighter, a little noisy.
    private ImageMaskPair Altered(ImageMaskPair pair, string id)
    {
        var (copy, random) = (Pictures.Mirrored(PairFiles.ReadImage(pair)), new Seed(9).Random());
        for (var i = 0; i < copy.Pixels.Length; i++)
            copy.Pixels[i] = (byte)Math.Clamp(copy.Pixels[i] + 1 + 2 * random.Normal(), 0, 255);
        var path = _folder["copies", $"{id}.png"];
        ImageFile.WritePng(path, copy);
        return pair with { Id = id, ImagePath = path, Source = PairSource.Synthetic };
    }
}
