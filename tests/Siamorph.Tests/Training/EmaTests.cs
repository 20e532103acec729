using Siamorph.Training;
using Siamorph.Weights;
using static TorchSharp.torch;

namespace Siamorph.Tests.Training;

public sealed class EmaTests : IDisposable
{
    private readonly TorchSharp.DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void Update_FollowsTheStatedDecay()
    {
        var weight = ones(3);
        using var ema = new Ema([("w", weight)], 0.5);
        var expected = 1.0;
        for (var n = 0; n < 12; n++)
        {
            weight.fill_(n);
            ema.Update();
            var decay = Math.Min(0.5, (1.0 + n) / (10 + n));
            expected = decay * expected + (1 - decay) * n;
            Assert.Equal(expected, ema.State().Read("w")[0].item<float>(), 1e-5);
        }
    }

    [Fact]
    public void Swap_ShowsAverages_AndGivesTheWeightsBack()
    {
        var weight = ones(2);
        using var ema = new Ema([("w", weight)], 0.9);
        weight.fill_(5);
        using (ema.Swap()) Assert.Equal(1, weight[0].item<float>());
        Assert.Equal(5, weight[0].item<float>());
    }

    [Fact]
    public void Swap_OfParameters_NeedsNoGradientScope()
    {
        var weight = new TorchSharp.Modules.Parameter(ones(2));
        using var ema = new Ema([("w", weight)], 0.9);
        using (ema.Swap()) { }
        Assert.True(weight.requires_grad);
    }

    [Fact]
    public void Load_GoesOnBitForBit()
    {
        var (weight, other) = (rand(5), rand(5));
        using var straight = new Ema([("w", weight)], 0.99);
        straight.Update();
        weight.add_(1);
        straight.Update();

        using var resumed = new Ema([("w", other)], 0.99);
        resumed.Load(straight.State(), straight.Updates);
        other.copy_(weight);
        weight.mul_(3);
        other.mul_(3);
        straight.Update();
        resumed.Update();
        Assert.True(straight.State().Read("w").equal(resumed.State().Read("w")).all().item<bool>());
    }

    [Fact]
    public void Load_OtherShape_NamesIt()
    {
        using var ema = new Ema([("w", ones(2))], 0.9);
        var e = Assert.Throws<WeightsMismatchException>(() => ema.Load(WeightTable.Of(new Dictionary<string, Tensor>
        {
            ["w"] = ones(3),
        }), 1));
        Assert.Contains("w is [3], here it must be [2]", e.Message, StringComparison.Ordinal);
    }
}
