using Siamorph.Data.Folders;
using Siamorph.Imaging;
using Siamorph.Study;
using Siamorph.Tests.Imaging;

namespace Siamorph.Tests.Study;

public sealed class StudyMakerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Study_HasAsManyOfBothKinds_FromEachThird_AndNoMaskTwice()
    {
        var study = SmallStudy.Make(_folder);
        var counted = study.Key.Values.Where(k => !k.Practice && k.Repeats is null && k.Kind != StudyKind.Catch).ToList();
        Assert.All(new[] { StudyKind.Real, StudyKind.Synthetic }, kind => Assert.All(new[] { 0, 1, 2 },
            third => Assert.Equal(2, counted.Count(k => k.Kind == kind && k.Third == third))));
        Assert.True(counted.Where(k => k.Third == 0).Max(k => k.Area) <= counted.Where(k => k.Third == 2).Min(k => k.Area));
        Assert.Distinct(counted.Select(k => k.SourceMask ?? k.Pair));
        Assert.Equal((4, 4, 2),
            (study.Key.Values.Count(k => k.Practice), study.Key.Values.Count(k => k.Repeats is not null),
            study.Key.Values.Count(k => k.Kind == StudyKind.Catch)));
    }

    [Fact]
    public void Pictures_HaveOneSize_OneLength_NoMetadata_AndNamesThatTellNothing()
    {
        var study = SmallStudy.Make(_folder, SmallStudy.Options with { Size = new(24, 20) });
        var files = Directory.GetFiles(Path.Combine(study.Folder, "images"));
        Assert.Equal(12 + 4 + 4 + 2, files.Length);
        Assert.Single(files.Select(f => new FileInfo(f).Length).Distinct());
        Assert.All(files, f => Assert.Equal(new ImageSize(24, 20), ImageFile.ReadRgb(f).Size));
        Assert.All(files, f => Assert.Matches("^[0-9a-f]{32}$", Path.GetFileNameWithoutExtension(f)));
        Assert.All(files, f =>
            Assert.Equal(["IHDR", "sBIT", "IDAT", "IEND"], Chunks(File.ReadAllBytes(f)).Distinct())); // sBIT: 8 bits a channel
        var items = File.ReadAllText(Path.Combine(study.Folder, "items.jsonl"));
        Assert.All(new[] { "\"real\"", "synthetic", "case-", "made-", "catch", "abc123" },
            w => Assert.DoesNotContain(w, items, StringComparison.OrdinalIgnoreCase));
        var ids = StudyFolder.Open(study.Folder).Items.Select(i => i.Id).ToList();
        Assert.Equal(ids.Order(StringComparer.Ordinal), ids);
    }

    [Fact]
    public void Pictures_ShowWhatTheDatasetsShow()
    {
        var study = SmallStudy.Make(_folder);
        foreach (var key in study.Key.Values.Where(k => k.Kind != StudyKind.Catch).Take(6))
        {
            var pair = DatasetFolder.Read(key.Dataset).Pairs.Single(p => p.Id == key.Pair);
            Assert.Equal(ImageFile.ReadRgb(pair.ImagePath).Pixels,
                ImageFile.ReadRgb(Path.Combine(study.Folder, "images", key.Id + ".png")).Pixels);
            Assert.Equal(ImageFile.ReadMask(pair.MaskPath).Labels, ImageFile.DecodeMaskPng("mask", key.Mask!).Labels);
        }
    }

    [Fact]
    public void Key_IsForItsOwnerAlone()
    {
        var key = Path.Combine(SmallStudy.Make(_folder).Folder, "key.jsonl");
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(key));
    }

    [Fact]
    public void CutPictures_HoldTheSamePixelsElsewhere()
    {
        var study = SmallStudy.Make(_folder);
        var key = study.Key.Values.First(k => k.Kind == StudyKind.Catch);
        var (cut, whole) = (ImageFile.ReadRgb(Path.Combine(study.Folder, "images", key.Id + ".png")),
            ImageFile.ReadRgb(DatasetFolder.Read(key.Dataset).Pairs.Single(p => p.Id == key.Pair).ImagePath));
        Assert.NotEqual(whole.Pixels, cut.Pixels);
        Assert.Equal(whole.Pixels.Order(), cut.Pixels.Order());
    }

    [Fact]
    public void SameMask_IsNotShownAsRealAndAsSynthetic()
    {
        var real = SmallStudy.Pairs(_folder["real"], false, 16);
        SmallStudy.Pairs(_folder["synthetic"], true, 16);
        // The synthetic pairs are drawn from the real pairs' own masks: each may be used once.
        DatasetFolder.WriteManifest(_folder["synthetic"], DatasetFolder.Read(_folder["synthetic"]).Pairs
            .Select((p, i) => p with { Origin = p.Origin! with { SourceMask = real.Pairs[i].Id } }));
        var options = SmallStudy.Options with { Images = 6, Practice = 2, CatchItems = 0 };
        StudyMaker.Make(real, DatasetFolder.Read(_folder["synthetic"]), _folder["study"], options, null, NullMonitor.Instance);
        Assert.Distinct(StudyFolder.Open(_folder["study"]).ReadKey().Values.Where(k => k.Repeats is null)
            .Select(k => k.SourceMask ?? k.Pair));
    }

    [Fact]
    public void DeformedMasks_AreOthersThanTheirSource_AndUsedWhereSourcesAreFew()
    {
        var (real, synthetic) = (SmallStudy.Pairs(_folder["real"], false, 16), SmallStudy.Pairs(_folder["synthetic"], true, 16));
        DatasetFolder.WriteManifest(_folder["synthetic"], synthetic.Pairs.Select((p, i) => p with
        {
            Origin = p.Origin! with { SourceMask = i < 12 ? $"train-{i % 4}" : real.Pairs[i].Id, Deformation = $"rotated {i}°" },
        }));
        var made = StudyMaker.Make(
            real, DatasetFolder.Read(_folder["synthetic"]), _folder["study"], SmallStudy.Options, null, NullMonitor.Instance);
        Assert.Contains("come from",
            Assert.Single(made.Warnings, w => w.Contains("deformed in several ways", StringComparison.Ordinal)));
        var shown = StudyFolder.Open(made.Folder).ReadKey().Values.Where(k => k.Kind != StudyKind.Catch).ToList();
        Assert.Empty(shown.Where(k => k.Kind == StudyKind.Real).Select(k => k.Pair).Intersect(shown.Select(k => k.SourceMask)));
    }

    [Fact]
    public void TooFewPairs_AreNamedThirdByThird_AndNothingIsWritten()
    {
        var (real, synthetic) = (SmallStudy.Pairs(_folder["real"], false, 16), SmallStudy.Pairs(_folder["synthetic"], true, 4));
        var fault = Assert.Throws<InvalidDatasetException>(() =>
            StudyMaker.Make(real, synthetic, _folder["study"], SmallStudy.Options, null, NullMonitor.Instance));
        Assert.Contains("2 synthetic pairs with lesions of", fault.Message, StringComparison.Ordinal);
        Assert.Contains("lower --images", fault.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["study"]));
    }

    [Fact]
    public void StoppedMaking_LeavesNothingBehind()
    {
        var (real, synthetic) = (SmallStudy.Pairs(_folder["real"], false, 16), SmallStudy.Pairs(_folder["synthetic"], true, 16));
        Assert.ThrowsAny<OperationCanceledException>(
            () => StudyMaker.Make(real, synthetic, _folder["study"], SmallStudy.Options, null, new StopsWhileWriting()));
        Assert.True(FolderLock.IsEmpty(_folder["study"]));
        StudyMaker.Make(real, synthetic, _folder["study"], SmallStudy.Options, null, NullMonitor.Instance);
    }

    [Fact]
    public void WhatTheGeneratorMayHaveSeen_IsRefused()
    {
        var (real, synthetic) = (SmallStudy.Pairs(_folder["real"], false, 16), SmallStudy.Pairs(_folder["synthetic"], true, 16));
        DatasetFolder.WriteManifest(_folder["real"], real.Pairs.Select(p => p with { Split = "train" }));
        var fault = Assert.Throws<InvalidDatasetException>(() =>
            StudyMaker.Make(DatasetFolder.Read(_folder["real"]), synthetic, _folder["study"], SmallStudy.Options, null,
            NullMonitor.Instance));
        Assert.Contains("no real pair in test", fault.Message, StringComparison.Ordinal);
        DatasetFolder.WriteManifest(_folder["real"], real.Pairs.Select(p => p with { Split = null }));
        fault = Assert.Throws<InvalidDatasetException>(() =>
            StudyMaker.Make(DatasetFolder.Read(_folder["real"]), synthetic, _folder["study"], SmallStudy.Options, null,
            NullMonitor.Instance));
        Assert.Contains("is not split", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatMayBetrayAnImage_IsWarnedOf()
    {
        var (real, synthetic) = (SmallStudy.Pairs(_folder["real"], false, 16), SmallStudy.Pairs(_folder["synthetic"], true, 16));
        foreach (var pair in real.Pairs) Pictures.WriteJpeg(Path.ChangeExtension(pair.ImagePath, ".jpg"),
            ImageFile.ReadRgb(pair.ImagePath));
        DatasetFolder.WriteManifest(_folder["real"], real.Pairs
            .Select(p => p with { ImagePath = Path.ChangeExtension(p.ImagePath, ".jpg") }));
        DatasetFolder.WriteManifest(_folder["synthetic"], synthetic.Pairs
            .Select(p => p with { Origin = p.Origin! with { Host = "case-00" } }));
        var made = StudyMaker.Make(DatasetFolder.Read(_folder["real"]), DatasetFolder.Read(_folder["synthetic"]),
            _folder["study"], SmallStudy.Options, null, NullMonitor.Instance);
        Assert.Equal(3, made.Warnings.Count);
        Assert.Contains("below 128", made.Warnings[0], StringComparison.Ordinal);
        Assert.Contains("6 real images are JPEG", made.Warnings[1], StringComparison.Ordinal);
        Assert.Contains("edited-real", made.Warnings[2], StringComparison.Ordinal);
    }

    [Fact]
    public void Order_IsTheReadersOwn_AndKeepsRepeatsApart()
    {
        var items = StudyFolder.Open(SmallStudy.Make(_folder).Folder).Items;
        var asked = items.Where(i => !i.Practice && i.Blocks.Contains(StudyBlock.Realism)).ToList();
        for (var reader = 0; reader < 50; reader++)
        {
            var order = ReadingOrder.Arranged(asked, new Seed(3).Derive(reader)).Select(i => i.Id).ToList();
            Assert.Equal(asked.Select(i => i.Id).Order(), order.Order());
            Assert.All(asked.Where(i => i.Repeats is not null),
                i => Assert.True(order.IndexOf(i.Id) - order.IndexOf(i.Repeats!) >= (order.Count + 2) / 3));
        }
        var (first, again, other) = (Ids("a", 1), Ids("a", 1), Ids("b", 1));
        Assert.Equal(first, again);
        Assert.NotEqual(first, other);
        Assert.NotEqual(first, Ids("a", 2));

        string[] Ids(string reader, int session) =>
            [.. ReadingOrder.Of(items, new Seed(1), reader, session).Select(x => x.Item.Id)];
    }

    [Fact]
    public void Order_OfALargeStudy_IsFoundAtOnce()
    {
        var items = Enumerable.Range(0, 2000).Select(i => new StudyItem($"{i:0000}", "", [StudyBlock.Realism]))
            .Concat(Enumerable.Range(0, 500)
                .Select(i => new StudyItem($"again{i:0000}", "", [StudyBlock.Realism]) { Repeats = $"{i:0000}" })).ToList();
        var order = ReadingOrder.Arranged(items, new Seed(1)).Select((item, place) => (item, place))
            .ToDictionary(x => x.item.Id, x => x.place);
        Assert.Equal(2500, order.Count);
        Assert.All(items.Where(i => i.Repeats is not null), i => Assert.True(order[i.Id] - order[i.Repeats!] >= 834));
    }

    [Fact]
    public void Order_AsksQualityBeforeRealism_AndPractisesEach()
    {
        var items = StudyFolder.Open(SmallStudy.Make(_folder).Folder).Items;
        var order = ReadingOrder.Of(items, new Seed(1), "a", 1);
        Assert.Equal([(StudyBlock.Quality, true, 2), (StudyBlock.Quality, false, 12), (StudyBlock.Realism, true, 2),
            (StudyBlock.Realism, false, 18), (StudyBlock.Outline, false, 4)],
            order.GroupBy(x => (x.Block, x.Item.Practice)).Select(g => (g.Key.Block, g.Key.Practice, g.Count())));
    }

    private sealed class StopsWhileWriting : IMonitor, IMonitoredStage
    {
        private readonly CancellationTokenSource _stop = new();
        private bool _writing;

        public CancellationToken Cancellation => _stop.Token;

        public IMonitoredStage Begin(string title, long total)
        {
            _writing = title.StartsWith("Writing", StringComparison.Ordinal);
            return this;
        }

        public void Report(long done, string? detail = null)
        {
            if (_writing && done == 5) _stop.Cancel();
        }

        public void Note(string line) { }

        public void Dispose() { }
    }

    private static IEnumerable<string> Chunks(byte[] png)
    {
        for (var at = 8; at < png.Length;)
        {
            var name = System.Text.Encoding.ASCII.GetString(png, at + 4, 4);
            yield return name;
            if (name == "IEND") yield break;
            at += 12 + System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(at));
        }
    }
}
