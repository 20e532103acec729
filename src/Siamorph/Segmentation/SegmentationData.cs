using Siamorph.Data;
using Siamorph.Data.Checks;
using Siamorph.Data.Folders;

namespace Siamorph.Segmentation;

/// <summary>
/// The pairs of a training run, loaded from folders: those to learn from, and those to choose the best weights by.
/// </summary>
internal sealed class SegmentationData : IDisposable
{
    private SegmentationData(PairedDataset train, PairedDataset validation) => (Train, Validation) = (train, validation);

    /// <summary>The real pairs of the split "train", then all synthetic pairs.</summary>
    public PairedDataset Train { get; }

    /// <summary>The pairs of the split "val": real ones alone.</summary>
    public PairedDataset Validation { get; }

    /// <summary>Loads a split dataset, and synthetic pairs beside it.</summary>
    /// <param name="dataset">A dataset folder with the splits "train" and "val".</param>
    /// <param name="synthetic">Folders whose pairs are all taken for synthetic and learned from, except those of a "val" or
    /// "test" split.</param>
    /// <param name="options">Size to load them at, and how training masks are read.</param>
    /// <param name="monitor">Sees the progress and may stop.</param>
    /// <param name="unlabelled">Folder of images without masks to learn from as well, see
    /// <see cref="SegmentationOptions.ConsistencyWeight"/>; null for none.</param>
    /// <exception cref="InvalidDatasetException">A split or file is missing or damaged.</exception>
    /// <exception cref="OperationCanceledException">The monitor asked to stop.</exception>
    public static SegmentationData Load(
        string dataset, IReadOnlyList<string> synthetic, SegmentationOptions options, IMonitor monitor, string? unlabelled = null)
    {
        ArgumentNullException.ThrowIfNull(synthetic);
        ArgumentNullException.ThrowIfNull(options);
        var folder = DatasetFolder.Read(dataset, monitor);
        SplitLeaks.Refuse(folder);
        var validation = folder.Of("val").Where(p => p.Source == PairSource.Real).ToList();
        if (validation.Count == 0)
            throw new InvalidDatasetException(
                $"{dataset}: has no validation split to choose the best weights by. Make one with \"siamorph data split\".");
        IReadOnlyList<ImageMaskPair> train = [.. folder.Of("train"), .. synthetic.SelectMany(s => Synthetic(s, monitor))];
        if (train.Count > 0 && unlabelled is not null)
            train = [.. train, .. AsAdded(UnlabelledImages.Read(unlabelled, folder.Pairs, monitor).Images, train[0])];
        if (train.Count == 0) throw new InvalidDatasetException(
            $"{dataset}: has no training split. Make one with \"siamorph data split\".");
        var loaded = options.Load(train, monitor);
        try
        {
            return new(loaded, PairedDataset.Load(validation, options.ImageSize, monitor));
        }
        catch
        {
            loaded.Dispose();
            throw;
        }
    }

    /// <summary>Frees the images.</summary>
    public void Dispose()
    {
        Train.Dispose();
        Validation.Dispose();
    }

    /// <summary>
    /// Images without masks as what they are in a training: added to the real pairs, of the same classes and range.
    /// </summary>
    internal static IEnumerable<ImageMaskPair> AsAdded(IEnumerable<ImageMaskPair> images, ImageMaskPair like)
        => images.Select(p => p with
        {
            Source = PairSource.Synthetic, Split = "train", Classes = like.Classes, Range = p.Range is null ? null
                : like.Range ?? p.Range,
        });

    private static IEnumerable<ImageMaskPair> Synthetic(string folder, IMonitor monitor) =>
        DatasetFolder.Read(folder, monitor).Of("train").Select(p => p with { Source = PairSource.Synthetic });
}
