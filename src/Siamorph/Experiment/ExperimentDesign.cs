using Siamorph.Data;
using Siamorph.Data.Folders;
using Siamorph.Imaging;
using Siamorph.Segmentation;
using Siamorph.Siamese;

namespace Siamorph.Experiment;

/// <summary>
/// Proposes an experiment for a data folder: one that can answer the question, with the controls that keep it honest.
/// </summary>
internal static class ExperimentDesign
{
    private static readonly int[] Sizes = [25, 50, 100, 200, 400, 800, 1600];

    /// <summary>A design for these data, every option written out.</summary>
    /// <param name="data">Folder of image-mask pairs.</param>
    /// <param name="generator">The generator to train, usually a preset.</param>
    /// <exception cref="InvalidDatasetException">The folder is no data set, or has too few pairs.</exception>
    public static ExperimentOptions For(string data, TrainOptions generator)
    {
        ArgumentNullException.ThrowIfNull(generator);
        var pairs = DatasetFolder.List(data).Pairs.Where(p => p.Source == PairSource.Real).ToList();
        var options = new ExperimentOptions { Data = Path.GetFullPath(data) };
        var train = pairs.Any(p => p.Split is not null) ? pairs.Count(p => p.Split == "train")
            : (int)(pairs.Count * options.Split.Train);
        if (train < 4) throw new InvalidDatasetException(
            $"{data}: {pairs.Count} pairs leave {train} for training; an experiment needs at least 4.");
        var counts = Sizes.Where(n => n <= 0.95 * train).TakeLast(3).ToArray();
        if (counts.Length == 0) counts = [train];
        return options with
        {
            RealCounts = counts,
            Seeds = [1, 2, 3, 4, 5],
            SeedScope = SeedScope.Everything,
            Arms = [.. new[] { Arms.RealOnly, Arms.RealPlusSynthetic, Arms.Duplicated, Arms.CopyPaste, Arms.LightAugmentation,
                Arms.WrongMasks, Arms.Gated }.Select(a => a.Name)],
            Primary = new PrimaryEndPoint { Arm = Arms.RealPlusSynthetic.Name, RealCount = counts[^1] },
            Corruptions = Corruption.Kinds,
            Generator = generator with { PreviewEvery = 0 },
            Segmentation = SegmentationOptions.ForExperiments with
            {
                ImageSize = new ImageSize(generator.ImageSize, generator.ImageSize),
            },
        };
    }
}
