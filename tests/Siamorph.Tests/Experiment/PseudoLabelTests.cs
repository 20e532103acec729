using Siamorph.Data;
using Siamorph.Data.Folders;
using Siamorph.Data.Phantom;
using Siamorph.Experiment;
using Siamorph.Imaging;
using Siamorph.Segmentation;
using static TorchSharp.torch;

namespace Siamorph.Tests.Experiment;

public sealed class PseudoLabelTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Write_GivesEachImageTheMaskThatTheNetworkPredicts_AndLeavesOutWhatShowsNothing()
    {
        var size = new ImageSize(32, 32);
        var pairs = PhantomDataset.Write(_folder["data"], new PhantomOptions
        {
            Count = 12, Size = size,
        }, NullMonitor.Instance).Pairs;
        var options = new SegmentationOptions
        {
            Network = new() { Width = 4 }, ImageSize = size, Steps = 12, BatchSize = 4, ValidateEvery = 6,
        };
        using (var train = PairedDataset.Load([.. pairs.Take(8)], size, NullMonitor.Instance))
        using (var validation = PairedDataset.Load([.. pairs.Skip(8)], size, NullMonitor.Instance))
            SegmentationTrainer.Run(options, train, validation, _folder["run"], NullMonitor.Instance);
        using var predictor = Predictor.Load(_folder["run"]);
        List<ImageMaskPair> bare = [.. pairs.Take(7).Select(p => p with { MaskPath = "" })];
        var expected = bare.Select(p => predictor.PredictLabels(PairFiles.ReadImage(p)).Labels).ToList();
        var outcome = PseudoLabels.Write(predictor, bare, _folder["out"], soft: false, NullMonitor.Instance);
        Assert.Equal((expected.Count(m => m.Any(l => l != 0)), 7), (outcome.Pairs, outcome.Pairs + outcome.LeftOut));
        var written = DatasetFolder.Read(_folder["out"]).Pairs;
        Assert.Equal(outcome.Pairs, written.Count);
        foreach (var pair in written)
        {
            var number = int.Parse(pair.Id["unlabelled-".Length..], System.Globalization.CultureInfo.InvariantCulture);
            Assert.Equal(expected[number], PairFiles.ReadMask(pair).Labels);
            Assert.Equal(PairFiles.ReadImage(bare[number]).Pixels, PairFiles.ReadImage(pair).Pixels);
            Assert.Equal(PairSource.Synthetic, pair.Source);
        }

        // Soft masks hold the probabilities themselves; which images are kept is the same.
        Assert.Equal(outcome.Pairs, PseudoLabels.Write(predictor, bare, _folder["soft"], soft: true, NullMonitor.Instance).Pairs);
        var soft = DatasetFolder.Read(_folder["soft"]).Pairs;
        Assert.Equal(written.Select(p => p.Id), soft.Select(p => p.Id));
        using var scope = NewDisposeScope();
        using var loaded = PairedDataset.Load(soft, size, NullMonitor.Instance, new LabelReading(LabelKind.Soft, 0));
        var probabilities = predictor.Predict(stack([.. written.Select(p => ImageTensor.FromRgb(PairFiles.ReadImage(p)))]));
        var off = (loaded.SoftMasks!.to_type(ScalarType.Float32) / 255 - probabilities).abs().max().item<float>();
        Assert.InRange(off, 0, 1f / 255 + 1e-5f); // what eight bits keep
    }
}
