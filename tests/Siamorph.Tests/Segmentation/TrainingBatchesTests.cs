using Siamorph.Data;
using Siamorph.Segmentation;
using Siamorph.Segmentation.Batches;
using static TorchSharp.torch;

namespace Siamorph.Tests.Segmentation;

public sealed class TrainingBatchesTests : IDisposable
{
    private static readonly SegmentationOptions Plain = new()
    {
        BatchSize = 4, Augmentation = AugmentationOptions.None, ImageSize = new(32, 32),
    };
    private readonly TinyPairs _pairs = new();
    private readonly PairedDataset _data;

    public TrainingBatchesTests() => _data = _pairs.Load("train", 6, 32);

    public void Dispose()
    {
        _data.Dispose();
        _pairs.Dispose();
    }

    [Fact]
    public void Batch_WithoutAugmentation_HoldsTheImagesAndMasks()
    {
        using var scope = NewDisposeScope();
        var order = new SampleOrder(_data.Pairs, 4, null, Plain.Seed.Derive("order"));
        var (images, masks) = new SegmentationBatches(_data, Plain).Batch(3);
        var indices = tensor(Array.ConvertAll(order.Batch(3), i => (long)i));
        SegmentationFixtures.Close(_data.Images.index_select(0, indices).to_type(ScalarType.Float32) / 127.5 - 1, images, 1e-6);
        SegmentationFixtures.Close(_data.Masks.index_select(0, indices).to_type(ScalarType.Float32), masks, 0);
    }

    [Fact]
    public void Batch_OfAStep_DoesNotDependOnThoseBefore()
    {
        using var scope = NewDisposeScope();
        var options = Plain with { Augmentation = new() };
        var (first, second) = (new SegmentationBatches(_data, options), new SegmentationBatches(_data, options));
        for (var step = 0; step < 5; step++) first.Batch(step);
        var (a, b) = (first.Batch(7), second.Batch(7));
        SegmentationFixtures.Close(a.Images, b.Images, 0);
        SegmentationFixtures.Close(a.Masks, b.Masks, 0);
        Assert.True((a.Images - first.Batch(8).Images).abs().max().item<float>() > 0);
    }

    [Fact]
    public void Batch_Augmented_MovesImageAndMaskTogether()
    {
        using var scope = NewDisposeScope();
        var batches = new SegmentationBatches(_data, Plain with { Augmentation = new() { Brightness = 0, Contrast = 0 } });
        var seen = new HashSet<int>();
        for (var step = 0; step < 20; step++)
        {
            var (images, masks) = batches.Batch(step);
            for (var i = 0; i < 4; i++) seen.Add(SymmetryOf(images[i], masks[i]));
        }
        Assert.Equal(8, seen.Count); // every symmetry of the square
    }

    [Fact]
    public void Walk_OfEachSymmetry_EqualsTorch()
    {
        using var scope = NewDisposeScope();
        const int height = 3, width = 5;
        var plane = arange(height * width).reshape(height, width);
        foreach (var (mirrorX, mirrorY, turns) in from x in new[] { false, true } from y in new[] { false,
            true } from t in new[] { 0, 2 } select (x, y, t))
        {
            var (start, right, down) = new Augmentation(mirrorX, mirrorY, turns, 1, 1).Walk(width, height);
            var walked = tensor(Enumerable.Range(0, height * width)
                .Select(i => (long)(start + i % width * right + i / width * down)).ToArray()).reshape(height, width);
            var expected = plane.clone();
            if (mirrorX) expected = expected.flip(1);
            if (mirrorY) expected = expected.flip(0);
            Assert.True(expected.rot90(turns, (0, 1)).eq(walked).all().item<bool>(), $"{mirrorX} {mirrorY} {turns}");
        }
    }

    [Fact]
    public void FillTable_OfBrightnessAndContrast_StaysInRangeAndKeepsTheMean()
    {
        Span<float> table = stackalloc float[256];
        new Augmentation(false, false, 0, 1, 1).FillTable(100, table);
        Assert.Equal((-1f, 1f), (table[0], table[255]));
        new Augmentation(false, false, 0, 1.15, 0.85).FillTable(100, table);
        Assert.Equal(115 / 127.5 - 1, table[100], 1e-6);
        new Augmentation(false, false, 0, 1.15, 1.15).FillTable(100, table);
        Assert.Equal((-1f, 1f), (table[0], table[255]));
    }

