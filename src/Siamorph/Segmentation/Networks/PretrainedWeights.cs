using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Segmentation.Networks;

/// <summary>Gives a whole network the weights of another one, except output layers of another shape.</summary>
internal static class PretrainedWeights
{
    private const double Fitting = 0.8; // of the tensors: less means another architecture

    /// <summary>Copies every tensor of the same name and shape.</summary>
    /// <param name="network">Receives them.</param>
    /// <param name="path">A weight file, or a run folder of <see cref="DenoisingPretraining"/> or
    /// <see cref="SegmentationTrainer"/>.</param>
    /// <returns>One line: how many tensors were taken, and which begin at random.</returns>
    /// <exception cref="WeightsMismatchException">The file is of another architecture or width.</exception>
    /// <exception cref="WeightsFormatException">The file is missing or damaged.</exception>
    public static string Load(SegmentationNetwork network, string path)
    {
        using var weights = WeightsFile.Open(FileOf(path));
        var own = StateDict.Of(network);
        var fitting = own.Where(t => weights.TryGet(t.Key, out var e) && e.Shape.SequenceEqual(t.Value.shape)).ToList();
        if (fitting.Count < Fitting * own.Count)
            throw new WeightsMismatchException(
                $"{path}: {fitting.Count} of the {own.Count} tensors of {network.GetName()} are there in the same shape. Use "
                    + $"weights of that architecture and width.");
        using var noGrad = no_grad();
        foreach (var (key, tensor) in fitting)
        {
            using var stored = weights.Read(key);
            tensor.copy_(stored);
        }
        var random = own.Keys.Except(fitting.Select(t => t.Key)).Order(StringComparer.Ordinal).ToList();
        return $"Weights of {network.GetName()} from {path}: {fitting.Count} tensors"
            + $"{(random.Count == 0 ? "" : $"; at random: {string.Join(", ", random)}")}.";
    }

    /// <summary>The file that holds the weights: of a run folder its model, otherwise the path itself.</summary>
    /// <exception cref="WeightsFormatException">The folder holds no model.</exception>
    public static string FileOf(string path)
    {
        var names = new[] { DenoisingPretraining.FileName, Predictor.FileName };
        var file = names.Select(n => Path.Combine(path, n)).FirstOrDefault(File.Exists) ?? path;
        return !Directory.Exists(file) ? file : throw new WeightsFormatException(
            $"{path}: holds neither {names[0]} nor {names[1]}. Name a finished run of \"segment pretrain\" or \"segment "
                + "train\", or a weight file.");
    }
}
