using Siamorph.Imaging;
using Siamorph.Segmentation;
using TorchSharp;

namespace Siamorph.Tests.Segmentation;

public sealed class RobustnessEvaluatorTests : IDisposable
{
    private readonly TinyPairs _pairs = new();

    public void Dispose() => _pairs.Dispose();

    [Fact]
    public void Evaluate_OfATrainedNetwork_LosesDiceWithStrength_AndIsTheSameEachTime()
    {
        using var train = _pairs.Load("train", 16, 32);
        using var test = _pairs.Load("test", 12, 32, seed: 2);
        var options = new SegmentationOptions
        {
            Network = new() { Width = 8 }, ImageSize = new(32, 32), Steps = 40, ValidateEvery = 20,
        };
        SegmentationTrainer.Run(options, train, train, _pairs.In("run"), NullMonitor.Instance);
        using var predictor = Predictor.Load(_pairs.In("run"));
        var clean = SegmentationEvaluator.Evaluate(predictor, test, NullMonitor.Instance);
        Assert.True(clean.Dice > 0.85, $"the toy was not learned: {clean.Dice}");

        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        var scores = RobustnessEvaluator.Evaluate(predictor, test, Corruption.Kinds, new Seed(1), NullMonitor.Instance);
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        Assert.Equal(Corruption.Kinds.SelectMany(k => new[] { (k, 1), (k, 2), (k, 3) }),
            scores.Select(s => (s.Corruption, s.Strength)));
        Assert.All(scores, s => Assert.Equal((12, s.Images.Average()), (s.Images.Count, s.Dice)));
        double At(CorruptionKind kind, int strength) => scores.Single(s => s.Corruption == kind && s.Strength == strength).Dice;
        Assert.True(At(CorruptionKind.Noise, 3) < clean.Dice - 0.03,
            $"noise: {At(CorruptionKind.Noise, 3)} against {clean.Dice}");
        Assert.True(At(CorruptionKind.Illumination, 3) < clean.Dice - 0.1,
            $"light: {At(CorruptionKind.Illumination, 3)} against {clean.Dice}");
        Assert.True(At(CorruptionKind.Illumination, 3) < At(CorruptionKind.Illumination, 1));
        Assert.True(scores.Average(s => s.Dice) < clean.Dice);

        // An image's corruption is its own: alone it scores as among the others.
        using var one = Siamorph.Data.PairedDataset.Load([test.Pairs[7]], test.Size, NullMonitor.Instance);
        var alone = RobustnessEvaluator.Evaluate(predictor, one, [CorruptionKind.Noise], new Seed(1), NullMonitor.Instance);
        Assert.Equal(scores.Where(s => s.Corruption == CorruptionKind.Noise).Select(s => s.Images[7]),
            alone.Select(s => s.Images[0]));
    }
}
