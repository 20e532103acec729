using Siamorph.Data;
using Siamorph.Data.Folders;
using Siamorph.Imaging;
using Siamorph.Tests.Imaging;
using TorchSharp;
using static TorchSharp.torch;

namespace Siamorph.Tests.Data;

public sealed class BatchLoaderTests : IDisposable
{
    private const int Count = 7;
    private readonly TemporaryFolder _folder = new();
    private readonly PairedDataset _data;

    public BatchLoaderTests()
    {
        for (var i = 0; i < Count; i++)
        {
            ImageFile.WriteMaskPng(_folder["masks", $"{i}.png"], Pictures.Disc(48, 40, 0.1 + 0.03 * i));
            // The image's red channel shows the mask, so that a flip of one alone would be seen.
            var (image, mask) = (Pictures.Image(i), Pictures.Disc(48, 40, 0.1 + 0.03 * i));
            for (var p = 0; p < mask.Labels.Length; p++) image.Pixels[3 * p] = mask.Labels[p] > 0 ? (byte)255 : (byte)0;
            ImageFile.WritePng(_folder["images", $"{i}.png"], image);
        }
        var pairs = DatasetFolder.Read(_folder.Path).Pairs.Select(p => p with { Prompt = $"prompt {p.Id}" }).ToList();
        _data = PairedDataset.Load(pairs, new ImageSize(48, 40), NullMonitor.Instance);
    }

    public void Dispose()
    {
        _data.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Load_KeepsPixelsAndLabels()
    {
        Assert.Equal([Count, 3, 40, 48], _data.Images.shape);
        Assert.Equal([Count, 1, 40, 48], _data.Masks.shape);
        var image = ImageFile.ReadRgb(_data.Pairs[3].ImagePath);
        Assert.Equal(image.Pixels[3 * (5 * 48 + 9) + 2], _data.Images[3, 2, 5, 9].item<byte>());
        Assert.Equal(1, _data.Masks.max().item<byte>());
    }

    [Fact]
    public void Load_OutlivesTheScopeItWasCalledIn()
    {
        PairedDataset data;
        using (NewDisposeScope()) data = PairedDataset.Load(_data.Pairs, new ImageSize(8, 8), NullMonitor.Instance);
        using (data) Assert.False(data.Images.IsInvalid);
    }

    [Fact]
    public void Load_WithDamagedFiles_NamesTheFirst()
    {
        File.WriteAllText(_folder["images", "2.png"], "broken");
        File.WriteAllText(_folder["masks", "4.png"], "broken");
        var message = Assert.Throws<InvalidDatasetException>(() =>
            PairedDataset.Load(_data.Pairs, new ImageSize(8, 8), NullMonitor.Instance)).Message;
        Assert.Contains(_folder["images", "2.png"], message, StringComparison.Ordinal);
        Assert.Contains("1 more", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_WithUnequalSizes_Refuses()
    {
        ImageFile.WriteMaskPng(_folder["masks", "1.png"], Pictures.Disc(20, 20));
        Assert.Contains("20×20", Assert.Throws<InvalidDatasetException>(() =>
            PairedDataset.Load(_data.Pairs, new ImageSize(8, 8), NullMonitor.Instance)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Batch_IsAFunctionOfSeedAndStep()
    {
        var (forth, back) = (Loader(4), Loader(4));
        var first = Enumerable.Range(0, 9).Select(s => Describe(forth, s)).ToList();
        var second = Enumerable.Range(0, 9).Reverse().Select(s => Describe(back, s)).Reverse().ToList();
        Assert.Equal(first, second);
        Assert.NotEqual(first[0], Describe(Loader(4, seed: 2), 0));
    }

    [Fact]
    public void Batches_AreFull_AndEveryEpochHoldsEveryPairOnce()
    {
        var loader = Loader(4);
        var drawn = new List<int>();
        for (var step = 0; step < 7; step++)
        {
            using var batch = loader.Batch(step);
            Assert.Equal(4, batch.Images.shape[0]);
            drawn.AddRange(batch.Indices);
        }
        foreach (var epoch in drawn.Chunk(Count)) Assert.Equal(Enumerable.Range(0, Count), epoch.Order());
        Assert.NotEqual(drawn[..Count], drawn[Count..(2 * Count)]);
    }

    [Fact]
    public void Batch_LargerThanTheDataset_IsFull()
    {
        using var batch = Loader(20).Batch(0);
        Assert.Equal(20, batch.Indices.Count);
    }

    [Fact]
    public void Flips_MoveImageAndMaskTogether()
    {
        var seen = new HashSet<(bool, bool)>();
        for (var step = 0; step < 12; step++)
        {
            using var scope = NewDisposeScope();
            using var batch = Loader(4).Batch(step);
            for (var b = 0; b < 4; b++)
            {
                Assert.True(Same(batch.Images[b, 0].gt(0), batch.Masks[b, 0].gt(0.5)));
                var plain = _data.Masks[batch.Indices[b]].to(ScalarType.Float32);
                seen.Add((Same(batch.Masks[b], plain.flip(2)), Same(batch.Masks[b], plain.flip(1))));
                Assert.Contains(new[] { plain, plain.flip(2), plain.flip(1), plain.flip(1, 2) }, m => Same(batch.Masks[b], m));
            }
        }
        Assert.True(seen.Count >= 3, "flips of both kinds occur");
    }

    [Fact]
    public void WithoutFlips_PairsAreAsStored()
    {
        using var scope = NewDisposeScope();
        using var batch = new BatchLoader(_data, new BatchOptions
        {
            BatchSize = 3, HorizontalFlip = false,
        }, new Seed(1)).Batch(2);
        for (var b = 0; b < 3; b++)
        {
            var stored = _data.Images[batch.Indices[b]].to(ScalarType.Float32) / 127.5 - 1;
            Assert.True((batch.Images[b] - stored).abs().max().item<float>() < 1e-6);
        }
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 40)]
    public void EmptyPrompts_ComeAsOftenAsAsked(double probability, int expected)
    {
        var loader = new BatchLoader(_data, new BatchOptions
        {
            BatchSize = 40, EmptyPromptProbability = probability,
        }, new Seed(1));
        using var batch = loader.Batch(0);
        Assert.Equal(expected, batch.Prompts.Count(p => p.Length == 0));
        if (expected == 0) Assert.Equal(batch.Indices.Select(i => $"prompt {i}"), batch.Prompts);
    }

    [Fact]
    public void Batch_LeavesNoTensorBehind()
    {
        var loader = Loader(4);
        loader.Batch(0).Dispose();
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        using (NewDisposeScope()) loader.Batch(1);
        loader.Batch(2).Dispose();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Options_ListEveryFault()
    {
        var message = Assert.Throws<InvalidOptionsException>(() => new BatchOptions
        {
            BatchSize = 0, EmptyPromptProbability = 2,
        }.Validate()).Message;
        Assert.Contains("batchSize", message, StringComparison.Ordinal);
        Assert.Contains("emptyPromptProbability", message, StringComparison.Ordinal);
    }

    private BatchLoader Loader(int size, ulong seed = 1) => new(_data, new BatchOptions
    {
        BatchSize = size, VerticalFlip = true,
    }, new Seed(seed));

    private static string Describe(BatchLoader loader, int step)
    {
        using var batch = loader.Batch(step);
        var sum = batch.Images.data<float>().Select((v, i) => v * (i % 101)).Sum();
        return $"{string.Join(',', batch.Indices)} {string.Join(',', batch.Prompts)} {sum:R}";
    }

    private static bool Same(Tensor a, Tensor b) => a.eq(b).all().item<bool>();
}
