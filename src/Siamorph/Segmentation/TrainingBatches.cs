using System.Runtime.InteropServices;
using Siamorph.Data;
using static TorchSharp.torch;

namespace Siamorph.Segmentation;

/// <summary>The augmented batches of a training run; batch k is a function of the seed and k alone.</summary>
internal sealed class TrainingBatches
{
    private readonly PairedDataset _data;
    private readonly AugmentationOptions _augmentation;
    private readonly Seed _seed;
    private readonly SampleOrder _order;
    private readonly double[] _means;

    public TrainingBatches(PairedDataset data, SegmentationOptions options)
    {
        (_data, _augmentation, _seed) = (data, options.Augmentation, options.Seed.Derive("augmentation"));
        _order = new(data.Pairs, options);
        _means = new double[data.Count];
        for (var i = 0; i < _means.Length; i++) _means[i] = MeanOf(Part(data.Images.bytes, i, data.Count));
    }

    /// <summary>Images [B,3,H,W] in [-1,1] and masks [B,1,H,W] of 0 and 1, both float32; the caller disposes them.</summary>
    public (Tensor Images, Tensor Masks) Batch(long step)
    {
        var indices = _order.Batch(step);
        var (width, height) = (_data.Size.Width, _data.Size.Height);
        var images = empty(indices.Length, 3, height, width);
        var masks = empty(indices.Length, 1, height, width);
        var imageValues = MemoryMarshal.Cast<byte, float>(images.bytes);
        var maskValues = MemoryMarshal.Cast<byte, float>(masks.bytes);
        Span<float> table = stackalloc float[256];
        for (var i = 0; i < indices.Length; i++)
        {
            var random = _seed.Derive(step).Derive(i).Random();
            var augmentation = Augmentation.Draw(_augmentation, random, width == height);
            var warp = SmoothWarp.Draw(_augmentation, random, _data.Size); // after the others: they stay as they are without it
            var source = Part(_data.Images.bytes, indices[i], _data.Count);
            var result = Part(imageValues, i, indices.Length);
            for (var c = 0; c < 3; c++)
            {
                augmentation.FillTable(_means[indices[i]], table, 1 + _augmentation.Colour * random.Uniform(-1, 1));
                Copy(Part(source, c, 3), Part(result, c, 3), augmentation, warp, table, smooth: true);
            }
            table.Clear();
            table[1] = 1;
            Copy(Part(_data.Masks.bytes, indices[i], _data.Count), Part(maskValues, i, indices.Length), augmentation, warp, table, smooth: false);
        }
        return (images, masks);
    }

    /// <summary>Which images of a step's batch are synthetic.</summary>
    public bool[] IsSynthetic(long step) => [.. _order.Batch(step).Select(i => _data.Pairs[i].Source == PairSource.Synthetic)];

    private void Copy(ReadOnlySpan<byte> from, Span<float> into, Augmentation augmentation, SmoothWarp? warp, ReadOnlySpan<float> table, bool smooth)
    {
        if (warp is not null)
        {
            warp.Copy(from, into, augmentation.Walk(_data.Size.Width, _data.Size.Height), table, smooth);
            return;
        }
        var (row, right, down) = augmentation.Walk(_data.Size.Width, _data.Size.Height);
        for (var at = 0; at < into.Length; row += down)
        {
            var source = row;
            for (var x = 0; x < _data.Size.Width; x++, source += right) into[at++] = table[from[source]];
        }
    }

    private static double MeanOf(ReadOnlySpan<byte> values)
    {
        var sum = 0L;
        foreach (var value in values) sum += value;
        return (double)sum / values.Length;
    }

    private static Span<T> Part<T>(Span<T> all, int index, int count) => all.Slice(index * (all.Length / count), all.Length / count);
}
