using System.Runtime.InteropServices;
using Siamorph.Data;
using Siamorph.Imaging;
using static TorchSharp.torch;

namespace Siamorph.Segmentation.Batches;

/// <summary>The augmented batches of a training run; batch k is a function of the seed and k alone.</summary>
internal sealed class SegmentationBatches
{
    private readonly PairedDataset _data;
    private readonly AugmentationOptions _augmentation;
    private readonly Seed _seed;
    private readonly SampleOrder _order;
    private readonly double[] _means;
    private readonly bool _severalClasses;
    private readonly MultiScale _multiScale;
    private readonly SmoothWarp.SourcePixels[] _spots;

    public SegmentationBatches(PairedDataset data, SegmentationOptions options)
    {
        (_data, _augmentation, _seed) = (data, options.Augmentation, options.Seed.Derive("augmentation"));
        _order = new(data.Pairs, options);
        (_severalClasses, _multiScale) = (options.Network.Classes > 1, options.MultiScale);
        _spots = new SmoothWarp.SourcePixels[data.Size.Width * data.Size.Height];
        _means = new double[data.Count];
        for (var i = 0; i < _means.Length; i++) _means[i] = MeanOf(Part(data.Images.bytes, i, data.Count));
    }

    /// <summary>
    /// Images [B,3,H,W] in [-1,1] and masks [B,1,H,W] of 0 and 1 (of class numbers, where there are several; in [0,1], where
    /// soft), both float32, at the step's size; the caller disposes them.
    /// </summary>
    public (Tensor Images, Tensor Masks) Batch(long step)
    {
        var batch = AtFullSize(MultiScaleSizes.BatchOf(_multiScale, step));
        var size = MultiScaleSizes.At(_multiScale, _data.Size, step, _seed);
        if (size == _data.Size) return batch;
        using var scope = NewDisposeScope();
        var (images, masks) = (batch.Images.MoveToOtherDisposeScope(scope), batch.Masks.MoveToOtherDisposeScope(scope));
        long[] shape = [size.Height, size.Width];
        var soft = _multiScale == MultiScale.ThreeSizes; // there, corners are aligned and masks scaled like images
        images = nn.functional.interpolate(images, shape, mode: InterpolationMode.Bilinear, align_corners: soft);
        masks = soft && !_severalClasses
            ? nn.functional.interpolate(masks, shape, mode: InterpolationMode.Bilinear, align_corners: true)
            : nn.functional.interpolate(masks, shape, mode: InterpolationMode.Nearest);
        return (images.MoveToOuterDisposeScope(), masks.MoveToOuterDisposeScope());
    }

    private (Tensor Images, Tensor Masks) AtFullSize(long step)
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
            warp?.Trace(augmentation.Walk(width, height), _spots);
            ReadOnlySpan<byte> source = Part(_data.Images.bytes, indices[i], _data.Count);
            if (_augmentation.ColourExchange)
                source = Recoloured(source, _seed.Derive("colours").Derive(step).Derive(i).Random().Next(_data.Count));
            var result = Part(imageValues, i, indices.Length);
            for (var c = 0; c < 3; c++)
            {
                augmentation.FillTable(_means[indices[i]], table, 1 + _augmentation.Colour * random.Uniform(-1, 1));
                Copy(Part(source, c, 3), Part(result, c, 3), augmentation, warp, table, smooth: true);
            }
            var soft = _data.SoftMasks;
            for (var label = 0; label < table.Length; label++)
                table[label] = soft is not null ? label / 255f : _severalClasses ? label : Math.Min(label, 1);
            Copy(Part((soft ?? _data.Masks).bytes, indices[i], _data.Count), Part(maskValues, i, indices.Length), augmentation,
                warp, table, smooth: soft is not null);
        }
        if (_augmentation.CutMix > 0)
            CutMix.Apply([.. Enumerable.Range(0, indices.Length).Where(i => !_data.Pairs[indices[i]].IsUnlabelled)],
                _augmentation.CutMix, _seed.Derive("cutmix").Derive(step), images, masks);
        return (images, masks);
    }

    /// <summary>Which images of a step's batch are synthetic.</summary>
    public bool[] IsSynthetic(long step) => Are(step, p => p.Source == PairSource.Synthetic);

    /// <summary>Which images of a step's batch have no mask.</summary>
    public bool[] IsUnlabelled(long step) => Are(step, p => p.IsUnlabelled);

    private bool[] Are(long step, Func<ImageMaskPair, bool> what) =>
        [.. _order.Batch(MultiScaleSizes.BatchOf(_multiScale, step)).Select(i => what(_data.Pairs[i]))];

    private void Copy(ReadOnlySpan<byte> from, Span<float> into, Augmentation augmentation, SmoothWarp? warp,
        ReadOnlySpan<float> table, bool smooth)
    {
        if (warp is not null)
        {
            SmoothWarp.Copy(from, into, _spots, table, smooth);
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

    // The planes of an image in the colours of another one.
    private byte[] Recoloured(ReadOnlySpan<byte> planes, int reference)
    {
        var exchanged = ColourExchange.Apply(Interleaved(planes),
            Interleaved(Part(_data.Images.bytes, reference, _data.Count))).Pixels;
        var result = new byte[exchanged.Length];
        var area = result.Length / 3;
        for (var i = 0; i < result.Length; i++) result[i % 3 * area + i / 3] = exchanged[i];
        return result;
    }

    private RgbImage Interleaved(ReadOnlySpan<byte> planes)
    {
        var image = new RgbImage(_data.Size);
        var area = planes.Length / 3;
        for (var i = 0; i < planes.Length; i++) image.Pixels[i] = planes[i % 3 * area + i / 3];
        return image;
    }

    private static ReadOnlySpan<T> Part<T>(ReadOnlySpan<T> all, int index, int count) =>
        all.Slice(index * (all.Length / count), all.Length / count);

    private static Span<T> Part<T>(Span<T> all, int index, int count) =>
        all.Slice(index * (all.Length / count), all.Length / count);
}
