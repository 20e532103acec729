using Siamorph.Data;
using Siamorph.Data.Folders;
using Siamorph.Data.Phantom;
using Siamorph.Imaging;
using Siamorph.Siamese;
using Siamorph.Synthesis;
using static TorchSharp.torch;

namespace Siamorph.Tests.Siamese;

public sealed class SoftHintTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void AgreementWeights_HaveMeanOne_AndNothingWhereAnnotatorsAreSplit()
    {
        using var scope = NewDisposeScope();
        var labels = zeros(2, 1, 16, 16);
        labels[0, .., ..8, ..] = 0.5f;
        labels[0, .., 8..12, ..] = 1f;
        var weights = SiameseLosses.AgreementWeights(labels, 4, 1);
        Assert.Equal([2, 1, 4, 4], weights.shape);
        Assert.True((weights.mean([1, 2, 3]) - 1).abs().max().item<float>() < 1e-5);
        Assert.True(weights[0, .., ..2, ..].max().item<float>() < 1e-5);
        Assert.Equal(2, weights[0, 0, 3, 3].item<float>(), 1e-4);
        Assert.True((weights[1] - 1).abs().max().item<float>() < 1e-5);
        var half = SiameseLosses.AgreementWeights(labels, 4, 0.5);
        Assert.Equal(0.5, (half[0, 0, 0, 0] / half[0, 0, 3, 3]).item<float>(), 1e-4);
    }

    [Fact]
    public void Denoising_WithPixelWeights_CountsPlacesAsTold()
    {
        using var scope = NewDisposeScope();
        var (prediction, target) = (zeros(1, 3, 2, 2), ones(1, 3, 2, 2));
        prediction[0, .., 0, ..] = 1;
        var weights = tensor(new float[] { 2, 2, 0, 0 }, [1, 1, 2, 2]);
        Assert.Equal(0.5, SiameseLosses.Denoising(prediction, target, ones(1)).item<float>());
        Assert.Equal(0, SiameseLosses.Denoising(prediction, target, ones(1), weights).item<float>());
    }

    [Fact]
    public void Train_AndSynthesize_WithSoftLabels_CarryThemThrough()
    {
        PhantomDataset.Write(_folder["data"], new PhantomOptions
        {
            Count = 6, Size = new ImageSize(32, 32), Seed = new Seed(5),
        }, NullMonitor.Instance);
        var pairs = DatasetFolder.Read(_folder["data"]).Pairs;
        var options = SmallSetting.Options with
        {
            Labels = LabelKind.Soft,
            BoundaryWidth = 0.15,
            Losses = SmallSetting.Options.Losses with { AgreementWeight = 0.5 },
            Base = SmallSetting.Options.Base with { Steps = 1 },
            Siamese = SmallSetting.Options.Siamese with { Steps = 2 },
            PreviewCount = 2,
        };
        options.Validate();
        using var data = options.Load(pairs, NullMonitor.Instance);
        SiameseTrainer.Run(options, data, _folder["run"], NullMonitor.Instance);

        var made = Synthesizer.Run(_folder["run"], pairs, new SynthesisOptions { Steps = 2 }, _folder["made"],
            NullMonitor.Instance);
        foreach (var (pair, source) in made.Pairs.Zip(pairs))
        {
            var soft = SoftMask.Read(pair, 0);
            Assert.Equal(SoftMask.Read(source, 0.15).Levels, soft.Levels); // the mask written is the soft mask used
            Assert.True(soft.Levels.Distinct().Count() > 4);
            Assert.Equal(PairFiles.ReadMask(source).Labels, PairFiles.ReadMask(pair).Labels); // cut at a half it is the hard one
        }
        using var hard = PairedDataset.Load(pairs, new ImageSize(32, 32), NullMonitor.Instance);
        Assert.Throws<ArgumentException>(() => SiameseTrainer.Run(options, hard, _folder["other"], NullMonitor.Instance));
        Assert.Throws<InvalidOptionsException>(() => (SmallSetting.Options with { BoundaryWidth = 0.1 }).Validate());
    }
}