    [Fact]
    public void SampleOrder_OfARound_TakesEveryPairOnce()
    {
        var order = new SampleOrder(_data.Pairs, 4, null, new(1));
        var taken = Enumerable.Range(0, 9).SelectMany(s => order.Batch(s)).ToList();
        for (var round = 0; round < 6; round++) Assert.Equal(Enumerable.Range(0, 6), taken.Skip(6 * round).Take(6).Order());
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0.25, 8)]
    [InlineData(0.5, 16)]
    [InlineData(1, 32)]
    public void SampleOrder_WithAShare_TakesSoManySyntheticPairs(double share, int expected)
    {
        ImageMaskPair[] mixed = [.. _data.Pairs, .. _data.Pairs.Take(2).Select(p => p with { Source = PairSource.Synthetic })];
        var order = new SampleOrder(mixed, 4, share, new(1));
        Assert.Equal(expected, Enumerable.Range(0, 8).SelectMany(s => order.Batch(s))
            .Count(i => mixed[i].Source == PairSource.Synthetic));
    }

    [Fact]
    public void SampleOrder_WithALimitOnSyntheticPairs_KeepsIt_AndOnlyWhereItWouldBeExceeded()
    {
        ImageMaskPair[] mixed = [.. _data.Pairs, .. Enumerable.Range(0, 18).Select(i => _data.Pairs[i % 6] with
        {
            Source = PairSource.Synthetic,
        })];
        int Synthetic(ImageMaskPair[] pairs, double most)
        {
            var order = new SampleOrder(pairs, Plain with { MaxSyntheticPerReal = most });
            return Enumerable.Range(0, 12).SelectMany(s => order.Batch(s)).Count(i => pairs[i].Source == PairSource.Synthetic);
        }
        Assert.Equal(24, Synthetic(mixed, 1)); // three synthetic for each real one without the limit
        Assert.Equal(12, Synthetic(mixed[..8], 1)); // a quarter of each round of eight, as without it
    }

    [Fact]
    public void SampleOrder_WithAWarmup_SeesSyntheticPairsAloneFirst()
    {
        ImageMaskPair[] mixed = [.. _data.Pairs, .. _data.Pairs.Select(p => p with { Source = PairSource.Synthetic })];
        var order = new SampleOrder(mixed, Plain with { SyntheticWarmup = 0.5, Steps = 6 });
        Assert.All(Enumerable.Range(0, 3).SelectMany(s => order.Batch(s)),
            i => Assert.Equal(PairSource.Synthetic, mixed[i].Source));
        Assert.Contains(Enumerable.Range(3, 3).SelectMany(s => order.Batch(s)), i => mixed[i].Source == PairSource.Real);
        var alone = new SampleOrder([.. _data.Pairs], Plain with { SyntheticWarmup = 0.5, Steps = 6 });
        Assert.Equal(new SampleOrder([.. _data.Pairs], Plain).Batch(0), alone.Batch(0));
    }

    [Fact]
    public void Batch_UnderStrongAugmentation_MovesImageAndMaskTogether()
    {
        // Where the image is the mask itself, it has to stay so but for the pixels between.
        using var scope = NewDisposeScope();
        _data.Images.copy_(_data.Masks.expand(-1, 3, -1, -1) * 255);
        var strong = AugmentationOptions.Strong with { Brightness = 0, Contrast = 0, Colour = 0 };
        var (images, masks) = new SegmentationBatches(_data, Plain with { Augmentation = strong }).Batch(1);
        Assert.All(masks.data<float>().ToArray(), v => Assert.True(v is 0 or 1));
        var apart = ((images[.., ..1] > 0).to_type(ScalarType.Float32) - masks).abs().mean().item<float>();
        Assert.InRange(apart, 0, 0.03);
        var plain = new SegmentationBatches(_data, Plain).Batch(1).Masks;
        Assert.True((plain - masks).abs().sum().item<float>() > 20);
        Assert.InRange(masks.mean().item<float>(), 0.3f * plain.mean().item<float>(), 3 * plain.mean().item<float>());
    }

    [Fact]
    public void SampleOrder_OfASourceWithoutPairs_IsRefused()
    {
        Assert.Throws<InvalidOptionsException>(() => new SampleOrder(_data.Pairs, 4, 0.5, new(1)));
        Assert.Throws<InvalidOptionsException>(() => new SampleOrder([.. _data.Pairs.Select(p => p with
        {
            Source = PairSource.Synthetic,
        })], 4, 0, new(1)));
    }

    // Which of the eight symmetries of the square was applied, found by looking; fails where none fits.
    private int SymmetryOf(Tensor image, Tensor mask)
    {
        for (var i = 0; i < _data.Count; i++)
        {
            for (var s = 0; s < 8; s++)
            {
                var levels = Symmetry(_data.Images[i], s).to_type(ScalarType.Float32) / 127.5 - 1;
                if ((levels - image).abs().max().item<float>() > 1e-6) continue;
                Assert.True(Symmetry(_data.Masks[i], s).to_type(ScalarType.Float32).eq(mask).all().item<bool>());
                return s;
            }
        }
        throw new InvalidOperationException("The image is none of the dataset.");
    }

    private static Tensor Symmetry(Tensor x, int s) => (s >= 4 ? x.flip(2) : x).rot90(s % 4, (1, 2));
}
