using System.Collections.Concurrent;
using Siamorph.Data.Checks;
using Siamorph.Imaging;
using static TorchSharp.torch;

namespace Siamorph.Data;

/// <summary>All pairs of a dataset in memory, resized to one size, 8 bits a value.</summary>
public sealed class PairedDataset : IDisposable
{
    private readonly LabelReading _labels;

    private PairedDataset(IReadOnlyList<ImageMaskPair> pairs, ImageSize size, Tensor images, Tensor masks, Tensor? soft,
        LabelReading labels) =>
        (Pairs, Size, Images, Masks, SoftMasks, _labels) = (pairs, size, images, masks, soft, labels);

    /// <summary>The pairs, in the order of the tensors.</summary>
    public IReadOnlyList<ImageMaskPair> Pairs { get; }

    /// <summary>Size of every image and mask here.</summary>
    public ImageSize Size { get; }

    /// <summary>Number of pairs.</summary>
    public int Count => Pairs.Count;

    /// <summary>uint8 [N,3,H,W], 0…255, on the CPU.</summary>
    public Tensor Images { get; }

    /// <summary>The classes of the masks; null where they are lesion against background.</summary>
    public ClassTable? Classes => Pairs[0].Classes;

    /// <summary>How images of more than 8 bits were brought to 0…255; null where there are none.</summary>
    public IntensityRange? Range => Pairs.FirstOrDefault(p => p.Range is not null)?.Range;

    /// <summary>uint8 [N,1,H,W], 0 or 1 (class numbers, where there is a table of classes), on the CPU.</summary>
    public Tensor Masks { get; }

    /// <summary>uint8 [N,1,H,W], 255 · probability, on the CPU, where labels were asked for as soft ones; else null.</summary>
    public Tensor? SoftMasks { get; }

    /// <summary>
    /// A mask as a generator is shown it: float32 [1,H,W] in [0,1], or [3,H,W], the colours of several classes.
    /// </summary>
    public Tensor Hint(int index) =>
        SoftMasks is null ? MaskHint.Of(Mask(index), Classes) : SoftMasks[index].to_type(ScalarType.Float32).div_(255);

    /// <summary>A copy of an image as an image.</summary>
    public RgbImage Image(int index)
    {
        using var scope = NewDisposeScope();
        ReadOnlySpan<byte> planes = Images[index].bytes;
        var (image, area) = (new RgbImage(Size), planes.Length / 3);
        for (var i = 0; i < image.Pixels.Length; i++) image.Pixels[i] = planes[i % 3 * area + i / 3];
        return image;
    }

    /// <summary>A copy of a mask.</summary>
    public LabelMap Mask(int index)
    {
        using var scope = NewDisposeScope();
        return new(Size, Masks[index].bytes.ToArray());
    }

    /// <summary>
    /// Decodes and resizes all pairs, in parallel: images and soft masks antialiased, hard masks by the nearest pixel.
    /// </summary>
    /// <param name="pairs">What to load.</param>
    /// <param name="size">Size to load them at.</param>
    /// <param name="monitor">Watches and may stop.</param>
    /// <param name="labels">How masks are read; null reads hard ones. Hard masks are there in any case.</param>
    /// <exception cref="InvalidDatasetException">A file is missing or damaged, or a mask has another size than its
    /// image.</exception>
    /// <exception cref="OperationCanceledException">The monitor asked to stop.</exception>
    public static PairedDataset Load(
        IReadOnlyList<ImageMaskPair> pairs, ImageSize size, IMonitor monitor, LabelReading? labels = null)
    {
        ArgumentNullException.ThrowIfNull(pairs);
        ArgumentNullException.ThrowIfNull(monitor);
        if (pairs.Count == 0) throw new InvalidDatasetException("There are no pairs to load. Check the folder and its splits.");
        if (pairs.FirstOrDefault(p => !SameClasses(p.Classes, pairs[0].Classes)) is { } other)
            throw new InvalidDatasetException(
                $"{other.MaskPath}: its folder has another {ClassTable.FileName} than {pairs[0].MaskPath}. Give all folders the "
                    + $"same classes.");
        labels ??= LabelReading.Hard;
        Tensor images, masks;
        Tensor? soft = null;
        using (NewDisposeScope()) // also keeps the tensors out of a caller's scope: they belong to the dataset
        {
            images = zeros([pairs.Count, 3, size.Height, size.Width], ScalarType.Byte).DetachFromDisposeScope();
            masks = zeros([pairs.Count, 1, size.Height, size.Width], ScalarType.Byte).DetachFromDisposeScope();
            if (labels.IsSoft) soft = zeros_like(masks).DetachFromDisposeScope();
        }
        var dataset = new PairedDataset(pairs, size, images, masks, soft, labels);
        try
        {
            dataset.Fill(monitor);
            if (!labels.IsSoft) EmptyMasks.Refuse(pairs);
            return dataset;
        }
        catch
        {
            dataset.Dispose();
            throw;
        }
    }

    /// <summary>Frees the tensors.</summary>
    public void Dispose()
    {
        Images.Dispose();
        Masks.Dispose();
        SoftMasks?.Dispose();
    }

    private static bool SameClasses(ClassTable? a, ClassTable? b) =>
        ReferenceEquals(a, b) || (a is not null && b is not null && a.Classes.SequenceEqual(b.Classes));

    private void Fill(IMonitor monitor)
    {
        using var stage = monitor.Begin("Loading images", Count);
        var failures = new ConcurrentDictionary<int, InvalidDatasetException>();
        var done = 0;
        Parallel.For(0, Count, new ParallelOptions
        {
            CancellationToken = monitor.Cancellation, MaxDegreeOfParallelism = Environment.ProcessorCount,
        }, i =>
        {
            try
            {
                FillPair(i);
            }
            catch (InvalidDatasetException e)
            {
                failures[i] = e;
            }
            var now = Interlocked.Increment(ref done);
            lock (stage) stage.Report(now);
        });
        if (failures.IsEmpty) return;
        var first = failures.MinBy(f => f.Key).Value;
        throw failures.Count == 1 ? first : new InvalidDatasetException(
            $"{first.Message} {failures.Count - 1} more files can't be used; \"siamorph data check\" lists them all.", first);
    }

    private void FillPair(int index)
    {
        var pair = Pairs[index];
        var image = PairFiles.ReadImage(pair);
        var mask = pair.MaskPath.Length == 0 ? null : PairFiles.ReadMask(pair); // unlabelled images have all-empty masks here
        if (mask is not null && mask.Size != image.Size)
            throw new InvalidDatasetException(
                $"{pair.MaskPath}: mask is {mask.Size}, its image {image.Size}. Resize the mask or remove the pair.");
        var pixels = Resize.Image(image, Size).Pixels;
        using var scope = NewDisposeScope();
        var planes = Images[index].bytes;
        var area = planes.Length / 3;
        for (var c = 0; c < 3; c++)
            for (var i = 0; i < area; i++)
                planes[c * area + i] = pixels[3 * i + c];
        if (mask is null) return;
        Resize.Mask(mask, Size).Labels.CopyTo(Masks[index].bytes);
        if (SoftMasks is null) return;
        var soft = SoftMask.Read(pair, _labels.BoundaryWidth);
        (soft.Size == Size ? soft.Levels : Resize.Levels(soft.Levels, soft.Size, Size, 1)).CopyTo(SoftMasks[index].bytes);
    }
}
